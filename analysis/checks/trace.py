"""One event's way: each delivery of it in raw, which of them is the row, and rejects that hold its id."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from analysis.errors import NoTable
from analysis.metrics.engine import WarehouseEvents
from analysis.raw.partitions import Folder
from analysis.raw.source import open_source
from analysis.rows.fields import KEY
from analysis.rows.reader import read_events
from chalicelib.contract import COLUMNS, EVENT_ID, TABLE
from chalicelib.convert import to_uuid

__all__ = ["DELIVERY_FIELDS", "EventTrace", "follow"]

# What raw says of each delivery.
DELIVERY_FIELDS = ("received_at", "request_id", "trace_id", "source_ip", "user_agent")
ID = COLUMNS[EVENT_ID].name
SELECT = f"SELECT * FROM {TABLE} WHERE event_id = CAST($event_id AS UUID)"  # noqa: S608  # our own name


@dataclass(frozen=True)
class EventTrace:
    """What there is of one event.

    `deliveries`: of each object in raw, the first received first, its key, what DELIVERY_FIELDS say, and whether the
    row is its (None without a warehouse). `rejects`: key and reason of objects that are no events, and hold the text.
    `row`: the warehouse's, by column; None if there is none.
    """

    event_id: str
    has_warehouse: bool
    deliveries: list[dict[str, Any]]
    rejects: list[dict[str, Any]]
    row: dict[str, Any] | None

    @property
    def is_whole(self) -> bool:
        """Whether it is in raw, and in the warehouse if that was asked."""
        return bool(self.deliveries) and (self.row is not None or not self.has_warehouse)


def follow(source: str | Path, dw_url: str | None, event_id: str, start: datetime, end: datetime) -> EventTrace:
    """Look for an event in the hours from `start` to `end`, and for its row, whenever that is from.

    `event_id` is the event's as it was sent, or as the warehouse has it, or an object's key. Raises AnalysisError as
    `read_events` does, and if the warehouse does not answer.
    """
    events = read_events(source, start, end, fields=(KEY, *DELIVERY_FIELDS), keep_duplicates=True)
    by_key = events.frame.filter(pl.col(KEY) == event_id)
    row_id = str(by_key[ID].item()) if len(by_key) else _id(event_id)
    found = events.frame.filter(pl.col(ID) == row_id)
    row = None if dw_url is None else _row(dw_url, row_id)
    return EventTrace(
        event_id,
        dw_url is not None,
        [_delivery(each, row, has_warehouse=dw_url is not None) for each in found.iter_rows(named=True)],
        list(_rejects(source, events.corrupt, event_id)),
        row,
    )


def _id(text: str) -> str:
    """What the warehouse makes of an event id."""
    return str(to_uuid(text))


def _row(dw_url: str, row_id: str) -> dict[str, Any] | None:
    try:
        found = WarehouseEvents(dw_url).query(SELECT, {"event_id": row_id})
    except NoTable:
        return None
    return None if found.is_empty() else found.row(0, named=True)


def _delivery(event: dict[str, Any], row: dict[str, Any] | None, *, has_warehouse: bool) -> dict[str, Any]:
    is_row = None if not has_warehouse else row is not None and all(event[name] == value for name, value in row.items())
    return {KEY: event[KEY], **{name: event[name] for name in DELIVERY_FIELDS}, "is_row": is_row}


def _rejects(source: str | Path, corrupt: pl.DataFrame, text: str) -> Iterator[dict[str, Any]]:
    """Objects that are no events and hold the text, or are named by it."""
    opened = open_source(source)
    for each in corrupt.iter_rows(named=True):
        folder, _, name = each[KEY].rpartition("/")
        if any(text.encode() in body or key == text for key, body in opened.read([Folder(f"{folder}/", [name])])):
            yield each
