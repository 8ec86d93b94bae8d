"""The lake: events in columns, in an open table format that many engines read."""
