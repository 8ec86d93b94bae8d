"""Overview: how much happened, when, and to what. Definitions: docs/metrics.md."""

from typing import Literal, TypeAlias, get_args

import polars as pl

from analysis.metrics.arguments import check_choice, check_limit
from analysis.metrics.engine import Engine
from analysis.metrics.range import Range
from analysis.metrics.statement import statement

__all__ = [
    "TimeGrain",
    "by_login_state",
    "events_over_time",
    "latest_product_events",
    "overview",
    "top_brands",
    "top_categories",
    "top_events",
    "visitor_types",
]

TimeGrain: TypeAlias = Literal["hour", "day"]


def overview(engine: Engine, within: Range) -> pl.DataFrame:
    """Give one row that says how much happened.

    Columns: `events`, `visitors`, `clients`, `users`, `sessions`, `add_to_cart_clicks`, `checkout_completes`,
    `checkout_rate` = checkout_completes ÷ add_to_cart_clicks, `first_event`, `last_event` (null without events). The
    rate is after Plausible's conversion rate; an `add_to_cart_click` is a click, not a proven success of the shop's
    cart. Raises AnalysisError, as every metric does, if the events cannot be asked.
    """
    return engine.query(statement("overview/overview"), within.parameters)


def events_over_time(engine: Engine, within: Range, grain: TimeGrain = "day") -> pl.DataFrame:
    """Per hour or day in UTC with events: `period` (its start), `events`, `visitors`, `sessions`.

    Order: period. Raises AnalysisError for another grain.
    """
    check_choice("grain", grain, get_args(TimeGrain))
    return engine.query(statement("overview/events_over_time"), {**within.parameters, "grain": grain})


def top_events(engine: Engine, within: Range) -> pl.DataFrame:
    """Per event name: `event_name`, `events`, `share` of all events (of 1).

    Order: events, most first, then event_name.
    """
    return engine.query(statement("overview/top_events"), within.parameters)


def by_login_state(engine: Engine, within: Range) -> pl.DataFrame:
    """Tell logged-in from anonymous events.

    Columns: `user_login_state` (`unknown` where there is none), `events`, `visitors`, `sessions`, `add_to_cart_clicks`,
    `checkout_completes`, `checkout_rate` as in `overview`. Order: user_login_state.
    """
    return engine.query(statement("overview/by_login_state"), within.parameters)


def visitor_types(engine: Engine, within: Range) -> pl.DataFrame:
    """Per `visitor_type` (`new`, `returning` or `unknown`, as `is_first_visit` says): the columns of `by_login_state`.

    Order: visitor_type.
    """
    return engine.query(statement("overview/visitor_types"), within.parameters)


def top_categories(engine: Engine, within: Range, limit: int | None = None) -> pl.DataFrame:
    """Per product category: `category`, `events` with it, `product_views`, `add_to_cart_clicks`; all without a limit.

    Order: events, most first, then category. Raises AnalysisError for a negative limit.
    """
    check_limit(limit)
    return engine.query(statement("overview/top_categories"), {**within.parameters, "limit": limit})


def top_brands(engine: Engine, within: Range, limit: int | None = None) -> pl.DataFrame:
    """Per product brand: `brand`, and the columns of `top_categories`.

    Order: events, most first, then brand. Raises AnalysisError for a negative limit.
    """
    check_limit(limit)
    return engine.query(statement("overview/top_brands"), {**within.parameters, "limit": limit})


def latest_product_events(engine: Engine, within: Range, limit: int | None = None) -> pl.DataFrame:
    """Give the latest events with a product id; all of them without a limit.

    Columns: `event_timestamp`, `event_id`, `event_name`, `product_id`, `product_name`, `category`, `brand`, `price`,
    `discount_price`. Order: event_timestamp, latest first, then event_id, highest first. Raises AnalysisError for a
    negative limit.
    """
    check_limit(limit)
    return engine.query(statement("overview/latest_product_events"), {**within.parameters, "limit": limit})
