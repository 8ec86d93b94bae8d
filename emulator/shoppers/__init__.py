"""`python -m emulator shoppers`: simulated shoppers visit the demo shop, as browsers with the publisher would."""

from emulator.shoppers.command import shoppers_command

__all__ = ["shoppers_command"]
