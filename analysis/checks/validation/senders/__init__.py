"""Checks of who sends the events: other publishers, and programs instead of people."""
