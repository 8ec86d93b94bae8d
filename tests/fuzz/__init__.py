"""The fuzzer: hostile bytes through ingest and projection, guided by what they cover. `make fuzz` runs it."""
