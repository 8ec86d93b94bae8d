"""Reads and checks HTTP requests: their parts and their API key; gives the CORS headers."""
