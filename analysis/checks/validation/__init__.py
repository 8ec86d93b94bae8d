"""Validation: what is wrong with the collected events, in raw and in the warehouse, and what to do about it."""
