"""Bulk work on the warehouse of a stage: what the operations function does when a command asks it."""
