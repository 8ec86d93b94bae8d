"""The embedded PostgreSQL: its server, its data directory, and the user that it runs as."""
