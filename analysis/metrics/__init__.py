"""The metrics, as docs/metrics.md defines them: each runs one SQL query, and both engines give the same frame."""
