"""Turns raw objects into rows: the contract's columns, and fields that only raw holds."""
