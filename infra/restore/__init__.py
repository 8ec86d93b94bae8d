"""Restores a stage's warehouse from a snapshot beside the live one, and swaps the two: a drill, or the real thing."""
