"""Backfill: what raw storage holds and the warehouse lacks becomes rows, in bulk."""
