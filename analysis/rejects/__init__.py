"""Rejects as a work list: look at them, try them again, or say why they may stay as they are."""
