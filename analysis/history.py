"""A history to look at: the raw events of a span, and the warehouse that holds them too, if there is one."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from analysis.metrics.engine import RawEvents, WarehouseEvents
from analysis.metrics.range import HISTORY_DAYS, LoginState, Range, span
from analysis.place import source_of, warehouse_of
from analysis.rows.reader import Events, read_events
from analysis.sample import seed_if_empty

__all__ = ["History", "open_history", "read_history"]


@dataclass(frozen=True)
class History:
    """What metrics are asked about: `raw` always, `warehouse` where there is one, and `within`, their common range.

    `events` are those of `raw`, with `order`, and what is no event.
    """

    source: str | Path
    dw_url: str | None
    within: Range
    events: Events
    raw: RawEvents
    warehouse: WarehouseEvents | None

    def __repr__(self) -> str:
        start, end = (f"{time:%Y-%m-%d %H:%M}" for time in (self.within.start, self.within.end))
        corrupt = self.events.corrupt.height
        lines = [
            f"{self.events.frame.height:,} events, received from {start} to {end} UTC, of {self.source}",
            f"login state: {self.within.login_state or 'all'}",
            "the warehouse answers too" if self.warehouse else "no warehouse: name it, or start the local stack",
        ]
        return "\n".join(lines + ([f"{corrupt:,} objects are no events: see 01_validation"] if corrupt else []))


def open_history(
    source: str | None = None,
    warehouse: str | None = None,
    start: str | datetime | None = None,
    end: str | datetime | None = None,
    login_state: LoginState | None = None,
) -> History:
    """Open what a notebook looks at; a local bucket without any event gets a small sample history first.

    `source` is `s3://bucket` or a bucket's directory, by default `RAW_BUCKET_NAME` in S3, else the local stack's, which
    need not run. `warehouse` is its URL, by default `DW_URL`, else that of the local stack, if it runs. `start` and
    `end` are whole hours, in UTC unless they say otherwise, by default the last 28 days. Raises AnalysisError.
    """
    place = source_of(source, make=True)
    dw_url = warehouse_of(warehouse, place)
    seed_if_empty(place, dw_url)
    return read_history(place, dw_url, Range(*span(start, end, HISTORY_DAYS), login_state))


def read_history(source: str | Path, dw_url: str | None, within: Range) -> History:
    """Read the events of a range, whose start and end are whole hours. Raises AnalysisError."""
    events = read_events(source, within.start, within.end, fields=["order"])
    warehouse = None if dw_url is None else WarehouseEvents(dw_url)
    return History(source, dw_url, within, events, RawEvents(events.frame), warehouse)
