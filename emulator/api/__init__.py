"""The emulator's API, for its page and for other people's tests: events, waiting for them, faults, shoppers, reset."""
