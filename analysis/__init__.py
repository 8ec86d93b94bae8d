"""Analysis of raw events and of the warehouse, with the same metrics over both."""
