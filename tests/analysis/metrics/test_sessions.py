from collections.abc import Callable, Sequence

import polars as pl

from analysis.engines.protocol import Engine
from analysis.metrics.sessions import rebuilt_sessions, session_summary, sessions
from tests.support.event_rows import RANGE, Event, at, check, event

EngineOf = Callable[[Sequence[Event]], Engine]

TIME = pl.Datetime("us", "UTC")
MEASURES = {
    "started_at": TIME,
    "ended_at": TIME,
    "duration": pl.Float64,
    "events": pl.Int64,
    "views": pl.Int64,
    "interactions": pl.Int64,
    "is_bounce": pl.Boolean,
    "is_engaged": pl.Boolean,
    "has_cart": pl.Boolean,
    "has_checkout_start": pl.Boolean,
    "has_purchase": pl.Boolean,
}
SESSIONS = {"session_id": pl.String, "visitor": pl.String, **MEASURES}
REBUILT = {"visitor": pl.String, "number": pl.Int64, **MEASURES}
SUMMARY = {
    "method": pl.String,
    "sessions": pl.Int64,
    "median_duration": pl.Float64,
    "average_duration": pl.Float64,
    "events_per_session": pl.Float64,
    "views_per_session": pl.Float64,
    "bounce_rate": pl.Float64,
    "engagement_rate": pl.Float64,
}
NOTHING = (False, False, False)


class TestSessions:
    def test_what_happens_in_a_session(self, engine_of: EngineOf) -> None:
        """Its visitor is that of its first event, by id where the moment is the same."""
        engine = engine_of(
            [
                event(0, "checkout_start", 9, session="s", client="late"),
                event(0, "home_view", 1, session="s", user="first"),
                event(0.1, "add_to_cart_click", session="s"),
                event(0.3, "checkout_complete", 0, session="s", client="late"),
                event(0.3),
            ]
        )
        rows = [("s", "first", at(0), at(0.3), 0.3, 4, 1, 3, False, True, True, True, True)]
        check(sessions(engine, RANGE), SESSIONS, rows)

    def test_a_first_event_without_visitor_gives_none(self, engine_of: EngineOf) -> None:
        """Though later ones have one."""
        engine = engine_of([event(0, session="s"), event(1, session="s", client="a")])
        assert sessions(engine, RANGE)["visitor"].to_list() == [None]

    def test_bounces(self, engine_of: EngineOf) -> None:
        """One view and nothing else; a click alone is no bounce."""
        engine = engine_of(
            [
                event(0, session="one view"),
                event(1, "click", session="one click"),
                event(2, session="view and click"),
                event(2, "click", session="view and click"),
            ]
        )
        frame = sessions(engine, RANGE)
        assert frame.select("session_id", "is_bounce", "duration").rows() == [
            ("one view", True, 0.0),
            ("one click", False, 0.0),
            ("view and click", False, 0.0),
        ]

    def test_engaged_sessions(self, engine_of: EngineOf) -> None:
        """Longer than 10 s, or two views, or a purchase."""
        engine = engine_of(
            [
                *(event(seconds, "click", session="10 s") for seconds in (0, 10)),
                *(event(seconds, "click", session="longer") for seconds in (0, 10.000001)),
                *(event(0, "category_view", session="two views") for _ in range(2)),
                event(0, "checkout_complete", session="purchase"),
                event(0, session="view"),
            ]
        )
        assert dict(sessions(engine, RANGE).select("session_id", "is_engaged").iter_rows()) == {
            "10 s": False,
            "longer": True,
            "two views": True,
            "purchase": True,
            "view": False,
        }

    def test_those_that_start_together_are_ordered_by_id(self, engine_of: EngineOf) -> None:
        """By code points."""
        engine = engine_of([event(1, session="a"), *(event(2, session=session) for session in ("é", "a b", "aB", "Z"))])
        assert sessions(engine, RANGE)["session_id"].to_list() == ["a", "Z", "a b", "aB", "é"]


class TestRebuiltSessions:
    def test_a_gap_of_half_an_hour_is_no_end(self, engine_of: EngineOf) -> None:
        """One of a microsecond more is, and event by event."""
        engine = engine_of(
            [
                event(0, client="a", session="s"),
                event(1800, client="a", session="t"),
                event(3600.000001, "click", client="a", session="t"),
                event(3600, session="s"),
            ]
        )
        rows = [
            ("a", 1, at(0), at(1800), 1800.0, 2, 2, 0, False, True, *NOTHING),
            ("a", 2, at(3600.000001), at(3600.000001), 0.0, 1, 0, 1, False, False, *NOTHING),
        ]
        check(rebuilt_sessions(engine, RANGE), REBUILT, rows)

    def test_a_client_and_a_user_of_one_text_are_two(self, engine_of: EngineOf) -> None:
        """The client comes first; a client keeps its sessions when it signs in."""
        engine = engine_of(
            [event(0, "click", user="a"), event(0, client="a"), event(1, client="a", user="u"), event(0, client="B")]
        )
        rows = [("B", 1, 1), ("a", 1, 2), ("a", 1, 1)]
        assert rebuilt_sessions(engine, RANGE).select("visitor", "number", "events").rows() == rows

    def test_without_visitors_there_are_none(self, engine_of: EngineOf) -> None:
        """Of the same columns and types."""
        check(rebuilt_sessions(engine_of([event(0, session="s")]), RANGE), REBUILT, [])


class TestSessionSummary:
    def test_both_methods(self, engine_of: EngineOf) -> None:
        """The median lies halfway between the middle two."""
        engine = engine_of(
            [
                event(0, session="s", client="a"),
                event(0.000001, "click", session="t", client="a"),
                event(3.000002, "click", session="t", client="a"),
            ]
        )
        rows = [
            ("session_id", 2, 1.5000005, 1.5000005, 1.5, 0.5, 0.5, 0.0),
            ("rebuilt", 1, 3.000002, 3.000002, 3.0, 1.0, 0.0, 0.0),
        ]
        check(session_summary(engine, RANGE), SUMMARY, rows)

    def test_without_sessions_there_is_nothing_to_divide_by(self, engine_of: EngineOf) -> None:
        """Two rows all the same."""
        rows = [(method, 0, *(None,) * 6) for method in ("session_id", "rebuilt")]
        check(session_summary(engine_of([]), RANGE), SUMMARY, rows)
