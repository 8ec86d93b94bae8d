"""Simulated shoppers, who visit the demo shop and send events as the publisher in a browser does."""
