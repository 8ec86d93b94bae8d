"""Histories of a shop as real ones are: late, repeated, skewed, tied, incomplete. A seed gives one history."""
