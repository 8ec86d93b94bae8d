"""Reads a range for a report: once, for its validation and for its figures."""

from pathlib import Path

import polars as pl

from analysis.checks.validation.evidence.spool import Spool
from analysis.checks.validation.report import ValidationReport
from analysis.checks.validation.run import validate
from analysis.history import History, read_history
from analysis.metrics.range import Range
from analysis.rows.selection import Clock, OnError
from analysis.rows.taken import TAKEN, Taken

__all__ = ["read_validated"]


def read_validated(
    source: str | Path,
    dw_url: str | None,
    within: Range,
    clock: Clock = "received",
    *,
    on_error: OnError = "raise",
    bots: bool = True,
    lake: str | bool = True,
) -> tuple[History, ValidationReport]:
    """Read a range with its derived columns, and validate it. Arguments and errors are as in `read_history`.

    No object is read twice, unless events count by when they occurred: then all of them are in memory, and validation
    reads them for itself.
    """
    span = within.start, within.end, within.zone
    if clock != "received":
        history = read_history(source, dw_url, within, clock, on_error=on_error, bots=bots, derived=True, lake=lake)
        return history, validate(source, dw_url, *span, lake=lake)
    with Spool() as spool:
        # First the validation, which reads the warehouse before raw.
        taken = Taken(spool.rows(pl.Schema(TAKEN)), on_error=on_error)
        report = validate(source, dw_url, *span, lake=lake, taken=taken)
        history = read_history(
            source, dw_url, within, on_error=on_error, bots=bots, derived=True, lake=lake, taken=taken, load=True
        )
        return history, report
