"""Turns Ctrl-C, and SIGTERM, into a request to finish early."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["stopped_by_ctrl_c"]

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stopped_by_ctrl_c() -> Iterator[threading.Event]:
    """Give a flag that the first Ctrl-C or SIGTERM sets; the second one interrupts, as Ctrl-C usually does."""
    stop = threading.Event()

    def on_signal(_signal: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    previous = {number: signal.signal(number, on_signal) for number in SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
