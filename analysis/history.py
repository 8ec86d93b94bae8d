"""A history to look at: the raw events of a range, and the warehouse that holds them too, if there is one."""

from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.engines.compacted import CompactedEvents
from analysis.engines.raw import RawEvents
from analysis.errors import AnalysisError
from analysis.lake.derived import SOURCES
from analysis.lake.reading.compacted import compacted_of
from analysis.metrics.range import HISTORY_DAYS, LoginState, Range, span
from analysis.metrics.zone import default_zone
from analysis.place import require_events, source_of, warehouse_of
from analysis.raw.partitions import hour_prefixes
from analysis.raw.sample import Sample, read_sample
from analysis.raw.source import open_source
from analysis.rows.bots import USER_AGENT
from analysis.rows.prices import checked_decimals, other_decimals
from analysis.rows.projection import Corrupt
from analysis.rows.reader import Events, OnError, Reading, by_key, read_events, read_in_parts, reporting
from analysis.rows.selection import DAY, ORDER, Clock, Selection
from analysis.rows.taken import Taken

if TYPE_CHECKING:
    from analysis.engines.warehouse import WarehouseEvents

__all__ = ["History", "open_history", "read_history"]

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class History:
    """The events of one range, ready for metrics.

    Attributes:
        source: The raw bucket.
        dw_url: The warehouse's URL; None without a warehouse.
        within: The range.
        reading: How the events were read, and the objects that are not events or could not be read.
        raw: The events, of every login state, for every metric.
        warehouse: The warehouse, for every metric but revenue; None without a URL.
        sample: Which of the events are made up; None if all are real.
        price_decimals: How many decimals the prices keep: as many as the warehouse's, if it can be asked.
        bots: Whether the events of crawlers, headless browsers and monitors are among `events` and `raw`.
        lake: The lake that may stand in for raw, as `read_history` takes it.
        occurred: The events, if they count by when they occurred; else None, and `raw` alone holds the events.
    """

    source: str | Path
    dw_url: str | None
    within: Range
    reading: Reading
    raw: RawEvents | CompactedEvents
    warehouse: "WarehouseEvents | None"
    sample: Sample | None = None
    price_decimals: int = 0
    bots: bool = True
    lake: str | bool = True
    occurred: Events | None = None

    @cached_property
    def events(self) -> Events:
        """The raw events of the range, with the field `order`: all in memory, which metrics over `raw` do not need."""
        if self.occurred is not None:
            return self.occurred
        return Events(self.raw.frame(), **vars(self.reading), orders_before=self.raw.orders_before)

    @property
    def rule(self) -> str:
        """Say in words by which clock events count, and how far the range looks back and ahead."""
        read = self.reading
        back = f"lookback {read.lookback / HOUR:g} h for events and orders that came before"
        if read.clock == "received":
            return f"each event counts when it was received; {back}"
        return (
            f"each event counts when it occurred, if it arrived by {read.lookahead / HOUR:g} h after the range; {back}"
        )

    def __repr__(self) -> str:
        read = self.reading
        lines = [f"{self.raw.count:,} events in {self.source}, {read.clock} from {self.within}", self.rule]
        if self.sample:
            lines.append(f"includes {self.sample}")
        if not self.bots:
            lines.append("without the events of bots in raw; the warehouse has them")
        lines.append(f"login state: {self.within.login_state or 'all'}")
        lines.append("warehouse: yes" if self.warehouse else "warehouse: none; name one, or start the local stack")
        if unreadable := read.unreadable.height:
            lines.append(f"{unreadable:,} objects could not be read, so every figure lacks them: see events.unreadable")
        if (here := other_decimals(self.price_decimals)) is not None:
            lines.append(f"prices: {self.price_decimals} decimals, as in the warehouse; PRICE_DECIMALS is {here} here")
        if corrupt := read.corrupt.height:
            lines.append(f"{corrupt:,} objects are not events: see 01_validation")
        return "\n".join(lines)


def open_history(
    source: str | None = None,
    warehouse: str | None = None,
    start: str | datetime | None = None,
    end: str | datetime | None = None,
    login_state: LoginState | None = None,
    zone: str | None = None,
    clock: Clock = "received",
    *,
    on_error: OnError = "raise",
    bots: bool = True,
    derived: bool = False,
    lake: str | bool = True,
) -> History:
    """Open the events that a notebook looks at. This only reads.

    Args:
        source: The raw bucket: `s3://bucket`, or a bucket's directory. By default the bucket that `RAW_BUCKET_NAME`
            names in S3, else that of the local stack, which need not run.
        warehouse: The URL of the warehouse. By default `DW_URL`, else the local stack's if it runs.
        start: First moment, of `zone` unless it says otherwise. By default 28 days before the end.
        end: Moment after the last one, of `zone` unless it says otherwise. By default the end of the current hour.
        login_state: Metrics count only events of this login state. By default they count all.
        zone: The IANA name of the time zone whose hours, days and weeks count. By default `CLICKSTREAM_ZONE`, else UTC.
        clock: Metrics over raw count events when they were `received`, as the warehouse does, or when they `occurred`.
        on_error: As in `read_history`.
        bots: Keep the events of crawlers, headless browsers and monitors in raw. The warehouse has them in any case.
        derived: Read the derived columns of docs/derived.md too, which metrics of pages, devices and acquisition need.
            Reading from raw then takes longer; from the lake it costs nothing.
        lake: The lake, whose hours are used instead of raw's where they hold the same: a directory or `glue`. By
            default the one that `LAKE` names, else that of the local stack, if it is there. False for raw only.

    Returns:
        The history; read again to see events that came later.

    Raises:
        AnalysisError: There are no events, the bucket cannot be read, or an argument is wrong.
    """
    place = source_of(source)
    require_events(place)
    there = zone or default_zone()
    within = Range(*span(start, end, HISTORY_DAYS, there), login_state, there)
    dw_url = warehouse_of(warehouse, place)
    return read_history(place, dw_url, within, clock, on_error=on_error, bots=bots, derived=derived, lake=lake)


