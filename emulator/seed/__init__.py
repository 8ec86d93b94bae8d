"""The seed: a realistic store history, written straight into raw partitions, and the exact answers about it."""
