"""Checks of collected events: validation, the ledger, one event's trace, and the smoke test."""
