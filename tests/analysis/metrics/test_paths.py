from collections.abc import Callable, Sequence
from typing import Any

import polars as pl
import pytest

from analysis.engines.protocol import Engine
from analysis.errors import AnalysisError
from analysis.metrics.paths import path_links, paths
from tests.support.event_rows import RANGE, Event, check, event, raw_of

EngineOf = Callable[[Sequence[Event]], Engine]

SCHEMA = {"from_event": pl.String, "to_event": pl.String, "transitions": pl.Int64, "share": pl.Float64}
LINKS = {"step": pl.Int64, "from_node": pl.String, "to_node": pl.String, "sessions": pl.Int64}


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


class TestPathLinks:
    @pytest.fixture
    def engine(self, engine_of: EngineOf) -> Engine:
        """Give two sessions: a b c b, with clicks and a repeated step, and a c."""
        names = ("a", "click", "a", "b", "click", "c", "b")
        return engine_of([*(event(0, name, session="s") for name in names), *(event(0, n, session="t") for n in "ac")])

    def test_from_the_beginning(self, engine: Engine) -> None:
        """Clicks are left out, a node that follows itself counts once, and the end of a session is null."""
        rows = [(1, "a", "b", 1), (1, "a", "c", 1), (2, "b", "c", 1), (2, "c", None, 1), (3, "c", "b", 1)]
        check(path_links(engine, RANGE, nodes="event"), LINKS, rows)
        check(path_links(engine, RANGE, steps=9, nodes="event"), LINKS, [*rows, (4, "b", None, 1)])
        check(path_links(engine, RANGE, limit=1, nodes="event"), LINKS, [rows[0], rows[2], rows[4]])

    def test_from_a_node(self, engine: Engine) -> None:
        """From its first place in each session that has it."""
        rows = [(1, "b", "c", 1), (2, "c", "b", 1), (3, "b", None, 1)]
        check(path_links(engine, RANGE, "b", nodes="event"), LINKS, rows)
        check(path_links(engine, RANGE, "click", nodes="event"), LINKS, [])

    def test_to_a_node(self, engine: Engine) -> None:
        """Back from its last place in each session; the beginning of a session is null."""
        rows = [(1, "c", "b", 1), (2, "b", "c", 1), (3, "a", "b", 1)]
        check(path_links(engine, RANGE, "b", "to", nodes="event"), LINKS, rows)
        last = [(1, "a", "c", 1), (1, "c", "b", 1), (2, "b", "c", 1), (2, None, "a", 1)]
        check(path_links(engine, RANGE, direction="to", steps=2, nodes="event"), LINKS, last)

    def test_pages(self) -> None:
        """An event without a page does not come between two."""
        pages = ("https://shop.example/", None, "https://shop.example/?x", "https://shop.example/cart")
        raw = raw_of([event(0, session="s", page=page) for page in pages], derived=True)
        check(path_links(raw, RANGE, "/"), LINKS, [(1, "/", "/cart", 1), (2, "/cart", None, 1)])

    @pytest.mark.parametrize(
        ("arguments", "problem"),
        [
            ({"direction": "back"}, "direction must be one of from, to, not 'back'"),
            ({"nodes": "product"}, "nodes must be one of page, event, not 'product'"),
            ({"steps": 0}, "steps must be a number of links, 1 or more, not 0"),
            ({"limit": -1}, "not -1"),
        ],
    )
    def test_a_wrong_argument_is_an_error(self, arguments: dict[str, Any], problem: str) -> None:
        """Before the engine is asked."""
        with pytest.raises(AnalysisError, match=problem):
            path_links(raw_of([]), RANGE, **arguments)
