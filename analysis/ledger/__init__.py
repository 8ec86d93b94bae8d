"""The loss ledger: what was sent, and what became of it, by hour or by client."""
