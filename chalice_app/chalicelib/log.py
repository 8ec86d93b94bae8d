"""Structured log lines: one JSON object per line on standard output, which Lambda sends to CloudWatch."""

import json
import sys
from typing import TextIO

__all__ = ["output", "write"]

# None is standard output as it is when a line is written; the emulator names a file.
output: TextIO | None = None


def write(component: str, outcome: str, *, level: str = "INFO", **fields: object) -> None:
    """Log one outcome of `component`; `fields` must never hold event text."""
    line = json.dumps({"level": level, "component": component, "outcome": outcome, **fields})
    # One write per line: threads and Lambda's log reader then never see half of one.
    stream = output or sys.stdout
    stream.write(line + "\n")
    stream.flush()
