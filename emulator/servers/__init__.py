"""The servers of the stack: S3, ingest and PostgreSQL, and the base of every part."""
