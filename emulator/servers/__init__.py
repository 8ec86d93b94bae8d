"""The servers of the stack: S3, ingest, PostgreSQL, and what every part has in common."""
