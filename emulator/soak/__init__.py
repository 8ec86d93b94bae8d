"""Soak: a stack under constant load, which is broken at random, and has to lose nothing."""

from emulator.soak.command import soak_command

__all__ = ["soak_command"]
