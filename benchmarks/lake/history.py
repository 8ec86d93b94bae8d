"""The history that the lake is measured with: seeded objects of 30 days, and a place for their lake."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from rich.console import Console

from analysis.lake.compaction import Compacted, compact
from analysis.lake.location import Location
from analysis.metrics.range import Range
from command_line.home import BUCKET
from emulator.seed.clock import milliseconds
from emulator.seed.run import run
from emulator.seed.store import Store

__all__ = ["DAY", "DAYS", "END", "EVENTS", "HOUR", "START", "History", "seeded"]

EVENTS = 100_000
DAYS = 30
EVENTS_PER_SHOPPER = 41
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
END = datetime(2026, 11, 1, tzinfo=UTC)
START = END - DAYS * DAY
# An hour is closed by then.
CLOSED = timedelta(minutes=15)


@dataclass(frozen=True)
class History:
    """Raw objects of DAYS days, and where their lake is or will be."""

    directory: Path

    @property
    def bucket(self) -> Path:
        """The raw bucket."""
        return self.directory / BUCKET

    @property
    def lake(self) -> Location:
        """The lake."""
        return Location(str(self.directory / "lake"))

    @property
    def week(self) -> Range:
        """Seven days near the end."""
        return Range(END - 9 * DAY, END - 2 * DAY)

    @property
    def whole(self) -> Range:
        """All days."""
        return Range(START, END)

    def objects_of(self, hour: datetime) -> list[Path]:
        """The objects of one hour."""
        return [*(self.bucket / f"events/{hour:%Y/%m/%d/%H}").glob("*.json")]

    def busiest_hours(self, day: date, number: int) -> datetime:
        """Give the first of so many hours in a row of a day that have the most objects together."""
        hours = [datetime(day.year, day.month, day.day, hour, tzinfo=UTC) for hour in range(24)]
        counts = [len(self.objects_of(hour)) for hour in hours]
        first = max(range(24 - number), key=lambda hour: sum(counts[hour : hour + number]))
        return hours[first]

    def compact(self, until: datetime, span: tuple[datetime, datetime] | None = None) -> Compacted:
        """Compact what was closed at some time, or a span of it again."""
        return compact(self.bucket, self.lake, span, now=until + CLOSED)


@contextmanager
def seeded(events: int) -> Iterator[History]:
    """Write a history of about so many events into a new directory; then remove it.

    Inside, no warehouse and no lake of this computer is found.
    """
    with TemporaryDirectory(prefix="clickstream-") as name, patch.dict(os.environ):
        for variable in ("DW_URL", "RAW_BUCKET_NAME", "LAKE", "PRICE_DECIMALS", "CLICKSTREAM_ZONE"):
            os.environ.pop(variable, None)
        os.environ["CLICKSTREAM_HOME"] = str(Path(name) / "home")
        history = History(Path(name))
        store = Store(1, DAYS, max(1, events // EVENTS_PER_SHOPPER), milliseconds(END))
        run(store, history.bucket, Path(name) / "answers.json", None, Console(stderr=True, quiet=True))
        yield history
