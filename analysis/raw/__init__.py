"""Raw storage: buckets, their hourly partitions, and their tombstones."""
