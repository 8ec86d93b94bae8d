"""Validation: finds what is wrong with the collected events, in raw and in the warehouse, and says what to do."""
