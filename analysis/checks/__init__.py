"""Is it right? Validation, the ledger, one event's trace, and the smoke test."""
