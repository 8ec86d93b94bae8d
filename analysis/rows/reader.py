"""Reads the events of a span from raw storage, as rows with the contract's columns."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from analysis.errors import AnalysisError
from analysis.lake.reading.compacted import Compacted, compacted_of
from analysis.lake.reading.scans import Damage
from analysis.lake.reading.window import Window, has_fields
from analysis.raw.objects import batches, day_batches, objects_below, objects_of
from analysis.raw.partitions import Folder, hour_prefixes
from analysis.raw.source import OnUnreadable, Source, open_source
from analysis.rows.bots import USER_AGENT, without_bots
from analysis.rows.fields import KEY, OCCURRED_AT, fields_named
from analysis.rows.occurrence import BASIS, with_occurred_at
from analysis.rows.prices import checked_decimals
from analysis.rows.projection import CORRUPT_SCHEMA, Corrupt, Projection
from analysis.rows.selection import DAY, EARLIER, ORDER, RECEIPT, Clock, OnError, Selection, no_orders
from analysis.rows.taken import Taken
from chalicelib.contract import COLUMNS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

__all__ = ["Events", "OnError", "Reading", "by_key", "read_events", "read_hours", "read_in_parts", "reporting"]

# What clock="occurred" adds to a frame: the time, and the order of events of one tab that have the same time.
OCCURRENCE = (OCCURRED_AT, "tab_id", "seq")
_NAMES = tuple(column.name for column in COLUMNS)


@dataclass(frozen=True)
class Reading:
    """How events were read, and what could not be.

    Attributes:
        corrupt: `key` and `reason` of every object that the projector rejects, ordered by key. A reject has no time:
            the rejects of all hours that cover the span are here.
        unreadable: `key` and `reason` of every object that was denied, or is archived; the key of a partition or
            directory if nothing below it could be listed. Ordered by key, and always empty with `on_error="raise"`.
        price_decimals: How many decimals the prices keep: 12.99 is 1299 with 2.
        clock: `received` for the events that were received in the span, `occurred` for the events that occurred in it.
        lookback: How long before the span objects were read, too.
        lookahead: How long after the span objects were read, too.
    """

    corrupt: pl.DataFrame
    unreadable: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=CORRUPT_SCHEMA))
    price_decimals: int = 0
    clock: Clock = "received"
    lookback: timedelta = timedelta(0)
    lookahead: timedelta = timedelta(0)


@dataclass(frozen=True)
class Events:
    """The events and the rejects of a span.

    Attributes:
        frame: One row per event, ordered by its time (of receipt, or with the clock `occurred` of occurrence), then
            object key. The columns are the contract's, in its order, then the requested fields. UUIDs are lower-case
            text; times are in UTC, with microseconds.
        corrupt: `key` and `reason` of every object that the projector rejects, ordered by key. A reject has no time:
            the rejects of all hours that cover the span are here.
        unreadable: `key` and `reason` of every object that was denied, or is archived; the key of a partition or
            directory if nothing below it could be listed. Ordered by key, and always empty with `on_error="raise"`.
        price_decimals: How many decimals the prices keep: 12.99 is 1299 with 2.
        clock: `received` for the events that were received in the span, `occurred` for the events that occurred in it.
        lookback: How long before the span objects were read, too.
        lookahead: How long after the span objects were read, too.
        orders_before: Events before the span, as far as they were read, that may have placed an order: `event_id`,
            `event_timestamp` (the time by the clock), `event_name`, `user_login_state` and `order`. Empty if `order`
            was not requested.
    """

    frame: pl.DataFrame
    corrupt: pl.DataFrame
    unreadable: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=CORRUPT_SCHEMA))
    price_decimals: int = 0
    clock: Clock = "received"
    lookback: timedelta = timedelta(0)
    lookahead: timedelta = timedelta(0)
    orders_before: pl.DataFrame = field(default_factory=no_orders)

    def relation(self, connection: "DuckDBPyConnection") -> "DuckDBPyRelation":
        """Give the frame as a DuckDB relation with the warehouse's types, in which UUIDs are UUID, not text."""
        uuids = ", ".join(
            f"CAST({column.name} AS UUID) AS {column.name}" for column in COLUMNS if column.type == "UUID"
        )
        return connection.from_arrow(self.frame.to_arrow()).project(f"* REPLACE ({uuids})")


