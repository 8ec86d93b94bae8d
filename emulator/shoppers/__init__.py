"""Simulated shoppers: they visit the demo shop as browsers with the publisher would."""
