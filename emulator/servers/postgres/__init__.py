"""The embedded PostgreSQL: its server, its data directory, and the operating-system user that runs it."""
