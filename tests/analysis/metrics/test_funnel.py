from collections.abc import Callable, Sequence
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.engines.protocol import Engine
from analysis.errors import AnalysisError
from analysis.metrics.funnel import Order, funnel, funnel_dropped, funnel_times
from tests.support.event_rows import RANGE, Event, check, event, raw_of
from tests.support.histories import histories

EngineOf = Callable[[Sequence[Event]], Engine]

SCHEMA = {
    "step": pl.Int64,
    "event_name": pl.String,
    "visitors": pl.Int64,
    "from_first": pl.Float64,
    "from_previous": pl.Float64,
    "dropped": pl.Int64,
}
TIMES = {
    "step": pl.Int64,
    "event_name": pl.String,
    "visitors": pl.Int64,
    "median_time": pl.Float64,
    "p90_time": pl.Float64,
}
ORDERS: list[Order] = ["ordered", "strict", "any"]


def of(visitor: str, *names: str, every: float = 1, **columns: Any) -> list[Event]:
    """A visitor's events, one after the other."""
    return [event(place * every, name, client=visitor, **columns) for place, name in enumerate(names)]


def visitors(engine: Engine, steps: Sequence[str], **arguments: Any) -> list[int]:
    return funnel(engine, RANGE, steps, **arguments)["visitors"].to_list()


class TestFunnel:
    def test_the_checkout(self, engine_of: EngineOf) -> None:
        """Each visitor counts once per step; those without a name count for none."""
        names = ("product_view", "add_to_cart_click", "checkout_start", "checkout_complete")
        engine = engine_of(
            [
                *of("a", *names, *names),
                *of("b", "product_view", "click", "add_to_cart_click"),
                *of("c", "product_view"),
                event(0, "product_view", user="c"),
                event(0, "product_view"),
                *of("d", *names[1:]),
            ]
        )
        rows = [
            (1, names[0], 4, 1.0, None, None),
            (2, names[1], 2, 0.5, 0.5, 2),
            (3, names[2], 1, 0.25, 0.5, 1),
            (4, names[3], 1, 0.25, 1.0, 0),
        ]
        check(funnel(engine, RANGE), SCHEMA, rows)

    @pytest.mark.parametrize("order", ORDERS)
    def test_without_events_all_steps_are_listed(self, engine_of: EngineOf, order: Order) -> None:
        """There is nothing to divide by; groups have no row."""
        names = (None, None) if order == "any" else ("b", "a")
        rows = [(1, names[0], 0, None, None, None), (2, names[1], 0, None, None, 0)]
        check(funnel(engine_of([]), RANGE, ["b", "a"], order=order), SCHEMA, rows)
        check(funnel(engine_of([]), RANGE, ["b", "a"], order=order, by="brand"), {"group": pl.String, **SCHEMA}, [])

    @pytest.mark.parametrize(("order", "reached"), [("ordered", [4, 3, 2]), ("strict", [4, 2, 1]), ("any", [5, 4, 3])])
    def test_orders(self, engine_of: EngineOf, order: Order, reached: list[int]) -> None:
        """Ordered allows others between the steps, strict does not, and any counts the names."""
        engine = engine_of(
            [
                *of("straight", "a", "b", "c"),
                *of("with others", "a", "x", "b", "a", "c"),
                *of("backwards", "c", "b", "a"),
                *of("no first", "b", "b"),
                *of("two", "a", "b"),
            ]
        )
        assert visitors(engine, ["a", "b", "c"], order=order) == reached

    @pytest.mark.parametrize("order", ORDERS)
    def test_the_window_is_inclusive(self, engine_of: EngineOf, order: Order) -> None:
        """And of the whole attempt, not from step to step."""
        engine = engine_of([*of("a", "a", "b", "c", every=30), *of("b", "a", "b", "c", every=30.000001)])
        assert visitors(engine, ["a", "b", "c"], order=order, window=60) == [2, 2, 1]
        assert visitors(engine, ["a", "b", "c"], order=order, window=0) == [2, 0, 0]

    @pytest.mark.parametrize("order", ORDERS)
    def test_a_later_attempt_may_get_further(self, engine_of: EngineOf, order: Order) -> None:
        """Where the window of the first one has ended."""
        engine = engine_of([event(0, "a", client="v"), event(50, "a", client="v"), event(100, "b", client="v")])
        assert visitors(engine, ["a", "b"], order=order, window=60) == [1, 1]

    @pytest.mark.parametrize("order", ["ordered", "strict"])
    def test_at_one_moment_the_ids_decide(self, engine_of: EngineOf, order: Order) -> None:
        """What comes first by id is first."""
        engine = engine_of([event(0, "b", 2, client="v"), event(0, "a", 1, client="v")])
        assert visitors(engine, ["a", "b"], window=0, order=order) == [1, 1]
        assert visitors(engine, ["b", "a"], window=0, order=order) == [1, 0]

    @pytest.mark.parametrize(
        ("order", "rows"),
        [
            ("ordered", [("Y", 1, 1), ("Y", 2, 1), ("unknown", 1, 1), ("unknown", 2, 0), ("x", 1, 2), ("x", 2, 1)]),
            ("strict", [("Y", 1, 1), ("Y", 2, 1), ("unknown", 1, 1), ("unknown", 2, 0), ("x", 1, 2), ("x", 2, 0)]),
            ("any", [("Y", 1, 1), ("Y", 2, 1), ("unknown", 1, 1), ("unknown", 2, 0), ("x", 1, 2), ("x", 2, 1)]),
        ],
    )
    def test_groups_are_of_an_attempts_first_event(self, engine_of: EngineOf, order: Order, rows: list[Any]) -> None:
        """A visitor counts in each group in which an attempt of theirs begins."""
        engine = engine_of(
            [
                event(0, "a", client="v", category="x"),
                event(1, "a", client="v", category="Y"),
                event(2, "b", client="v", category="Y"),
                *of("w", "a", "a", category="x"),
                *of("u", "a"),
            ]
        )
        frame = funnel(engine, RANGE, ["a", "b"], order=order, by="category")
        assert frame.columns == ["group", *SCHEMA]
        assert frame.select("group", "step", "visitors").rows() == rows

    def test_groups_of_brands_and_visitor_types(self, engine_of: EngineOf) -> None:
        """What is not known is a group too."""
        engine = engine_of([*of("v", "a", brand="x", first=True), *of("w", "a", first=False), *of("u", "a")])
        brands = funnel(engine, RANGE, ["a"], by="brand")
        types = funnel(engine, RANGE, ["a"], by="visitor_type")
        assert brands.select("group", "visitors").rows() == [("unknown", 2), ("x", 1)]
        assert types.select("group", "visitors").rows() == [("new", 1), ("returning", 1), ("unknown", 1)]

    @pytest.mark.parametrize(
        ("arguments", "problem"),
        [
            ({"steps": ["a", "b", "a"]}, "each step needs a different event name"),
            ({"steps": []}, "a funnel needs at least one step"),
            ({"window": -1}, "not -1"),
            ({"window": 2**62}, "a century"),
            ({"order": "first"}, "order must be one of ordered, strict, any, not 'first'"),
            ({"by": "user_id"}, "by must be one of None, category, .*, channel, .*, not 'user_id'"),
        ],
    )
    def test_what_makes_no_funnel_is_an_error(self, arguments: dict[str, Any], problem: str) -> None:
        """In one line that says why."""
        with pytest.raises(AnalysisError, match=problem):
            funnel(raw_of([]), RANGE, **arguments)

    @pytest.mark.slow
    @given(
        histories(),
        st.permutations(["product_view", "add_to_cart_click", "checkout_start", "checkout_complete"]),
        st.integers(1, 4),
        st.sampled_from([0, 1, 1800, 1801, 86400]),
        st.sampled_from([None, "category"]),
    )
    @settings(max_examples=30, deadline=None)
    def test_it_is_what_following_every_attempt_gives(
        self, history: list[Event], names: list[str], count: int, window: int, by: Any
    ) -> None:
        """For every order, step by step in Python."""
        raw = raw_of(history)
        for order in ORDERS:
            frame = funnel(raw, RANGE, names[:count], window=window, order=order, by=by)
            found = {(row[0] if by else None, row[-6]): row[-4] for row in frame.rows()}
            assert found == followed(history, names[:count], window * 1_000_000, order, by)


