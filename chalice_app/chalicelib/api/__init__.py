"""Reads and checks HTTP requests: their parts, their origin, their API key."""
