"""Faults of clocks: the wall clock of the stack's processes, or those of some browsers, jump ahead and back."""

import time
from collections.abc import Sequence
from datetime import timedelta

from emulator.soak.subject import Subject

__all__ = ["AHEAD", "BACK", "STACK_AHEAD", "STACK_BACK", "jump_in_browsers", "jump_in_stack"]

STACK_AHEAD, STACK_BACK = "stack's clock ahead", "stack's clock back"
# 65 minutes are over the change of an hour at any time.
AHEAD = (timedelta(minutes=7), timedelta(minutes=65), timedelta(days=2))
BACK = (timedelta(minutes=-7), timedelta(minutes=-65), timedelta(days=-3))


def jump_in_stack(shifts: Sequence[timedelta], subject: Subject, seconds: float) -> None:
    """Restart the stack, let the wall clock of ingest, projector, supervisor and page jump, and set all right again."""
    with subject.clock_that_jumps() as clock:
        for shift in shifts:
            clock.shift_stack(shift)
            time.sleep(seconds / len(shifts))


def jump_in_browsers(subject: Subject, seconds: float) -> None:
    """Let the clocks of one browser in four jump ahead and back, and set them right at the end."""
    shifts = (*AHEAD, *BACK)
    with subject.clock.browsers_shifted() as clock:
        for shift in shifts:
            clock.shift_browsers(shift)
            time.sleep(seconds / len(shifts))
