"""Follows one event: its objects in raw, rejects that name it, its row."""
