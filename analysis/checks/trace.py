"""Traces one event: each of its deliveries in raw, the delivery that became the row, and rejects with its id."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from analysis.engines.horizon import horizon_of
from analysis.engines.warehouse import WarehouseEvents
from analysis.errors import NoTable
from analysis.raw.partitions import Folder
from analysis.raw.source import open_source
from analysis.rows.fields import KEY
from analysis.rows.reader import read_hours
from chalicelib.contract import COLUMNS, EVENT_ID, TABLE
from chalicelib.convert import to_uuid

__all__ = ["DELIVERY_FIELDS", "EventTrace", "follow"]

# The fields of each delivery that raw holds.
DELIVERY_FIELDS = ("received_at", "request_id", "trace_id", "source_ip", "user_agent")
ID = COLUMNS[EVENT_ID].name
# The contract's columns only: raw has nothing for a column that an analyst has added.
NAMES = ", ".join(column.name for column in COLUMNS)
SELECT = f"SELECT {NAMES} FROM {TABLE} WHERE event_id = CAST($event_id AS UUID)"  # noqa: S608  # our own name


@dataclass(frozen=True)
class EventTrace:
    """Everything that is known about one event.

    Attributes:
        event_id: The id that was searched for.
        has_warehouse: Whether a warehouse was searched.
        deliveries: One mapping per raw object of the event, the first received first: `key`, DELIVERY_FIELDS, and
            `is_row`: whether the warehouse's row comes from this object (None without a warehouse).
        rejects: `key` and `reason` of each object that is not an event and contains the id.
        row: The warehouse's row by column; None if there is no row.
        horizon: The time from which on the warehouse keeps rows, UTC; None if it keeps all, or without a warehouse.
        is_before_horizon: Whether the event was first received before that, so that it needs no row.
    """

    event_id: str
    has_warehouse: bool
    deliveries: list[dict[str, Any]]
    rejects: list[dict[str, Any]]
    row: dict[str, Any] | None
    horizon: datetime | None
    is_before_horizon: bool

    @property
    def is_whole(self) -> bool:
        """Whether the event is in raw, and also in the warehouse if one was searched that keeps events of its age."""
        needs_row = self.has_warehouse and not self.is_before_horizon
        return bool(self.deliveries) and (self.row is not None or not needs_row)


def follow(source: str | Path, dw_url: str | None, event_id: str, start: datetime, end: datetime) -> EventTrace:
    """Look for one event in raw and in the warehouse.

    Args:
        source: The raw bucket, as for `read_events`.
        dw_url: The warehouse's libpq URL; None to search raw only.
        event_id: The event's id, as it was sent or as the warehouse has it, or an object's key.
        start: The first moment to search in raw, aware. The partitions (hours in UTC) that cover the span are searched
            as a whole. The row may be of any time.
        end: The moment after the last to search in raw, aware.

    Raises:
        AnalysisError: As in `read_events`, or the warehouse does not answer.
    """
    warehouse = None if dw_url is None else WarehouseEvents(dw_url)
    # With the row's own decimals, or else no object would give the row.
    decimals = None if warehouse is None else warehouse.price_decimals
    fields = (KEY, *DELIVERY_FIELDS)
    events = read_hours(source, start, end, fields=fields, keep_duplicates=True, price_decimals=decimals)
    by_key = events.frame.filter(pl.col(KEY) == event_id)
    row_id = str(by_key[ID].item()) if len(by_key) else _id(event_id)
    found = events.frame.filter(pl.col(ID) == row_id)
    row = None if warehouse is None else _row(warehouse, row_id)
    horizon = None if warehouse is None else horizon_of(warehouse)
    first = found["event_timestamp"].min()
    return EventTrace(
        event_id,
        warehouse is not None,
        [_delivery(each, row, has_warehouse=warehouse is not None) for each in found.iter_rows(named=True)],
        list(_rejects(source, events.corrupt, event_id)),
        row,
        horizon,
        horizon is not None and isinstance(first, datetime) and first < horizon,
    )


def _id(text: str) -> str:
    """Convert an event id as the warehouse does."""
    return str(to_uuid(text))


def _row(warehouse: WarehouseEvents, row_id: str) -> dict[str, Any] | None:
    try:
        found = warehouse.query(SELECT, {"event_id": row_id})
    except NoTable:
        return None
    return None if found.is_empty() else found.row(0, named=True)


def _delivery(event: dict[str, Any], row: dict[str, Any] | None, *, has_warehouse: bool) -> dict[str, Any]:
    is_row = None if not has_warehouse else row is not None and all(event[name] == value for name, value in row.items())
    return {KEY: event[KEY], **{name: event[name] for name in DELIVERY_FIELDS}, "is_row": is_row}


def _rejects(source: str | Path, corrupt: pl.DataFrame, text: str) -> Iterator[dict[str, Any]]:
    """Choose the rejects that contain the text, or have it as their key."""
    opened = open_source(source)
    for each in corrupt.iter_rows(named=True):
        folder, _, name = each[KEY].rpartition("/")
        if any(text.encode() in body or key == text for key, body in opened.read([Folder(f"{folder}/", [name])])):
            yield each