def followed(
    history: list[Event], steps: list[str], window: int, order: Order, by: str | None
) -> dict[tuple[str | None, int], int]:
    """The visitors of each group and step, from every attempt of every visitor, one after the other."""
    reached: dict[str | None, dict[tuple[str, str], int]] = {} if by else {None: {}}
    for visitor, events in by_visitor(history).items():
        for start, first in enumerate(events):
            if first["event_name"] not in (steps if order == "any" else steps[:1]):
                continue
            group = (first.get("context_product_category") or "unknown") if by else None
            furthest = reached.setdefault(group, {})
            furthest[visitor] = max(furthest.get(visitor, 0), steps_of(events[start:], steps, window, order))
    return {
        (group, step): sum(furthest >= step for furthest in of_visitors.values())
        for group, of_visitors in reached.items()
        for step in range(1, len(steps) + 1)
    }


def by_visitor(history: list[Event]) -> dict[tuple[str, str], list[Event]]:
    events: dict[tuple[str, str], list[Event]] = {}
    # A history's ids are its places, and sorting is stable.
    for one in sorted(history, key=lambda one: one["event_timestamp"]):
        for column in ("client_id", "user_id"):
            if one.get(column) is not None:
                events.setdefault((column, one[column]), []).append(one)
                break
    return events


