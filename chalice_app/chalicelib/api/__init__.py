"""What the HTTP API asks of a request: its parts, its origin, its key."""
