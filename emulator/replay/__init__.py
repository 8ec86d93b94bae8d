"""`python -m emulator replay`: posts an event log through the collector, then checks that none of it was lost."""

from emulator.replay.command import replay_command

__all__ = ["replay_command"]
