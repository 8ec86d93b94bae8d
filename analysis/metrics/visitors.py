"""Visitors and events one by one, in pages: who came, what one of them did, what happened last. See docs/metrics.md."""

from datetime import datetime
from typing import Literal, TypeAlias, get_args

import polars as pl

from analysis.engines.protocol import Engine
from analysis.errors import AnalysisError
from analysis.metrics.acquisition import check_derived
from analysis.metrics.arguments import check_choice, check_limit
from analysis.metrics.range import Range
from analysis.metrics.revenue import check_orders
from analysis.metrics.statement import statement
from analysis.rows.prices import amounts

__all__ = [
    "EventPlace",
    "VisitorKind",
    "VisitorPlace",
    "after_visitor",
    "latest_events",
    "visitor_events",
    "visitors",
]

VisitorKind: TypeAlias = Literal["client", "user"]
# Where a page of a list ends: the values of these columns in its last row.
EventPlace: TypeAlias = tuple[datetime, str]  # event_timestamp, event_id
VisitorPlace: TypeAlias = tuple[datetime, str, str]  # last_event, visitor_kind, visitor


def visitors(
    engine: Engine,
    within: Range,
    limit: int | None = None,
    after: VisitorPlace | None = None,
    *,
    orders: bool = False,
) -> pl.DataFrame:
    """List the visitors.

    Args:
        engine: Where to compute: `RawEvents` or `WarehouseEvents`. With `orders`, an engine with orders.
        within: The time range, and the login state.
        limit: The greatest number of rows; None for all.
        after: `last_event`, `visitor_kind` and `visitor` of the last row of the page before; None for the first page.
        orders: Add the columns `orders`, `currency` and `revenue`.

    Returns:
        One row per visitor: `visitor_kind` (`client` or `user`), `visitor`, `first_event` and `last_event` (UTC),
        `events`, `sessions`, `checkout_completes`. With `orders` also `orders`, `currency` (null if there are orders in
        several currencies, or no orders) and `revenue` (exact, Decimal(38, 18); null without one currency, or without a
        total). Order: last_event, latest first, then visitor_kind, visitor.

    Raises:
        AnalysisError: `limit` is negative, `after` is no place, or the engine has no orders.
    """
    check_limit(limit)
    relations = {"chosen_visitors": "visitors/measured"}
    if orders:
        check_orders(engine)
        relations = {"first_orders": "revenue/first_orders", "visitors": "visitors/measured"}
        relations["chosen_visitors"] = "visitors/with_orders"
    parameters = {**within.parameters, "limit": limit, **after_visitor(after)}
    return engine.query(statement("visitors/visitors", **relations), parameters).drop("visitor_key")


def visitor_events(
    engine: Engine,
    within: Range,
    visitor: str,
    kind: VisitorKind = "client",
    limit: int | None = None,
    after: EventPlace | None = None,
    *,
    derived: bool = False,
) -> pl.DataFrame:
    """List the events of one visitor, in order.

    Args:
        engine: Where to compute: `RawEvents` or `WarehouseEvents`. With `derived`, an engine with derived columns.
        within: The time range, and the login state.
        visitor: The `client_id`, or the `user_id` of a visitor without a client.
        kind: `client` or `user`, as in `visitors`.
        limit: The greatest number of rows; None for all.
        after: `event_timestamp` and `event_id` of the last row of the page before; None for the first page.
        derived: Add the columns that `latest_events` adds.

    Returns:
        The columns of `latest_events`. Order: event_timestamp, then event_id.

    Raises:
        AnalysisError: `kind` has another value, `limit` is negative, `after` is no place, or the engine has no derived
            columns.
    """
    check_choice("kind", kind, get_args(VisitorKind))
    place = {"visitor": f"{kind} {visitor}", **_place("after", after)}
    return _events(engine, within, "visitors/visitor_events", limit, place, derived=derived)


def latest_events(
    engine: Engine,
    within: Range,
    limit: int | None = None,
    before: EventPlace | None = None,
    *,
    derived: bool = False,
) -> pl.DataFrame:
    """List the latest events of every kind.

    Args:
        engine: Where to compute: `RawEvents` or `WarehouseEvents`. With `derived`, an engine with derived columns.
        within: The time range, and the login state.
        limit: The greatest number of rows; None for all.
        before: `event_timestamp` and `event_id` of the last row of the page before; None for the first page. Events
            that come in the meantime do not move the rows of later pages.
        derived: Add the columns `page_path`, `search_term`, `acquisition_channel`, `device`, `browser`, `country`.

    Returns:
        One row per event: `event_timestamp` (UTC), `event_id`, `event_name`, `client_id`, `user_id`,
        `user_login_state`, `session_id`, `product_id`, `product_name`, `category`, `brand`, `price`, `discount_price`.
        The two prices are amounts, as in `latest_product_events`. Order: event_timestamp, latest first, then event_id,
        highest first.

    Raises:
        AnalysisError: `limit` is negative, `before` is no place, or the engine has no derived columns.
    """
    return _events(engine, within, "visitors/latest_events", limit, _place("before", before), derived=derived)


def after_visitor(after: VisitorPlace | None) -> dict[str, object]:
    """Give the parameters of a page of visitors. Raises AnalysisError if the place is not one."""
    if after is None:
        return {"after_time": None, "after_kind": None, "after_visitor": None}
    time, kind, visitor = after
    check_choice("kind", kind, get_args(VisitorKind))
    return {"after_time": _aware("after", time), "after_kind": kind, "after_visitor": visitor}


def _events(
    engine: Engine, within: Range, metric: str, limit: int | None, place: dict[str, object], *, derived: bool
) -> pl.DataFrame:
    check_limit(limit)
    if derived:
        check_derived(engine, "a list of events with derived columns")
    text = statement(metric, derived, listed_events="visitors/derived_events" if derived else "visitors/listed_events")
    frame = engine.query(text, {**within.parameters, "limit": limit, **place}).drop("visitor", "tie_order")
    return amounts(frame, engine.price_decimals, "price", "discount_price")


def _place(name: str, place: EventPlace | None) -> dict[str, object]:
    if place is None:
        return {f"{name}_time": None, f"{name}_event": None}
    time, event_id = place
    return {f"{name}_time": _aware(name, time), f"{name}_event": event_id.lower()}


def _aware(name: str, time: datetime) -> datetime:
    if time.utcoffset() is None:
        raise AnalysisError(f"{name} needs a time with a time zone: take it from the last row of the page before")
    return time
