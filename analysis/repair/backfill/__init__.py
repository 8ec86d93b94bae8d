"""Backfill: inserts the events of raw that have no row in the warehouse, in bulk."""