def read_in_parts(
    source: Source,
    selection: Selection,
    fields: Sequence[str],
    corrupt: list[Corrupt],
    price_decimals: int = 0,
    window: Window | None = None,
    taken: Taken | None = None,
) -> Iterator[pl.DataFrame]:
    """Read the objects that were received in a range, and before it, a day at a time. This needs the clock `received`.

    Args:
        source: The open bucket.
        selection: The range, and how far to look back.
        fields: Raw fields, as in `read_events`.
        corrupt: Takes the rejects of the range.
        price_decimals: How many decimals the prices keep.
        window: The hours for which a lake stands in: their rows are left out here.
        taken: The hours that were read before. Their rows have all columns of TAKEN.

    Yields:
        Rows with `key`, the contract's columns and the fields, in no order, duplicates included.
    """
    projection = Projection(fields_named(fields), source.last_modified, price_decimals=price_decimals)

    def parts(prefixes: Sequence[str], refused: list[Corrupt]) -> Iterator[pl.DataFrame]:
        unread = [prefix for prefix in prefixes if window is None or not window.has(prefix)]
        if taken is not None:
            for rows in taken.of(unread):
                yield rows.select(*projection.schema)
            refused += taken.corrupt_of(unread)
            unread = [prefix for prefix in unread if prefix not in taken.prefixes]
        others = () if window is None else window.leftover(prefixes)
        for batch in chain(day_batches(source, unread), batches(source.read(others))):
            rows, corrupt = projection.rows(batch)
            refused += corrupt
            yield rows

    for rows in parts(hour_prefixes(*selection.before), []):
        # An object in an hour before its receipt is not an event of the range.
        yield selection.known(rows.filter(pl.col("event_timestamp") < selection.start.astimezone(UTC)))
    for rows in parts(hour_prefixes(selection.start, selection.end), corrupt):
        yield selection.known(rows)


def read_events(
    source: str | Path,
    start: datetime,
    end: datetime,
    *,
    fields: Sequence[str] = (),
    keep_duplicates: bool = False,
    lookback: timedelta = DAY,
    clock: Clock = "received",
    lookahead: timedelta = DAY,
    on_error: OnError = "raise",
    price_decimals: int | None = None,
    bots: bool = True,
    lake: str | bool = True,
) -> Events:
    """Read the events that were received from `start` to `end`, or that occurred then.

    Args:
        source: `s3://bucket`, found through the standard `AWS_*` environment, or a bucket's directory.
        start: The first moment, aware.
        end: The moment after the last, aware.
        fields: Further columns: raw fields (`analysis.rows.fields.RAW_FIELDS`), `key`, the object's key, or
            `occurred_at`, when the event happened (UTC, never null; docs/metrics.md defines it).
        keep_duplicates: Keep every object. By default, only the object that was received first (by
            `event_timestamp`, then key) counts of several objects with the same event id.
        lookback: How long before `start` objects are read, too: an event that was first received then does not count
            again. With `keep_duplicates`, they are read for `occurred_at` only.
        clock: `received`: the events that were received in the span, as in the warehouse. `occurred`: the events that
            occurred in it, with the columns `occurred_at`, `tab_id` and `seq` at the end.
        lookahead: With the clock `occurred`, how long after `end` objects are read, too: an event that arrives still
            later does not count.
        on_error: What happens if a single object may not be read. `raise` raises an error that names it. `report` reads
            all others, and names it in `unreadable`.
        price_decimals: How many decimals the prices keep, 0 to 6; by default `PRICE_DECIMALS` of the environment.
        bots: Keep the events of crawlers, headless browsers and monitors, which `_ingest.userAgent` names.
        lake: The lake, whose hours are read instead of raw's where they hold the same: a directory or `glue`. By
            default the one that `LAKE` names, else that of the local stack, if it is there. False for raw only. A field
            that only raw has, such as `source_ip`, is read from raw.

    Returns:
        The events and the rejects. An hour without objects simply has no events. The partitions (hours in UTC) that
        cover the span are read, and events with an `event_timestamp` (by occurrence: an `occurred_at`) outside it are
        left out.

    Raises:
        AnalysisError: The source does not exist or cannot be read, a time is not aware, the end is before the start, a
            field is unknown, the clock has another value, `lookback` or `lookahead` is negative, or the
            decimals are not 0 to 6.
    """
    names = [*fields, *(OCCURRENCE if clock == "occurred" else ())]
    is_timed = OCCURRED_AT in names
    if keep_duplicates and not is_timed:
        lookback = timedelta(0)
    selection = Selection(start, end, lookback, clock, lookahead if clock == "occurred" else timedelta(0))
    agent = [] if bots else [USER_AGENT]
    chosen = fields_named([*names, *agent])
    decimals = checked_decimals(price_decimals)
    basis = [each for each in BASIS if each not in chosen] if is_timed else []
    hours, hours_before, hours_after = (
        hour_prefixes(*span) for span in ((start, end), selection.before, selection.after)
    )
    unreadable: list[tuple[str, str]] = []
    opened = open_source(source, reporting(on_error, unreadable))
    whole = Projection((*chosen, *basis), opened.last_modified, price_decimals=decimals)
    early = [each for each in chosen if each.name in {ORDER, *agent}]
    first = whole if is_timed else Projection(early, opened.last_modified, EARLIER)
    compacted = compacted_of(source, opened, lake, decimals) if has_fields(each.name for each in chosen) else None
    stored = _stored(
        compacted, selection, ((hours, whole), (hours_before, first), (hours_after, whole)), keep_duplicates
    )
    (rows, corrupt), (before, _), (after, _) = (_rows(opened, each) for each in stored)
    # An object in an hour before its receipt is not an event of the span, just as one in an hour after its receipt.
    before = before.filter(pl.col("event_timestamp") < start.astimezone(UTC))
    known = selection.known(pl.concat([rows, before, after], how="diagonal"))
    if is_timed:
        known = with_occurred_at(known).sort(*RECEIPT)
    if not keep_duplicates:
        known = known.unique("event_id", keep="first", maintain_order=True)
    if not bots:
        known = without_bots(known)
    frame = selection.events(known).select(*_NAMES, *dict.fromkeys(names))
    placed = selection.orders_before(known) if ORDER in names else no_orders()
    return Events(
        frame,
        by_key(corrupt),
        by_key(unreadable),
        decimals,
        clock=clock,
        lookback=selection.lookback,
        lookahead=selection.lookahead,
        orders_before=placed,
    )


