"""The replay: posts an event log through the collector, then checks that every event arrived."""
