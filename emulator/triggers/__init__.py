"""The S3 trigger: every new object is delivered to the projector, at least once."""
