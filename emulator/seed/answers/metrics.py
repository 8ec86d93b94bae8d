"""Computes the answer of every metric for a choice of arguments."""

from collections.abc import Callable, Iterable, Iterator
from itertools import product
from typing import Any, NamedTuple

from emulator.seed.answers.acquisition import SESSION_COLUMNS, revenue_by, search_terms, sessions_by, top_pages
from emulator.seed.answers.carts import carts, path_links, paths
from emulator.seed.answers.events import Events
from emulator.seed.answers.funnel import GROUPS, ORDERS, STEPS, WINDOW, funnel, funnel_dropped, funnel_times
from emulator.seed.answers.overview import (
    by_login_state,
    events_over_time,
    key_figures,
    key_figures_over_time,
    latest_product_events,
    overview,
    top_brands,
    top_categories,
    top_events,
    visitor_types,
)
from emulator.seed.answers.products import discount_effect, products
from emulator.seed.answers.revenue import revenue, revenue_by_category, revenue_by_product, revenue_over_time
from emulator.seed.answers.sessions import rebuilt_sessions, session_summary, sessions
from emulator.seed.answers.table import VIEW, Table
from emulator.seed.answers.visitors import latest_events, retention, visitor_events, visitors
from emulator.seed.record import Record

__all__ = ["LIMIT", "Answer", "answers"]

LIMIT = 10
GRAINS = ("minute", "hour", "day", "week", "month")

PLAIN: tuple[Callable[[Events], Table], ...] = (
    overview,
    key_figures,
    top_events,
    by_login_state,
    visitor_types,
    sessions,
    rebuilt_sessions,
    session_summary,
    discount_effect,
    carts,
    revenue,
)
LIMITED: tuple[Callable[[Events, int], Table], ...] = (
    top_categories,
    top_brands,
    latest_product_events,
    products,
    revenue_by_product,
    revenue_by_category,
    top_pages,
    search_terms,
)
OVER_TIME: tuple[tuple[Callable[[Events, str], Table], tuple[str, ...]], ...] = (
    (events_over_time, GRAINS),
    (key_figures_over_time, GRAINS),
    (revenue_over_time, GRAINS),
)


class Answer(NamedTuple):
    """The answer of one metric for some arguments, over the events of one login state (None: of all), by a clock."""

    metric: str
    arguments: dict[str, Any]
    login_state: str | None
    clock: str
    table: Table


def answers(
    records: Iterable[Record], login_state: str | None, zone: str = "UTC", clock: str = "received"
) -> Iterator[Answer]:
    """Yield every answer over these records.

    Args:
        records: Records of a history.
        login_state: Only the events of this login state count; None: all events.
        zone: The IANA name of the time zone whose hours and days count.
        clock: `received` or `occurred`.
    """
    events = Events(records, login_state, zone, clock)
    for name, arguments, answer in (*_all(), *_of_visitor(events)):
        yield Answer(name, arguments, login_state, clock, answer(events, **arguments))


def _all() -> Iterator[tuple[str, dict[str, Any], Callable[..., Table]]]:
    for plain in PLAIN:
        yield plain.__name__, {}, plain
    for limited in LIMITED:
        yield limited.__name__, {"limit": LIMIT}, limited
    for over_time, grains in OVER_TIME:
        for grain in grains:
            yield over_time.__name__, {"grain": grain}, over_time
    for clicks in (False, True):
        yield "paths", {"limit": LIMIT, "clicks": clicks}, paths
    for grain, cohort in product(("day", "week", "month"), ("range", "first_visit")):
        yield "retention", {"grain": grain, "cohort": cohort}, retention
    for order, by in product(ORDERS, GROUPS):
        yield "funnel", {"steps": STEPS, "window": WINDOW, "order": order, "by": by}, funnel
        yield "funnel_times", {"steps": STEPS, "window": WINDOW, "order": order, "by": by}, funnel_times
    for by in ("channel", "device"):
        yield "funnel", {"steps": STEPS, "window": WINDOW, "by": by}, funnel
        yield "funnel_times", {"steps": STEPS, "window": WINDOW, "by": by}, funnel_times
    for order, step in product(ORDERS, range(2, len(STEPS) + 1)):
        yield "funnel_dropped", {"step": step, "order": order, "limit": LIMIT}, funnel_dropped
    for by in SESSION_COLUMNS:
        yield "sessions_by", {"by": by, "limit": LIMIT}, sessions_by
        yield "revenue_by", {"by": by, "limit": LIMIT}, revenue_by
    for top in (top_categories, top_brands):
        yield top.__name__, {"limit": LIMIT, "unknown": True}, top
    for node, direction in product((None, "/", "/cart"), ("from", "to")):
        yield "path_links", {"node": node, "direction": direction, "steps": 3, "limit": LIMIT}, path_links
    for node, direction in product((None, VIEW), ("from", "to")):
        arguments = {"node": node, "direction": direction, "steps": 3, "limit": LIMIT, "nodes": "event"}
        yield "path_links", arguments, path_links
    for derived in (False, True):
        yield "latest_events", {"limit": LIMIT, "derived": derived}, latest_events
    for orders in (False, True):
        yield "visitors", {"limit": LIMIT, "orders": orders}, visitors


def _of_visitor(events: Events) -> Iterator[tuple[str, dict[str, Any], Callable[..., Table]]]:
    """Yield what is asked of the visitor with the most events."""
    if events.visitors:
        kind, visitor = max(events.visitors, key=lambda each: (len(events.visitors[each]), each))
        for derived in (False, True):
            arguments = {"visitor": visitor, "kind": kind, "limit": LIMIT, "derived": derived}
            yield "visitor_events", arguments, visitor_events
