"""The emulator's HTTP API, for its page and for users' tests: events, waiting, faults, shoppers and reset."""
