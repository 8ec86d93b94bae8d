"""The page Visitors: who came, and the events of one visitor in order."""

from collections.abc import Sequence
from functools import partial

import polars as pl

from analysis.dashboard.events import Shown
from analysis.dashboard.pages.compared import compared
from analysis.dashboard.pages.live import OPEN_EVENT, OPEN_VISITOR
from analysis.dashboard.pages.page import LIMITS, Page, limit_of
from analysis.dashboard.pages.places import PLACE, place_of, place_text
from analysis.dashboard.panel import Figure, Panel, Query, Table
from analysis.errors import AnalysisError
from analysis.metrics.overview import key_figures, visitor_types
from analysis.metrics.visitors import visitor_events, visitors

__all__ = ["VISITORS", "visitor_list"]

ALL = ("visitors", "sessions", "visitor_conversion")
ONE = ("first_event", "last_event", "events", "sessions", "checkout_completes")
ORDERED = ("orders", "revenue")
FILTERS = {"category": "category", "product_name": "product", "device": "device", "country": "country"}
LISTED = ("event_timestamp", "event_name", "session_id", "user_login_state", "user_id")
PRODUCT = ("product_name", "product_id", "category", "brand", "price", "discount_price")
DERIVED = ("page_path", "search_term", "acquisition_channel", "device", "browser", "country")


def panels(shown: Shown) -> Sequence[Panel]:
    """Give the panels: of all visitors, or of the one that is open."""
    if not shown.view.option("person", ""):
        return [
            *(Panel(name, "figure", partial(_all, shown, name)) for name in ALL),
            Panel("types", "table", partial(_types, shown), is_wide=True),
            Panel("list", "table", partial(_list, shown), is_wide=True),
        ]
    orders = ORDERED if shown.engine.has_orders else ()
    return [
        *(Panel(f"one_{name}", "figure", partial(_one, shown, name)) for name in (*ONE, *orders)),
        Panel("events", "table", partial(_events, shown), is_wide=True),
    ]


def _all(shown: Shown, name: str) -> Figure:
    query = Query(key_figures)
    return Figure(name, shown.frame(query), query, shown.frame_before(query))


def _types(shown: Shown) -> Table:
    query = Query(visitor_types)
    frame = compared(shown, query, ["visitor_type"], "visitors")
    return Table(frame, query, filters={"visitor_type": "visitor"}, bars="visitors")


def _list(shown: Shown) -> Table:
    return visitor_list(shown, Query(visitors, {"orders": shown.engine.has_orders}))


def visitor_list(shown: Shown, every: Query, note: pl.DataFrame | None = None) -> Table:
    """List a page of visitors, the latest first, each with a link to their events.

    Args:
        shown: The events.
        every: A metric with the columns and the order of `visitors`, without `limit` and `after`.
        note: As in `Table`.

    Raises:
        AnalysisError: The place in the list is wrong, or the metric raises it.
    """
    limit, after = limit_of(shown), place_of(shown.view.option(PLACE, ""), 3)
    query, longer = (
        Query(every.metric, {"limit": rows, "after": after, **every.arguments}) for rows in (limit, limit + 1)
    )
    # One more than is shown says whether there is a page after it.
    found = shown.frame(longer)
    frame = found.head(limit)
    place = ("last_event", "visitor_kind", "visitor")
    following = place_text(frame.select(place).row(-1)) if found.height > limit else ""
    first = ("visitor", "visitor_kind")
    shown_first = frame.select(*first, pl.exclude(first))
    return Table(shown_first, query, links={"visitor": OPEN_VISITOR}, following=following, note=note)


def _chosen(shown: Shown) -> tuple[str, str]:
    """Give kind and id of the visitor that is open. Raises AnalysisError."""
    text = shown.view.option("person", "")
    kind, _, visitor = text.partition(" ")
    if kind not in {"client", "user"} or not visitor:
        raise AnalysisError(f"person is {text!r}: write client or user, a space, and the id")
    return kind, visitor


def _one(shown: Shown, name: str) -> Figure:
    """Give one figure of the visitor who is open; nothing if they have no event in the range."""
    kind, visitor = _chosen(shown)
    query = Query(visitors, {"orders": shown.engine.has_orders})
    own = (pl.col("visitor_kind") == kind) & (pl.col("visitor") == visitor)
    frame = shown.frame(query).filter(own)
    currency = frame["currency"][0] if frame.height and "currency" in frame.columns else None
    return Figure(name, frame, query, currency=currency)


def _events(shown: Shown) -> Table:
    """List a page of the visitor's events, the earliest first."""
    kind, visitor = _chosen(shown)
    limit, derived = limit_of(shown), shown.engine.has_derived
    after = place_of(shown.view.option(PLACE, ""), 2)
    arguments = {"visitor": visitor, "kind": kind, "after": after, "derived": derived}
    found = shown.frame(Query(visitor_events, {"limit": limit + 1, **arguments}))
    frame = found.head(limit)
    following = place_text(frame.select("event_timestamp", "event_id").row(-1)) if found.height > limit else ""
    columns = (*LISTED, *(DERIVED if derived else ()), *PRODUCT, "event_id")
    query = Query(visitor_events, {"limit": limit, **arguments})
    links = {"event_timestamp": OPEN_EVENT, "event_name": OPEN_EVENT}
    return Table(frame, query, columns, FILTERS, links=links, following=following, kinds={"event_timestamp": "second"})


VISITORS = Page("visitors", panels, {"limit": LIMITS, "person": (), PLACE: ()})
