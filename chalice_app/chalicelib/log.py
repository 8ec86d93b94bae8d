"""Structured log lines: one JSON object per line on standard output, which Lambda sends to CloudWatch."""

import json
import sys
import traceback
from contextlib import suppress
from typing import TextIO

__all__ = ["output", "where", "write"]

# None is standard output as it is when a line is written; the emulator names a file.
output: TextIO | None = None


def write(component: str, outcome: str, *, level: str = "INFO", **fields: object) -> None:
    """Log one outcome of `component`; `fields` must never hold event text."""
    line = json.dumps({"level": level, "component": component, "outcome": outcome, **fields})
    # One write per line: threads and Lambda's log reader then never see half of one.
    stream = output or sys.stdout
    # A full disk must not turn an event that is stored into an error.
    with suppress(OSError):
        stream.write(line + "\n")
        stream.flush()


def where(error: Exception) -> str:
    """The kind of an unforeseen error and where it arose, without its text, which could quote the event."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {frame.name}, line {frame.lineno} of {frame.filename}"
