"""The local stack: a real S3 server, a real PostgreSQL and the deployed Lambda code, on one computer."""
