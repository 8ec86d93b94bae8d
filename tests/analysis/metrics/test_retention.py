from collections.abc import Callable, Sequence
from datetime import date

import polars as pl
import pytest

from analysis.engines.protocol import Engine
from analysis.errors import AnalysisError
from analysis.metrics.range import Range
from analysis.metrics.retention import retention
from tests.support.event_rows import RANGE, Event, at, check, event, raw_of

EngineOf = Callable[[Sequence[Event]], Engine]

DAY = 86400
SCHEMA = {"cohort": pl.Date, "period": pl.Int64, "visitors": pl.Int64, "active": pl.Int64, "share": pl.Float64}


class TestRetention:
    def test_days(self, engine_of: EngineOf) -> None:
        """A visitor is active once a day at most; a day on which nobody is has no row."""
        engine = engine_of(
            [
                *(event(seconds, client="a") for seconds in (0, 1, 2 * DAY - 1, 3 * DAY)),
                *(event(seconds, client="b") for seconds in (DAY - 1, 3 * DAY)),
                *(event(seconds, user="a") for seconds in (DAY, 2 * DAY)),
                event(0),
            ]
        )
        rows = [
            (date(2026, 11, 2), 0, 2, 2, 1.0),
            (date(2026, 11, 2), 1, 2, 1, 0.5),
            (date(2026, 11, 2), 3, 2, 2, 1.0),
            (date(2026, 11, 3), 0, 1, 1, 1.0),
            (date(2026, 11, 3), 1, 1, 1, 1.0),
        ]
        check(retention(engine, RANGE), SCHEMA, rows)

    def test_months(self, engine_of: EngineOf) -> None:
        """By the zone's first of the month; over the end of a year, too."""
        engine = engine_of([event(0, client="a"), event(60 * DAY, client="a"), event(28 * DAY - 1, client="b")])
        within = Range(RANGE.start, at(70 * DAY), zone="Asia/Kathmandu")
        rows = [(date(2026, 11, 1), 0, 2, 2, 1.0), (date(2026, 11, 1), 2, 2, 1, 0.5)]
        check(retention(engine, within, "month"), SCHEMA, rows)

    def test_weeks_begin_on_monday(self, engine_of: EngineOf) -> None:
        """The last second of Sunday is of the week before."""
        engine = engine_of(
            [
                *(event(seconds, client="a") for seconds in (7 * DAY - 1, 7 * DAY, 21 * DAY)),
                *(event(seconds, client="b") for seconds in (0, 6 * DAY)),
            ]
        )
        rows = [
            (date(2026, 11, 2), 0, 2, 2, 1.0),
            (date(2026, 11, 2), 1, 2, 1, 0.5),
            (date(2026, 11, 2), 3, 2, 1, 0.5),
        ]
        check(retention(engine, RANGE, "week"), SCHEMA, rows)

    def test_the_first_event_is_that_of_the_range(self, engine_of: EngineOf) -> None:
        """Whatever was before."""
        engine = engine_of([event(0, client="a"), event(DAY, client="a")])
        check(retention(engine, Range(at(1), RANGE.end)), SCHEMA, [(date(2026, 11, 3), 0, 1, 1, 1.0)])

    def test_cohorts_of_the_first_visit(self, engine_of: EngineOf) -> None:
        """The event must say so: who came before is in no cohort, and an earlier event does not count."""
        history = [
            event(0, client="old", first=False),
            event(DAY, client="old", first=False),
            event(0, client="unknown"),
            *(event(seconds, client="new", first=True) for seconds in (DAY, DAY + 1)),
            event(3 * DAY, client="new", first=False),
            event(0, client="late", first=False),
            event(DAY, client="late", first=True),
            event(0, first=True),
        ]
        engine = engine_of(history)
        rows = [(date(2026, 11, 3), 0, 2, 2, 1.0), (date(2026, 11, 3), 2, 2, 1, 0.5)]
        check(retention(engine, RANGE, cohort="first_visit"), SCHEMA, rows)
        rows = [(date(2026, 11, 2), 0, 2, 2, 1.0)]
        check(retention(engine, RANGE, "week", "first_visit"), SCHEMA, rows)
        in_range = retention(engine, RANGE, cohort="range")
        assert in_range.equals(retention(engine, RANGE))
        assert in_range.select("cohort", "period", "visitors").row(0) == (date(2026, 11, 2), 0, 3)

    def test_another_cohort_is_an_error(self) -> None:
        """Which says what there is."""
        with pytest.raises(AnalysisError, match="cohort must be one of range, first_visit, not 'first'"):
            retention(raw_of([]), RANGE, cohort="first")  # type: ignore[arg-type]

    def test_without_visitors_there_are_no_rows(self, engine_of: EngineOf) -> None:
        """Of the same columns and types."""
        check(retention(engine_of([event(0)]), RANGE), SCHEMA, [])

    def test_another_grain_is_an_error(self) -> None:
        """Which says what there is."""
        with pytest.raises(AnalysisError, match="grain must be one of day, week, month, not 'year'"):
            retention(raw_of([]), RANGE, "year")  # type: ignore[arg-type]
