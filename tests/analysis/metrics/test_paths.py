from collections.abc import Callable, Sequence

import polars as pl
import pytest

from analysis.engines.protocol import Engine
from analysis.errors import AnalysisError
from analysis.metrics.paths import paths
from tests.support.event_rows import RANGE, Event, check, event, raw_of

EngineOf = Callable[[Sequence[Event]], Engine]

SCHEMA = {"from_event": pl.String, "to_event": pl.String, "transitions": pl.Int64, "share": pl.Float64}


class TestPaths:
    def test_what_follows_in_the_session(self, engine_of: EngineOf) -> None:
        """Of the same moment, by id; the last event leads nowhere, and no path leaves a session."""
        engine = engine_of(
            [
                *(event(0, name, session="s") for name in ("a", "b", "a", "b", "a", "Z")),
                *(event(1, name, session="t") for name in ("a", "é")),
                *(event(2, name) for name in ("a", "c")),
            ]
        )
        rows = [("a", "b", 2, 0.5), ("b", "a", 2, 1.0), ("a", "Z", 1, 0.25), ("a", "é", 1, 0.25)]
        check(paths(engine, RANGE), SCHEMA, rows)
        check(paths(engine, RANGE, limit=3), SCHEMA, rows[:3])

    def test_automatic_clicks_are_left_out_unless_they_are_asked_for(self, engine_of: EngineOf) -> None:
        """Events with only clicks between them are neighbours; a session of clicks leads nowhere."""
        names = ("click", "a", "click", "click", "b", "click")
        engine = engine_of([*(event(0, name, session="s") for name in names), event(0, "click", session="t")])
        check(paths(engine, RANGE), SCHEMA, [("a", "b", 1, 1.0)])
        rows = [("click", "a", 1, 1 / 3), ("click", "b", 1, 1 / 3), ("click", "click", 1, 1 / 3)]
        with_clicks = [("a", "click", 1, 1.0), ("b", "click", 1, 1.0), *rows]
        check(paths(engine, RANGE, clicks=True), SCHEMA, with_clicks)

    def test_without_sessions_there_are_none(self, engine_of: EngineOf) -> None:
        """Of the same columns and types."""
        check(paths(engine_of([event(0), event(1)]), RANGE), SCHEMA, [])

    def test_a_negative_limit_is_an_error(self) -> None:
        """Before the engine is asked."""
        with pytest.raises(AnalysisError, match="not -1"):
            paths(raw_of([]), RANGE, limit=-1)