def read_history(
    source: str | Path,
    dw_url: str | None,
    within: Range,
    clock: Clock = "received",
    lookback: timedelta = DAY,
    lookahead: timedelta = DAY,
    *,
    on_error: OnError = "raise",
    bots: bool = True,
    derived: bool = False,
    lake: str | bool = True,
    taken: Taken | None = None,
    load: bool = False,
) -> History:
    """Read the events of a range.

    Args:
        source: `s3://bucket`, or a bucket's directory.
        dw_url: The URL of the warehouse, or None.
        within: The range.
        clock: `received` for the events that were received in the range, `occurred` for the events that occurred in it.
        lookback: How long before the range an event may have been received first, as in `read_events`.
        lookahead: How long after the range an event may arrive that occurred in it, as in `read_events`.
        on_error: As in `read_events`. With `report`, every figure lacks the objects that could not be read, so the
            history says how many there are.
        bots: Keep the events of crawlers, headless browsers and monitors in raw. The warehouse has them in any case.
        derived: Read the derived columns of docs/derived.md too, which metrics of pages, devices and acquisition need.
            Reading from raw then takes longer; from the lake it costs nothing.
        lake: The lake, whose hours are used instead of raw's where they hold the same: a directory or `glue`. By
            default the one that `LAKE` names, else that of the local stack, if it is there. False for raw only.
        taken: Hours that were read from raw before, as `validate` reads them. Only the clock `received` uses them.
        load: Copy the events that the lake has into a temporary file first, as those of raw are. This pays from about
            five metrics on.

    Returns:
        The history, which is empty if the range holds no events.

    Raises:
        AnalysisError: The bucket cannot be read, or the URL is not one.
    """
    warehouse = None if dw_url is None else _warehouse(dw_url)
    decimals = _decimals(warehouse)
    sample = read_sample(source, within.start, within.end)
    if clock == "received":
        reading, raw = _received(
            source, within, lookback, on_error, decimals, bots=bots, derived=derived, lake=lake, taken=taken, load=load
        )
        return History(source, dw_url, within, reading, raw, warehouse, sample, decimals, bots, lake)
    # When an event occurred depends on all events of its client, so all are in memory.
    events = read_events(
        source,
        within.start,
        within.end,
        fields=[ORDER, *(SOURCES if derived else ())],
        lookback=lookback,
        clock=clock,
        lookahead=lookahead,
        on_error=on_error,
        price_decimals=decimals,
        bots=bots,
        lake=lake,
    )
    reading = Reading(**{each.name: getattr(events, each.name) for each in fields(Reading)})
    return History(source, dw_url, within, reading, RawEvents(events), warehouse, sample, decimals, bots, lake, events)


def _received(
    source: str | Path,
    within: Range,
    lookback: timedelta,
    on_error: OnError,
    decimals: int,
    *,
    bots: bool,
    derived: bool,
    lake: str | bool,
    taken: Taken | None,
    load: bool,
) -> tuple[Reading, RawEvents | CompactedEvents]:
    """Read the events that were received in a range: what the lake does not have goes into a temporary file."""
    corrupt: list[Corrupt] = []
    unreadable: list[tuple[str, str]] = []
    opened = open_source(source, reporting(on_error, unreadable))
    selection = Selection(within.start, within.end, lookback)
    raw: RawEvents | CompactedEvents
    if compacted := compacted_of(source, opened, lake, decimals):
        raw = CompactedEvents(compacted, opened, selection, decimals, taken, bots=bots, derived=derived, load=load)
        corrupt = raw.corrupt
    else:
        names = (ORDER, *(SOURCES if derived else (USER_AGENT,)))
        parts = read_in_parts(opened, selection, names, corrupt, decimals, None, taken)
        raw = RawEvents.of_parts(parts, within.start, decimals, bots=bots, derived=derived)
    if taken is not None:
        unreadable += taken.unreadable_of(hour_prefixes(*selection.before) + hour_prefixes(within.start, within.end))
    return Reading(by_key(corrupt), by_key([*dict(unreadable).items()]), decimals, lookback=lookback), raw


def _warehouse(dw_url: str) -> "WarehouseEvents":
    # Imported here, because PostgreSQL's client takes a tenth of a second, and many readers have no warehouse.
    from analysis.engines.warehouse import WarehouseEvents

    return WarehouseEvents(dw_url)


def _decimals(warehouse: "WarehouseEvents | None") -> int:
    """Give the decimals of the warehouse's prices, or of the environment if no warehouse answers."""
    if warehouse is not None:
        with suppress(AnalysisError):
            return warehouse.price_decimals
    return checked_decimals(None)
