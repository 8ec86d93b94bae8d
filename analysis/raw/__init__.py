"""Raw storage: buckets, their hourly partitions, their tombstones, and the marker of a sample."""
