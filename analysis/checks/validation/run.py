"""Runs a validation: describes each object, then runs every check."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from analysis.checks.validation.clocks import clock_checks
from analysis.checks.validation.content import content_checks
from analysis.checks.validation.evidence.described import Described, Known, stored_rows
from analysis.checks.validation.evidence.judged import judge
from analysis.checks.validation.evidence.parts import Parts
from analysis.checks.validation.evidence.spool import Spool
from analysis.checks.validation.finding import Check
from analysis.checks.validation.identity import identity_checks, stray_check
from analysis.checks.validation.objects import KNOWN, PLACED, ROW, SCHEMA, unreadable_check
from analysis.checks.validation.prices import other_decimals_check, price_checks
from analysis.checks.validation.report import ValidationReport
from analysis.checks.validation.senders.bots import bot_checks
from analysis.checks.validation.senders.publishers import first_event_only, publisher_check
from analysis.checks.validation.sequences import has_gaps, sequence_checks
from analysis.checks.validation.visits import visit_checks
from analysis.checks.validation.warehouse.comparison import Evidence, compare
from analysis.checks.validation.warehouse.rows import erased_check, hours
from analysis.engines.completeness import completeness_of
from analysis.engines.horizon import horizon_of
from analysis.engines.warehouse import WarehouseEvents
from analysis.lake.reading.compacted import compacted_of
from analysis.metrics.range import Range
from analysis.metrics.zone import default_zone
from analysis.raw.partitions import covering_hours, hour_prefixes
from analysis.raw.sample import read_sample
from analysis.raw.source import open_source
from analysis.raw.strays import strays
from analysis.raw.tombstones import PEOPLE, Tombstones, read_tombstones
from analysis.rows.prices import checked_decimals, other_decimals
from analysis.rows.taken import Taken
from command_line.progress import progress

__all__ = ["LOOKBACK", "SETTLE", "validate"]

# Lambda tries a failed delivery again after one minute, and after two more: by then an event has its row.
SETTLE = timedelta(minutes=5)
LOOKBACK = timedelta(hours=24)


def validate(
    source: str | Path,
    dw_url: str | None,
    start: datetime,
    end: datetime,
    zone: str | None = None,
    *,
    settle: timedelta = SETTLE,
    lookback: timedelta = LOOKBACK,
    lake: str | bool = True,
    taken: Taken | None = None,
) -> ValidationReport:
    """Validate the events received from `start` to `end`.

    An event that was received or stored within the last `settle` is not judged: its row may still be on its way. Its
    object counts as `not_yet_judged`.

    Args:
        source: The raw bucket: `s3://bucket`, or a directory.
        dw_url: The warehouse's libpq URL; None to check raw only.
        start: The start, aware.
        end: The end, aware, excluded.
        zone: The time zone whose days events may have moved; by default `CLICKSTREAM_ZONE`, else UTC.
        settle: How long an event may take from its receipt to its row in the warehouse.
        lookback: How long before `start` an event may have been received first that is received again in the range;
            and how long after `end` an event may be received whose number is missing in the range.
        lake: The lake, which gives the hours that it holds as raw holds them, as in `read_events`.
        taken: Takes the hours of the range and before it that are read from raw.

    Returns:
        The report. Nothing is written anywhere. An object that may not be read is a finding, and the rest is checked.

    Raises:
        AnalysisError: Raw or the warehouse cannot be read, a time is not aware, or the end is before the start.
    """
    Range(start, end)  # refuses what is no range
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    with Spool() as spool:
        return _validate(
            spool, source, dw_url, Span(start, end, datetime.now(UTC) - settle, lookback), zone, lake, taken
        )


@dataclass(frozen=True)
class Span:
    """The range, UTC; since when (`cut`) events are not judged; and how far to look around the range."""

    start: datetime
    end: datetime
    cut: datetime
    lookback: timedelta

    @property
    def until(self) -> datetime:
        """The instant up to which events are judged."""
        return max(self.start, min(self.end, self.cut))

    @property
    def before(self) -> tuple[datetime, datetime]:
        """The hours before the range: they end with the hour in which it starts."""
        end, _ = covering_hours(self.start, self.start)
        return min(end, self.start - self.lookback), end

    @property
    def after(self) -> tuple[datetime, datetime]:
        """The hours after the range, up to now: they start with the end of the hour in which it ends."""
        _, start = covering_hours(self.end - timedelta(microseconds=1), self.end)
        now = datetime.now(UTC)
        return start, start if start >= now else max(start, min(self.end + self.lookback, now))


def _validate(
    spool: Spool,
    source: str | Path,
    dw_url: str | None,
    span: Span,
    zone: str | None,
    lake: str | bool,  # noqa: FBT001  # the argument of readers
    taken: Taken | None,
) -> ValidationReport:
    """Validate as `validate` does, with this place for what was read."""
    start, end = span.start, span.end
    warehouse = None if dw_url is None else WarehouseEvents(dw_url)
    decimals = checked_decimals(None) if warehouse is None else warehouse.price_decimals
    # Before the objects: so each of these rows has its object by the time that objects are read.
    rows = spool.rows(pl.Schema(ROW))
    if warehouse is not None:
        rows.add_all(stored_rows(warehouse, start, span.until))
    # After the rows: `retain` records the horizon before it deletes any.
    horizon = None if warehouse is None else horizon_of(warehouse)
    # The span from here to `until` is compared with the warehouse.
    kept = start if horizon is None else max(start, min(horizon, span.until))
    unreadable: dict[str, str] = {}
    opened = open_source(source, unreadable.__setitem__ if taken is None else taken.noting(unreadable))
    prefixes = hour_prefixes(start, end)
    compacted = compacted_of(source, opened, lake, decimals)
    described = Described(opened, decimals, compacted, taken)
    read = spool.rows(pl.Schema(SCHEMA | PLACED))
    for part in described.of(prefixes):
        read.add(_placed(part, span, read.count))
    objects = read.parts().where(pl.col("is_here"))
    others = spool.kept(read.parts().where(~pl.col("is_here")), SCHEMA | PLACED)
    earlier_hours = Known(source, decimals, compacted, taken)
    later_hours = Known(source, decimals, compacted)
    before = spool.rows(pl.Schema({name: SCHEMA[name] for name in KNOWN}))
    before.add_all(earlier_hours.of(*span.before))
    earlier = before.parts() + others.where(pl.col("received_at") < start).select(*KNOWN)
    events, repeated = judge(objects, earlier)
    tombstones = read_tombstones(open_source(source))
    erased = None if tombstones is None else _erased(events, tombstones)
    found = strays(open_source(source, unreadable.setdefault), prefixes)
    compared = [] if erased is None else [erased_check(erased)]
    elsewhere, orphans, lacking = pl.DataFrame(schema=SCHEMA), None, None
    if warehouse is not None:
        is_kept = pl.col("event_timestamp") >= kept
        comparison = compare(
            Evidence(
                source=source,
                start=kept,
                end=span.until,
                cut=span.cut,
                prefixes=[*hour_prefixes(*span.before), *prefixes],
                strays=[stray.key for stray in found if stray.key.endswith("/")],
                rows=rows.parts().where(is_kept),
                objects=read.parts().where(pl.col("corrupt").is_null()).select(*KNOWN) + before.parts(),
                events=events.where(is_kept),
                others=(events if erased is None else events.without(erased["key"])).where(is_kept),
                unreadable=frozenset(unreadable),
                price_decimals=decimals,
            ),
            warehouse,
            spool.rows(pl.Schema(ROW)),
        )
        compared += [*comparison.checks, other_decimals_check(decimals, other_decimals(decimals))]
        elsewhere, orphans, lacking = comparison.elsewhere, comparison.orphans, comparison.lacking
        if not comparison.young.is_empty():
            is_young = pl.col("is_young") | pl.col("key").is_in(comparison.young.implode())
            objects = objects.with_columns(is_young=is_young)
            events, repeated = judge(objects, earlier)
    young = spool.kept(objects.where(pl.col("is_young")).select(*KNOWN), {name: SCHEMA[name] for name in KNOWN})
    around = earlier + young + others.select(*KNOWN)
    if has_gaps(events, around):
        # Only then: a number that is missing may have arrived after the range.
        after = spool.rows(pl.Schema({name: SCHEMA[name] for name in KNOWN}))
        after.add_all(later_hours.of(*span.after))
        around += after.parts()
    checks = [*([unreadable_check(unreadable)] if unreadable else []), *compared, stray_check(found)]
    first_only = first_event_only(events)
    steps: tuple[Callable[[], list[Check]], ...] = (
        lambda: identity_checks(objects, events, repeated, elsewhere),
        lambda: content_checks(events),
        lambda: [publisher_check(events, first_only)],
        lambda: price_checks(events, decimals),
        lambda: clock_checks(events, zone or default_zone()),
        lambda: sequence_checks(events, around, orphans),
        lambda: visit_checks(events, first_only),
        lambda: bot_checks(events, described.address_of),
    )
    with progress("checking events", len(steps)) as advance:
        for step in steps:
            checks += step()
            advance(1)
    account, sample = hours(objects, repeated["key"], lacking), read_sample(source, start, end)
    return ValidationReport(
        str(source),
        warehouse is not None,
        start,
        end,
        account,
        checks,
        sample,
        span.cut,
        span.lookback,
        horizon,
        described.lake_hours + earlier_hours.lake_hours + later_hours.lake_hours,
        None if warehouse is None else completeness_of(warehouse, start, end),
    )


def _placed(objects: pl.DataFrame, span: Span, number: int) -> pl.DataFrame:
    """Number objects, and say which of them belong to the range, and which of these are too young to be judged."""
    # Only an object that lies in the partition of its receipt may be left out by its time.
    is_of_its_hour = (pl.col("received_at").dt.truncate("1h") == pl.col("partition")).fill_null(value=False)
    is_here = ~is_of_its_hour | pl.col("received_at").is_between(span.start, span.end, closed="left")
    is_young = (pl.col("seen_at") >= span.cut).fill_null(value=False)
    numbers = pl.int_range(number, number + pl.len(), dtype=pl.UInt32)
    return objects.with_columns(number=numbers, is_here=is_here, is_young=is_young)


def _erased(events: Parts, tombstones: Tombstones) -> pl.DataFrame:
    """Give `key` and `event_id` of the events of erased people, in the order of receipt."""
    parts = events.frames("event_timestamp", "key", "event_id", *PEOPLE)
    theirs = (part.join(tombstones.of_others(part), on="key", how="anti") for part in parts)
    return pl.concat(list(theirs)).sort("event_timestamp", "key").select("key", "event_id")