def read_hours(
    source: str | Path,
    start: datetime,
    end: datetime,
    *,
    fields: Sequence[str] = (),
    keep_duplicates: bool = False,
    on_error: OnError = "raise",
    price_decimals: int | None = None,
    bots: bool = True,
    bar: bool = True,
) -> Events:
    """Read all events of the partitions that cover a span; arguments and errors are as in `read_events`.

    `bar` says whether a bar shows how far this is; whoever reads one day after the other has one of their own.

    Whatever an event's `event_timestamp` says, it is here if its object lies in one of these hours. Objects of other
    hours are not looked at.
    """
    hours = hour_prefixes(start, end)
    decimals = checked_decimals(price_decimals)
    unreadable: list[tuple[str, str]] = []
    opened = open_source(source, reporting(on_error, unreadable))
    chosen = fields_named(fields if bots else [*fields, USER_AGENT])
    projection = Projection(chosen, opened.last_modified, price_decimals=decimals)
    rows, corrupt = _rows(
        opened,
        _Part(projection, pl.DataFrame(schema=projection.schema), hours, ()),
        objects_of if bar else objects_below,
    )
    frame = rows.sort(*RECEIPT)
    if not keep_duplicates:
        frame = frame.unique("event_id", keep="first", maintain_order=True)
    if not bots:
        frame = without_bots(frame)
    return Events(frame.select(*_NAMES, *dict.fromkeys(fields)), by_key(corrupt), by_key(unreadable), decimals)


class _Part(NamedTuple):
    """Some hours: the rows that the lake gives, and what raw still has to give."""

    projection: Projection
    rows: pl.DataFrame
    prefixes: Sequence[str]
    folders: Sequence[Folder]


def _stored(
    compacted: Compacted | None,
    selection: Selection,
    parts: Sequence[tuple[Sequence[str], Projection]],
    keep_duplicates: bool,  # noqa: FBT001  # one of two private callers
) -> list[_Part]:
    """Read from the lake what it can give of these hours."""
    while compacted is not None:
        window = compacted.window_of(selection, repeats=keep_duplicates)
        with suppress(Damage):
            return [
                _Part(
                    projection,
                    window.frame(prefixes, projection.schema),
                    [prefix for prefix in prefixes if not window.has(prefix)],
                    window.leftover(prefixes),
                )
                for prefixes, projection in parts
            ]
    return [_Part(each, pl.DataFrame(schema=each.schema), prefixes, ()) for prefixes, each in parts]


def _rows(
    source: Source, part: _Part, read: Callable[[Source, Sequence[str]], Iterable[tuple[str, bytes]]] = objects_of
) -> tuple[pl.DataFrame, list[Corrupt]]:
    """Give the rows of these hours, and the rejects."""
    frames = [part.rows]
    corrupt: list[Corrupt] = []
    for batch in batches(chain(read(source, part.prefixes), source.read(part.folders))):
        rows, refused = part.projection.rows(batch)
        frames.append(rows)
        corrupt += refused
    return pl.concat(frames), corrupt


def reporting(on_error: OnError, unreadable: list[tuple[str, str]]) -> OnUnreadable | None:
    """Give what takes the objects that may not be read; None if the first of them is an error."""
    if on_error == "raise":
        return None
    if on_error != "report":
        raise AnalysisError(f"on_error is {on_error!r}: write 'raise' or 'report'")
    return lambda key, reason: unreadable.append((key, reason))


def by_key(named: list[tuple[str, str]]) -> pl.DataFrame:
    """Give a frame of keys and reasons, ordered by key."""
    return pl.DataFrame(named, CORRUPT_SCHEMA, orient="row").sort(KEY)
