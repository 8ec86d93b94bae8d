"""Validation from beginning to end: each object is described, then every check runs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

import polars as pl

from analysis.checks.validation.agreement import agreement_check
from analysis.checks.validation.clocks import clock_checks
from analysis.checks.validation.content import content_checks
from analysis.checks.validation.finding import Check
from analysis.checks.validation.identity import identity_checks
from analysis.checks.validation.objects import SCHEMA, describe
from analysis.checks.validation.rows import erased_check, hours, row_checks, row_ids
from analysis.checks.validation.sequences import sequence_checks
from analysis.checks.validation.visits import visit_checks
from analysis.metrics.engine import WarehouseEvents
from analysis.raw.source import open_source
from analysis.raw.tombstones import read_tombstones
from analysis.rows.reader import read_objects

__all__ = ["ValidationReport", "first_of_each_event", "validate"]

BATCH = 10_000


@dataclass(frozen=True)
class ValidationReport:
    """What was validated and found; `hours` as `rows.hours` gives them. Without a warehouse there are no row checks."""

    source: str
    has_warehouse: bool
    start: datetime
    end: datetime
    hours: pl.DataFrame
    checks: list[Check]

    @property
    def is_passed(self) -> bool:
        """Whether every check is passed."""
        return all(check.is_passed for check in self.checks)


def validate(source: str | Path, dw_url: str | None, start: datetime, end: datetime) -> ValidationReport:
    """Validate the hours from `start` to `end`, the end excluded; aware, whole hours in UTC.

    Raises AnalysisError for a source or warehouse that cannot be read, and for a span of something else than hours.
    """
    batches = (describe(batch) for batch in _batches(read_objects(source, start, end)))
    objects = pl.concat([pl.DataFrame(schema=SCHEMA), *batches])
    events = first_of_each_event(objects)
    tombstones = read_tombstones(open_source(source))
    others = events if tombstones is None else tombstones.of_others(events)
    warehouse = None if dw_url is None else WarehouseEvents(dw_url)
    rows = None if warehouse is None else row_ids(warehouse, events, start, end)
    compared = [] if tombstones is None else [erased_check(events, others)]
    compared += [] if rows is None else row_checks(others, rows, start, end)
    # Where rows are missing or too many, metrics cannot but differ.
    if warehouse is not None and rows is not None and not any(check.findings for check in compared):
        compared.append(agreement_check(source, warehouse, rows, start, end))
    checks = [
        *compared,
        *identity_checks(objects, events),
        *content_checks(events),
        *clock_checks(events),
        *sequence_checks(events),
        *visit_checks(events),
    ]
    return ValidationReport(str(source), rows is not None, start, end, hours(objects, events, rows), checks)


def first_of_each_event(objects: pl.DataFrame) -> pl.DataFrame:
    """The events among the objects: no rejects, and of each event id the first received, then the lowest key."""
    sent = objects.filter(pl.col("corrupt").is_null())
    return sent.sort("event_timestamp", "key").unique("event_id", keep="first", maintain_order=True)


def _batches(objects: Iterable[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    iterator = iter(objects)
    while batch := list(islice(iterator, BATCH)):
        yield batch
