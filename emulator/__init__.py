"""The local stack: a real S3 server, a real PostgreSQL and the same Lambda code, on one laptop."""
