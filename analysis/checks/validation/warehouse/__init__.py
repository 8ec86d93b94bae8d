"""Compares raw with the warehouse: missing, surplus and altered rows, and metrics from both."""
