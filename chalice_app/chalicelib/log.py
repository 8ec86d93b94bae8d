"""Structured log lines: one JSON object per line on standard output, which Lambda sends to CloudWatch."""

import json
import sys
import traceback
from contextlib import suppress
from typing import TextIO

__all__ = ["output", "where", "write"]

# None means standard output at the time of writing; the emulator sets a file.
output: TextIO | None = None


def write(component: str, outcome: str, *, level: str = "INFO", **fields: object) -> None:
    """Log one outcome of `component`; `fields` must never contain text of events."""
    line = json.dumps({"level": level, "component": component, "outcome": outcome, **fields})
    # One write per line, so that threads and Lambda's log reader never see half a line.
    stream = output or sys.stdout
    # A full disk must not turn a stored event into an error.
    with suppress(OSError):
        stream.write(line + "\n")
        stream.flush()


def where(error: Exception) -> str:
    """Name the kind and the place of an unforeseen error, without its text, which could quote the event."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {frame.name}, line {frame.lineno} of {frame.filename}"
