"""Traces: follow each event from the browser to its row."""
