"""The events that a view shows, of its range and of the one it is compared with: filtered, and kept for a while."""

from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from analysis.dashboard.filters import FILTERS, FilteredEvents
from analysis.dashboard.panel import Query
from analysis.dashboard.periods import Grain, earlier, grain_of, periods
from analysis.dashboard.view import View
from analysis.dashboard.work.kept import Kept
from analysis.engines.completeness import first_incomplete_hour
from analysis.engines.protocol import Engine
from analysis.engines.warehouse import WarehouseEvents
from analysis.errors import AnalysisError
from analysis.history import read_history
from analysis.metrics.range import Range
from analysis.raw.sample import Sample, read_sample
from analysis.rows.selection import DAY

__all__ = ["Place", "Shown"]

Answer = TypeVar("Answer")

KEPT = 6  # ranges that stay open
ANSWERS = 300  # of a range, under all filters
CHECKED = 12  # results of long checks, which are small
REST = 10  # no more than about a tenth of the time goes into checking the same again
FRESH_SECONDS = 60
# A range of the present is read again sooner if it is short, since reading a long one takes longer.
LEAST_FRESH, FRESH_PER_DAY = 5, 5
ANSWER_SECONDS = 5


@dataclass(frozen=True)
class Opened:
    """The events of a range without filters, and the answers that they gave, also under filters."""

    engine: Engine
    answers: Kept[pl.DataFrame] = field(default_factory=lambda: Kept(ANSWERS))


