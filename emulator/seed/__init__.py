"""The seed: a realistic store history, written straight into raw partitions, and the exact answers about it."""

from emulator.seed.command import seed_command

__all__ = ["seed_command"]
