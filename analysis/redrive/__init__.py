"""The failure queue: what Lambda gave up on is given to the projector once more."""