class Place:
    """Where the events are. Threads may share one object.

    Attributes:
        source: The raw bucket; None if only the warehouse is asked.
        dw_url: The warehouse; None without one.
        lake: The lake, as `read_history` takes it.
        fresh_seconds: After how long a range of the present is read again; a short one is read again sooner.
    """

    def __init__(
        self,
        source: str | Path | None,
        dw_url: str | None,
        *,
        lake: str | bool = True,
        fresh_seconds: float = FRESH_SECONDS,
    ) -> None:
        if source is None and dw_url is None:
            raise AnalysisError("there are neither raw events nor a warehouse: name --source or --dw")
        self.source, self.dw_url, self.lake, self.fresh_seconds = source, dw_url, lake, fresh_seconds
        self._opened: Kept[Opened] = Kept(KEPT)
        self._checked: Kept[Any] = Kept(CHECKED, REST)
        self._warehouse = WarehouseEvents(dw_url) if source is None and dw_url is not None else None

    @property
    def is_warehouse(self) -> bool:
        """Whether figures come from the warehouse."""
        return self._warehouse is not None

    def sample(self) -> Sample | None:
        """Which of the events are made up; None if all are real."""
        return None if self.source is None else read_sample(self.source)

    def reasons(self) -> dict[str, str]:
        """Say what this place cannot do, and why: filters, `bots` and `clock` by name."""
        if self._warehouse is None:
            return {}
        found = {name: reason for name, chosen in FILTERS.items() if (reason := chosen.reason(self._warehouse))}
        return found | {
            "bots": "the warehouse has no user agent, so its figures count bots",
            "clock": "the warehouse knows only when an event was received",
        }

    def first_incomplete_hour(self, within: Range) -> datetime | None:
        """Ask the reconciler's record for the first incomplete hour of a range; None if nobody can say."""
        if self.dw_url is None:
            return None
        # A warehouse that is away must not take the figures, which may come from raw.
        with suppress(AnalysisError):
            return first_incomplete_hour(WarehouseEvents(self.dw_url, ANSWER_SECONDS), within.start, within.end)
        return None

    def forget(self) -> None:
        """Read every range again when it is next asked for."""
        self._opened.forget()
        self._checked.forget()

    def opened(self, within: Range, view: View) -> Opened:
        """Open the events of a range, without filters.

        Raises:
            AnalysisError: They cannot be read, or the place lacks what the view needs.
            Stopped: A stop was asked for while they were read.
        """
        if self._warehouse is not None:
            if view.clock == "occurred":
                raise AnalysisError(f"events cannot count when they occurred: {self.reasons()['clock']}")
            return Opened(self._warehouse)  # whose rows may change at any time
        key = within.start, within.end, view.clock, view.bots
        return self._opened.get(key, lambda: Opened(self._read(within, view)), self._fresh(within, within.end))

    def checked(self, name: Hashable, within: Range, make: Callable[[], Answer]) -> Answer:
        """Give the result of a long check of a range, whatever the filters are, or make it."""
        # What arrives within a day of a range may still count for it.
        fresh = self._fresh(within, within.end + DAY)
        answer: Answer = self._checked.get((name, within.start, within.end, within.zone), make, fresh)
        return answer

    def _fresh(self, within: Range, final: datetime) -> float | None:
        """Say how many seconds a range stays as it was read; None from the instant on at which it is final."""
        if final < datetime.now(UTC):
            return None
        return min(self.fresh_seconds, LEAST_FRESH + FRESH_PER_DAY * ((within.end - within.start) // DAY))

    def _read(self, within: Range, view: View) -> Engine:
        assert self.source is not None  # noqa: S101  # else the warehouse is asked
        whole = replace(within, login_state=None)
        history = read_history(
            self.source, self.dw_url, whole, view.clock, bots=view.bots, lake=self.lake, derived=True, load=True
        )
        return history.raw


@dataclass(frozen=True)
class Shown:
    """The events of a view, which its page asks for figures. Each query runs once, also for later views of the range.

    Attributes:
        place: Where the events are.
        view: The view.
        within: The range.
        now: The instant at which the view is shown.
    """

    place: Place
    view: View
    within: Range
    now: datetime
    _answers: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, place: Place, view: View, now: datetime) -> "Shown":
        """Give the events of a view at an instant. Nothing is read yet."""
        return cls(place, view, view.within(now), now)

    @cached_property
    def opened(self) -> Opened:
        """The events of the range. Raises AnalysisError."""
        return self.place.opened(self.within, self.view)

    @cached_property
    def engine(self) -> Engine:
        """The events of the range, filtered. Raises AnalysisError."""
        return FilteredEvents(self.opened.engine, dict(self.view.filters))

    @cached_property
    def before(self) -> "Shown | None":
        """The events of the range that this one is compared with; None without a comparison."""
        range_ = earlier(self.within, self.view.comparison)
        return None if range_ is None else Shown(self.place, self.view, range_, self.now)

    @cached_property
    def complete_until(self) -> datetime:
        """All events before this instant are there.

        With a warehouse, this is at most the start of the first hour of the range that the reconciler has found
        incomplete. An event may still arrive for a day after it occurred, so by that clock the last day is never
        complete.
        """
        until = self.place.first_incomplete_hour(self.within)
        known = self.now if until is None else min(self.now, until)
        return known - (DAY if self.view.clock == "occurred" else timedelta(0))

    def at(self, within: Range) -> "Shown":
        """Give the events of another range under the same filters."""
        return Shown(self.place, self.view, within, self.now)

    def grain(self) -> Grain:
        """The grain that the page's option asks for, or that suits the range."""
        return grain_of(self.within, self.view.option("grain", "auto"))

    def frame(self, query: Query) -> pl.DataFrame:
        """Compute a query of this range, or give its result again. Raises AnalysisError."""
        key = query.key, self.view.filters, self.within.login_state, self.within.zone

        def compute() -> pl.DataFrame:
            return query.metric(self.engine, self.within, **query.arguments)

        return self.once(query.key, lambda: self.opened.answers.get(key, compute, None))

    def once(self, name: str, make: Callable[[], Answer]) -> Answer:
        """Compute something for several panels, or give its result again."""
        if name not in self._answers:
            self._answers[name] = make()
        answer: Answer = self._answers[name]
        return answer

    def frame_before(self, query: Query) -> pl.DataFrame | None:
        """Compute a query of the range that this one is compared with; None without a comparison."""
        return None if self.before is None else self.before.frame(query)

    def periods(self, grain: Grain) -> pl.DataFrame:
        """List the periods of the range, and say which are complete."""
        return periods(self.within, grain, self.complete_until)

    def over_time(
        self, query: Query, grain: Grain, value: pl.Expr, empty: int | None = 0, where: pl.Expr | None = None
    ) -> pl.DataFrame:
        """Give one value for each period of the range, and of the range that it is compared with.

        Args:
            query: A metric with the column `period`.
            grain: The grain that the metric was given.
            value: The value of a row.
            empty: The value of a period without a row.
            where: The rows that count; by default all. There is at most one for each period.

        Returns:
            One row per period: `period`, `period_end`, `is_complete`, `value`, and `previous`: the value of the period
            at the same place of the other range, null without one. Order: period.
        """
        own = self._course(query, grain, value, empty, where)
        if self.before is None:
            return own.with_columns(previous=pl.lit(None, own.schema["value"]))
        other = self.before._course(query, grain, value, empty, where)  # noqa: SLF001  # of the same class
        place = pl.int_range(pl.len()).alias("place")
        before = other.select(place, previous="value")
        return own.with_columns(place).join(before, on="place", how="left", maintain_order="left").drop("place")

    def _course(
        self, query: Query, grain: Grain, value: pl.Expr, empty: int | None, where: pl.Expr | None
    ) -> pl.DataFrame:
        rows = self.frame(query)
        found = (rows if where is None else rows.filter(where)).select("period", value=value)
        joined = self.periods(grain).join(found, on="period", how="left", maintain_order="left")
        return joined if empty is None else joined.with_columns(pl.col("value").fill_null(empty))
