"""The seed: writes a realistic store history straight into raw partitions, and computes the exact answers about it."""
