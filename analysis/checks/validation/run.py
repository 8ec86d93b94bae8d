"""Runs a validation: describes each object, then runs every check."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from analysis.checks.validation.clocks import clock_checks
from analysis.checks.validation.content import content_checks
from analysis.checks.validation.identity import identity_checks, stray_check
from analysis.checks.validation.objects import KNOWN, SCHEMA, describe, unreadable_check
from analysis.checks.validation.prices import other_decimals_check, price_checks
from analysis.checks.validation.report import ValidationReport
from analysis.checks.validation.senders.bots import bot_checks
from analysis.checks.validation.senders.publishers import publisher_check
from analysis.checks.validation.sequences import gaps_of, sequence_checks
from analysis.checks.validation.visits import visit_checks
from analysis.checks.validation.warehouse.comparison import Evidence, compare
from analysis.checks.validation.warehouse.rows import erased_check, hours, rows_in
from analysis.engines.horizon import horizon_of
from analysis.engines.warehouse import WarehouseEvents
from analysis.metrics.range import Range
from analysis.metrics.zone import default_zone
from analysis.prices import checked_decimals, other_decimals
from analysis.raw.objects import batches, objects_of
from analysis.raw.partitions import covering_hours, hour_prefixes
from analysis.raw.sample import read_sample
from analysis.raw.source import Source, open_source
from analysis.raw.strays import strays
from analysis.raw.tombstones import read_tombstones
from analysis.rows.fields import KEY
from analysis.rows.reader import read_hours

__all__ = ["LOOKBACK", "SETTLE", "first_of_each_event", "validate"]

# Lambda tries a failed delivery again after one minute, and after two more: by then an event has its row.
SETTLE = timedelta(minutes=5)
LOOKBACK = timedelta(hours=24)
FIELDS = (KEY, "received_at", "sent_event_timestamp", "tab_id", "seq")


def validate(
    source: str | Path,
    dw_url: str | None,
    start: datetime,
    end: datetime,
    zone: str | None = None,
    *,
    settle: timedelta = SETTLE,
    lookback: timedelta = LOOKBACK,
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

    Returns:
        The report. Nothing is written anywhere. An object that may not be read is a finding, and the rest is checked.

    Raises:
        AnalysisError: Raw or the warehouse cannot be read, a time is not aware, or the end is before the start.
    """
    Range(start, end)  # refuses what is no range
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    cut = datetime.now(UTC) - settle
    until = max(start, min(end, cut))
    warehouse = None if dw_url is None else WarehouseEvents(dw_url)
    decimals = checked_decimals(None) if warehouse is None else warehouse.price_decimals
    # Before the objects: so each of these rows has its object by the time that objects are read.
    rows = None if warehouse is None else rows_in(warehouse, start, until)
    # After the rows: `retain` records the horizon before it deletes any.
    horizon = None if warehouse is None else horizon_of(warehouse)
    # The span from here to `until` is compared with the warehouse.
    kept = start if horizon is None else max(start, min(horizon, until))
    unreadable: dict[str, str] = {}
    opened = open_source(source, unreadable.__setitem__)
    prefixes = hour_prefixes(start, end)
    described = _described(opened, prefixes, decimals)
    is_here = ~_is_of_its_hour() | pl.col("received_at").is_between(start, end, closed="left")
    objects, others = described.filter(is_here), described.filter(~is_here)
    young = objects.filter(pl.col("seen_at") >= cut)
    earlier = pl.concat(
        [_near(source, _before(start, lookback), decimals), others.filter(pl.col("received_at") < start).select(KNOWN)]
    )
    events = _judged(objects, young, earlier)
    tombstones = read_tombstones(open_source(source))
    people = events if tombstones is None else tombstones.of_others(events)
    found = strays(open_source(source, unreadable.setdefault), prefixes)
    compared = [] if tombstones is None else [erased_check(events, people)]
    elsewhere, orphans, event_ids = objects.clear(), None, None
    if warehouse is not None and rows is not None:
        is_kept = pl.col("event_timestamp") >= kept
        comparison = compare(
            Evidence(
                source=source,
                start=kept,
                end=until,
                cut=cut,
                prefixes=[*hour_prefixes(*_before(start, lookback)), *prefixes],
                strays=[stray.key for stray in found if stray.key.endswith("/")],
                rows=rows.filter(is_kept),
                objects=pl.concat([described.filter(pl.col("corrupt").is_null()).select(KNOWN), earlier]),
                events=events.filter(is_kept),
                stored_at=opened.last_modified,
                unreadable=frozenset(unreadable),
                price_decimals=decimals,
            ),
            warehouse,
            people.filter(is_kept),
        )
        compared += [*comparison.checks, other_decimals_check(decimals, other_decimals(decimals))]
        elsewhere, orphans = comparison.elsewhere, comparison.orphans
        event_ids = pl.concat([comparison.event_ids, events.filter(~is_kept)["event_id"]])
        young = pl.concat([young, comparison.young])
        events = _judged(objects, young, earlier)
    judged = objects.join(young, on="key", how="anti")
    known = pl.concat([earlier, young.select(KNOWN), others.select(KNOWN)])
    if not gaps_of(events, known).is_empty():
        # Only then: a number that is missing may have arrived after the range.
        known = pl.concat([known, _near(source, _after(end, lookback), decimals)])
    checks = [
        *([unreadable_check(unreadable)] if unreadable else []),
        *compared,
        stray_check(found),
        *identity_checks(judged, events, earlier, elsewhere),
        *content_checks(events),
        publisher_check(events),
        *price_checks(events, decimals),
        *clock_checks(events, zone or default_zone()),
        *sequence_checks(events, known, orphans),
        *visit_checks(events),
        *bot_checks(events),
    ]
    account, sample = hours(objects, young, events, event_ids), read_sample(source, start, end)
    return ValidationReport(str(source), rows is not None, start, end, account, checks, sample, cut, lookback, horizon)