def steps_of(events: list[Event], steps: list[str], window: int, order: Order) -> int:
    """How many steps the attempt reaches that begins at the first of the events; the window is in microseconds."""
    begin = events[0]["event_timestamp"]
    within = [one for one in events if (one["event_timestamp"] - begin).total_seconds() * 1_000_000 <= window]
    names = [one["event_name"] for one in within]
    if order == "any":
        return len(set(names) & set(steps))
    if order == "strict":
        return next(place for place, step in enumerate([*steps, None]) if names[place : place + 1] != [step])
    place = 0
    for name in names:
        if place < len(steps) and name == steps[place]:
            place += 1
    return place


class TestFunnelTimes:
    def test_the_shortest_time_of_each_visitor_counts(self, engine_of: EngineOf) -> None:
        """The median is between two visitors; nine tenths of two are both."""
        engine = engine_of(
            [*of("a", "x", "x", "y", every=5), *of("a", "x", "y", every=90), *of("b", "x", "y", every=7)]
        )
        rows = [(1, "x", 2, 0.0, 0.0), (2, "y", 2, 6.0, 7.0), (3, "z", 0, None, None)]
        check(funnel_times(engine, RANGE, ("x", "y", "z")), TIMES, rows)

    def test_nine_tenths_of_the_visitors(self, engine_of: EngineOf) -> None:
        """Of ten visitors the ninth, and of eleven the tenth."""
        visits = [event_ for n in range(1, 12) for event_ in of(f"v{n}", "x", "y", every=n)]
        for number, expected in ((10, 9.0), (11, 10.0)):
            engine = engine_of(visits[: 2 * number])
            assert funnel_times(engine, RANGE, ("x", "y"))["p90_time"].to_list() == [0.0, expected]

    def test_other_orders(self, engine_of: EngineOf) -> None:
        """In any order, step 2 is reached with the second name; strictly, nothing may come between."""
        engine = engine_of([*of("a", "y", "x", "q", "y"), *of("b", "x", "q", "y", every=3)])
        steps = ("x", "y")
        check(funnel_times(engine, RANGE, steps, order="any").tail(1), TIMES, [(2, None, 2, 3.5, 6.0)])
        assert funnel_times(engine, RANGE, steps, order="strict")["visitors"].to_list() == [2, 0]

    def test_groups(self, engine_of: EngineOf) -> None:
        """By the attempt's first event."""
        engine = engine_of([*of("a", "x", "y", login="logged_in"), *of("b", "x", "y", every=4)])
        rows = funnel_times(engine, RANGE, ("x", "y"), by="login_state").rows()
        assert [(row[0], row[1], row[4]) for row in rows] == [
            *(("logged_in", 1, 0.0), ("logged_in", 2, 1.0)),
            *(("unknown", 1, 0.0), ("unknown", 2, 4.0)),
        ]

    def test_groups_of_sessions(self) -> None:
        """The group of the session of the attempt's first event."""
        mail = "https://shop.example/?utm_medium=email"
        raw = raw_of([*of("a", "x", "y", session="s", page=mail), *of("b", "x")], derived=True)
        assert funnel(raw, RANGE, ("x", "y"), by="channel")["group"].to_list() == [*["Email"] * 2, *["unknown"] * 2]

    @pytest.mark.parametrize("order", ORDERS)
    @given(history=histories())
    @settings(max_examples=20, deadline=None)
    def test_as_many_visitors_as_the_funnel_counts(self, order: Order, history: list[Event]) -> None:
        """At each step, of each group; and as many drop as it says."""
        raw = raw_of(history)
        counted = funnel(raw, RANGE, window=1800, order=order)
        timed = funnel_times(raw, RANGE, window=1800, order=order)
        assert timed["visitors"].to_list() == counted["visitors"].to_list()
        dropped = [funnel_dropped(raw, RANGE, step, window=1800, order=order).height for step in (2, 3, 4)]
        assert dropped == counted["dropped"].to_list()[1:]


class TestFunnelDropped:
    def test_who_gets_no_further(self, engine_of: EngineOf) -> None:
        """The last seen first, with all that they did."""
        engine = engine_of(
            [*of("a", "x", "q"), *of("b", "x", "y"), *of("c", "x", "q", "q"), *of("d", "q"), event(0, "x")]
        )
        frame = funnel_dropped(engine, RANGE, 2, ("x", "y", "z"))
        assert frame.select("visitor", "events").rows() == [("c", 3), ("a", 2)]
        place = frame.select("last_event", "visitor_kind", "visitor").row(0)
        assert funnel_dropped(engine, RANGE, 2, ("x", "y", "z"), after=place)["visitor"].to_list() == ["a"]
        assert funnel_dropped(engine, RANGE, 3, ("x", "y", "z"), limit=5)["visitor"].to_list() == ["b"]

    @pytest.mark.parametrize("step", [1, 5])
    def test_a_step_at_which_nobody_can_drop_is_an_error(self, step: int) -> None:
        """The first one, and one that there is not."""
        with pytest.raises(AnalysisError, match=f"step must be a number from 2 to 4, not {step}"):
            funnel_dropped(raw_of([]), RANGE, step)
