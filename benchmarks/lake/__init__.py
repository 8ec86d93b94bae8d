"""Benchmarks of the lake: reading, compaction, size on disk, erasure, and how all of them grow."""