def first_of_each_event(objects: pl.DataFrame) -> pl.DataFrame:
    """Leave out rejects and duplicates: of each event id, keep the object received first, then with the lowest key."""
    sent = objects.filter(pl.col("corrupt").is_null())
    return sent.sort("event_timestamp", "key").unique("event_id", keep="first", maintain_order=True)


def _judged(objects: pl.DataFrame, young: pl.DataFrame, earlier: pl.DataFrame) -> pl.DataFrame:
    """Choose the events that are judged: first received in the range, and not young."""
    settled = objects.join(young, on="key", how="anti", maintain_order="left")
    return first_of_each_event(settled).join(earlier, on="event_id", how="anti", maintain_order="left")


def _described(source: Source, prefixes: Sequence[str], price_decimals: int) -> pl.DataFrame:
    parts = (
        describe(zip(*batch, strict=True), source.last_modified, price_decimals)
        for batch in batches(objects_of(source, prefixes))
    )
    return pl.concat([pl.DataFrame(schema=SCHEMA), *parts])


def _near(source: str | Path, span: tuple[datetime, datetime], price_decimals: int) -> pl.DataFrame:
    """Read the objects of hours before or after the range, with the columns KNOWN."""
    read = read_hours(
        source,
        *span,
        fields=FIELDS,
        keep_duplicates=True,
        on_error="report",
        price_decimals=price_decimals,
    )
    return read.frame.rename({"sent_event_timestamp": "sent_at"}).select(KNOWN)


def _is_of_its_hour() -> pl.Expr:
    """Whether an object lies in the partition of its receipt: only such an object may be left out by its time."""
    return (pl.col("received_at").dt.truncate("1h") == pl.col("partition")).fill_null(value=False)


def _before(start: datetime, lookback: timedelta) -> tuple[datetime, datetime]:
    """Give the hours before the range: they end with the hour in which it starts."""
    end, _ = covering_hours(start, start)
    return min(end, start - lookback), end


def _after(end: datetime, lookback: timedelta) -> tuple[datetime, datetime]:
    """Give the hours after the range, up to now: they start with the end of the hour in which it ends."""
    _, start = covering_hours(end - timedelta(microseconds=1), end)
    now = datetime.now(UTC)
    return start, start if start >= now else max(start, min(end + lookback, now))
