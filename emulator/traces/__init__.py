"""Traces: what became of each event, from the browser to its row."""
