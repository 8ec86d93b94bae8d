"""The S3 trigger: delivers every new object to the projector, at least once."""
