"""Reading from the lake: its tables for any engine, and its hours in place of raw's."""
