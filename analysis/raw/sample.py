"""The marker of a sample: an object in the bucket that says which hours of it hold made-up events.

It lies in the bucket, as tombstones do, so that it is seen through S3, in a copy of the bucket, and in any home, and is
deleted with the events. Only `python -m emulator sample` writes it.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from analysis.errors import AnalysisError
from analysis.raw.partitions import Folder
from analysis.raw.source import open_source
from command_line.json_text import json_text

__all__ = ["MARKER", "Sample", "read_sample"]

MARKER = "clickstream-sample.json"


@dataclass(frozen=True)
class Sample:
    """A sample history in a bucket.

    Its events were received from `start` to `end`, the end excluded: whole hours, aware, in UTC. `written_at` is when
    it was written, also aware and in UTC.
    """

    start: datetime
    end: datetime
    written_at: datetime

    def __str__(self) -> str:
        start, end, written = (f"{time:%Y-%m-%d %H:%M}" for time in (self.start, self.end, self.written_at))
        return f"a sample: made-up events of {start} to {end} UTC, written by 'python -m emulator sample' at {written}"

    def as_bytes(self) -> bytes:
        """Give the marker's content: one JSON object."""
        return json_text(asdict(self)).encode()


def read_sample(source: str | Path, start: datetime | None = None, end: datetime | None = None) -> Sample | None:
    """Read which sample a bucket includes.

    Args:
        source: `s3://bucket`, or a bucket's directory.
        start: First hour that is looked at, aware; by default any.
        end: Hour after the last one, aware; by default any.

    Returns:
        The sample, or None if the bucket has none in these hours. A bucket whose marker may not be read has none: it is
        not one of a local stack.

    Raises:
        AnalysisError: The marker is damaged.
    """
    try:
        bodies = dict(open_source(source).read([Folder("", [MARKER])]))
    except AnalysisError:
        return None
    if MARKER not in bodies:
        return None
    try:
        times = json.loads(bodies[MARKER])
        sample = Sample(**{name: datetime.fromisoformat(time) for name, time in times.items()})
    except (AttributeError, TypeError, ValueError):
        raise AnalysisError(f"{MARKER} in {source} is damaged: empty the bucket, or delete that object") from None
    is_before, is_after = end is not None and end <= sample.start, start is not None and start >= sample.end
    return None if is_before or is_after else sample
