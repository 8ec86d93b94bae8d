"""The metrics, defined in docs/metrics.md: each is one query, and gives one frame, the same from both engines."""
