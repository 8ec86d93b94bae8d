"""Runs a validation: describes each object, then runs every check."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

import polars as pl

from analysis.checks.validation.agreement import agreement_check
from analysis.checks.validation.clocks import clock_checks
from analysis.checks.validation.content import content_checks
from analysis.checks.validation.decimals import other_decimals_check, rounding_check
from analysis.checks.validation.finding import Check
from analysis.checks.validation.identity import identity_checks
from analysis.checks.validation.objects import SCHEMA, describe, unreadable_check
from analysis.checks.validation.rows import erased_check, hours, row_checks, row_ids
from analysis.checks.validation.sequences import sequence_checks
from analysis.checks.validation.visits import visit_checks
from analysis.metrics.engine import WarehouseEvents
from analysis.metrics.zone import default_zone
from analysis.prices import checked_decimals, other_decimals
from analysis.raw.partitions import covering_hours, hour_of
from analysis.raw.sample import Sample, read_sample
from analysis.raw.source import open_source
from analysis.raw.tombstones import read_tombstones
from analysis.rows.reader import read_objects

__all__ = ["ValidationReport", "first_of_each_event", "validate"]

BATCH = 10_000
_CHECKS_SCHEMA = {
    "check": pl.String,
    "severity": pl.String,
    "findings": pl.Int64,
    "observed": pl.String,
    "expected": pl.String,
    "advice": pl.String,
}


@dataclass(frozen=True)
class ValidationReport:
    """The outcome of a validation.

    Attributes:
        source: The raw bucket.
        has_warehouse: Whether raw was compared with a warehouse. If not, the checks of rows did not run.
        start: The first hour, UTC.
        end: The hour after the last, UTC.
        hours: What became of each hour's objects, as `rows.hours` gives it.
        checks: Every check that ran.
        sample: Which of the events are made up; None if all are real.
    """

    source: str
    has_warehouse: bool
    start: datetime
    end: datetime
    hours: pl.DataFrame
    checks: list[Check]
    sample: Sample | None = None

    @property
    def is_passed(self) -> bool:
        """Whether every check passed."""
        return all(check.is_passed for check in self.checks)

    def as_frame(self) -> pl.DataFrame:
        """Give one row per check: `check`, `severity`, `findings` (how many), `observed`, `expected`, `advice`."""
        rows = [
            (check.name, check.severity, len(check.findings), check.observed, check.expected, check.advice)
            for check in self.checks
        ]
        return pl.DataFrame(rows, _CHECKS_SCHEMA, orient="row")


def validate(
    source: str | Path, dw_url: str | None, start: datetime, end: datetime, zone: str | None = None
) -> ValidationReport:
    """Validate the events received from `start` to `end`.

    Args:
        source: The raw bucket: `s3://bucket`, or a directory.
        dw_url: The warehouse's libpq URL; None to check raw only.
        start: The first moment, aware. Raw is compared with the warehouse partition by partition, and partitions are
            hours in UTC: the span is widened to the hours that cover it.
        end: The moment after the last, aware.
        zone: The IANA name of the time zone whose days `moved_days` means. By default `CLICKSTREAM_ZONE`, else UTC.

    Returns:
        The report. Nothing is written anywhere. An object that may not be read is a finding, and the rest is checked.

    Raises:
        AnalysisError: Raw or the warehouse cannot be read, a time is not aware, or the end is before the start.
    """
    start, end = covering_hours(start, end)
    warehouse = None if dw_url is None else WarehouseEvents(dw_url)
    decimals = checked_decimals(None) if warehouse is None else warehouse.price_decimals
    unreadable: list[dict[str, object]] = []
    read = read_objects(
        source, start, end, on_unreadable=lambda key, reason: unreadable.append({"key": key, "reason": reason})
    )
    batches = (describe(batch, decimals) for batch in _batches(read))
    objects = pl.concat([pl.DataFrame(schema=SCHEMA), *batches])
    events = first_of_each_event(objects)
    tombstones = read_tombstones(open_source(source))
    others = events if tombstones is None else tombstones.of_others(events)
    rows = None if warehouse is None else row_ids(warehouse, events, start, end)
    compared = [] if tombstones is None else [erased_check(events, others)]
    compared += (
        [] if rows is None else row_checks(others, rows, start, end, {hour_of(str(each["key"])) for each in unreadable})
    )
    # If objects cannot be read, or rows are missing or surplus, metrics differ for that reason alone.
    is_comparable = not unreadable and not any(check.findings for check in compared)
    if warehouse is not None and rows is not None and is_comparable:
        compared.append(agreement_check(source, warehouse, rows, start, end))
    if warehouse is not None:
        compared.append(other_decimals_check(decimals, other_decimals(decimals)))
    checks = [
        *([unreadable_check(unreadable)] if unreadable else []),
        *compared,
        *identity_checks(objects, events),
        *content_checks(events, decimals),
        rounding_check(events, decimals),
        *clock_checks(events, zone or default_zone()),
        *sequence_checks(events),
        *visit_checks(events),
    ]
    sample = read_sample(source, start, end)
    return ValidationReport(str(source), rows is not None, start, end, hours(objects, events, rows), checks, sample)


def first_of_each_event(objects: pl.DataFrame) -> pl.DataFrame:
    """Leave out rejects and duplicates: of each event id, keep the object received first, then with the lowest key."""
    sent = objects.filter(pl.col("corrupt").is_null())
    return sent.sort("event_timestamp", "key").unique("event_id", keep="first", maintain_order=True)


def _batches(objects: Iterable[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    iterator = iter(objects)
    while batch := list(islice(iterator, BATCH)):
        yield batch
