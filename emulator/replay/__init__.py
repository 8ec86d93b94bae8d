"""The replay: posts an event log through the collector, then checks that none of it was lost."""
