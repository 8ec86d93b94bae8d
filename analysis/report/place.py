"""The events of a report: of its range, which was read before, and of the range that it is compared with."""

from collections.abc import Callable, Hashable, Mapping
from datetime import datetime
from threading import Lock
from typing import TypeVar, cast

import polars as pl

from analysis.checks.validation.report import ValidationReport
from analysis.dashboard.events import Opened, Place
from analysis.dashboard.view import View
from analysis.engines.protocol import Engine
from analysis.history import History, read_history
from analysis.metrics.range import Range
from analysis.raw.sample import Sample
from analysis.rows.selection import OnError

__all__ = ["HistoryPlace"]

Answer = TypeVar("Answer")

MOST_ROWS = 10_000  # of an answer that is remembered; the longest lists are asked for once


class HistoryPlace(Place):
    """The place of a history. Every range is read once, in the same way, and every query of it runs once.

    Args:
        history: The events of the report's range, with the derived columns.
        validation: The validation of that range.
        on_error: As in `read_events`, for other ranges.
    """

    def __init__(self, history: History, validation: ValidationReport, on_error: OnError = "raise") -> None:
        super().__init__(history.source, history.dw_url, lake=history.lake)
        self._history, self._validation, self._on_error = history, validation, on_error
        self._read_ranges = {_span(history.within): Opened(Remembered(history.raw))}
        self._incomplete: dict[tuple[datetime, datetime], datetime | None] = {}
        self._reading = Lock()

    def sample(self) -> Sample | None:
        """Which events of the range are made up; None if all are real."""
        return self._history.sample

    def first_incomplete_hour(self, within: Range) -> datetime | None:
        """Ask the reconciler's record, once for each range."""
        if _span(within) not in self._incomplete:
            self._incomplete[_span(within)] = super().first_incomplete_hour(within)
        return self._incomplete[_span(within)]

    def opened(self, within: Range, view: View) -> Opened:
        """Give the events of a range. Raises AnalysisError."""
        with self._reading:  # of two threads, one reads
            if _span(within) not in self._read_ranges:
                self._read_ranges[_span(within)] = Opened(Remembered(self._history_of(within, view).raw))
            return self._read_ranges[_span(within)]

    def checked(self, name: Hashable, within: Range, make: Callable[[], Answer]) -> Answer:
        """Give the validation, which was made with the history."""
        return cast("Answer", self._validation) if name == "validate" else super().checked(name, within, make)

    def _history_of(self, within: Range, view: View) -> History:
        own = self._history
        return read_history(
            own.source,
            own.dw_url,
            within,
            view.clock,
            own.reading.lookback,
            on_error=self._on_error,
            bots=view.bots,
            derived=True,
            lake=own.lake,
            load=True,
        )


class Remembered:
    """An engine that runs a query once, and then gives the same frame again."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._answers: dict[tuple[str, str], pl.DataFrame] = {}
        self.has_orders, self.has_derived = engine.has_orders, engine.has_derived

    @property
    def price_decimals(self) -> int:
        """As of the engine."""
        return self._engine.price_decimals

    def query(self, sql: str, parameters: Mapping[str, object]) -> pl.DataFrame:
        """Run one query, as `Engine` says."""
        key = sql, repr(sorted(parameters.items()))
        if key in self._answers:
            return self._answers[key]
        answer = self._engine.query(sql, parameters)
        if answer.height <= MOST_ROWS:
            self._answers[key] = answer
        return answer


def _span(within: Range) -> tuple[datetime, datetime]:
    return within.start, within.end
