"""Overview: counts of events, visitors and sessions, by time, name and product. Definitions: docs/metrics.md."""

from typing import Literal, TypeAlias, get_args

import polars as pl

from analysis.engines.protocol import Engine
from analysis.metrics.arguments import check_choice, check_limit
from analysis.metrics.range import Range
from analysis.metrics.statement import statement
from analysis.metrics.zone import day_start, zone_of
from analysis.rows.prices import amounts

__all__ = [
    "TimeGrain",
    "by_login_state",
    "events_over_time",
    "key_figures",
    "key_figures_over_time",
    "latest_product_events",
    "overview",
    "top_brands",
    "top_categories",
    "top_events",
    "visitor_types",
    "with_periods",
]

TimeGrain: TypeAlias = Literal["minute", "hour", "day", "week", "month"]


def overview(engine: Engine, within: Range) -> pl.DataFrame:
    """Count everything in the range.

    Three ratios say how well the shop sells. `visitor_conversion` says how many people buy, and compares groups of
    people. `session_conversion` says how many visits end in a purchase. `checkout_rate` compares two counts of events:
    it shows whether adds lead to checkouts, can be more than 1, and suits the whole shop rather than a group. An
    `add_to_cart_click` is a click; it does not prove that the shop's cart accepted the product.

    Args:
        engine: Where to compute: `RawEvents` or `WarehouseEvents`.
        within: The time range, and the login state.

    Returns:
        One row: `events`, `visitors`, `clients`, `users`, `sessions`, `add_to_cart_clicks`, `checkout_completes`,
        `checkout_rate` = checkout_completes ÷ add_to_cart_clicks (null without clicks), `visitor_conversion` = visitors
        with a `checkout_complete` ÷ visitors (Plausible's conversion rate), `session_conversion` = sessions with a
        `checkout_complete` ÷ sessions (GA4's session key event rate), `first_event` and `last_event` (UTC; null without
        events).

    Raises:
        AnalysisError: The events cannot be read, as in every metric.
    """
    return engine.query(statement("overview/overview"), within.parameters)


def events_over_time(engine: Engine, within: Range, grain: TimeGrain = "day") -> pl.DataFrame:
    """Count events, visitors and sessions per period.

    Args:
        engine: Where to compute: `RawEvents` or `WarehouseEvents`.
        within: The time range, and the login state.
        grain: `minute`, `hour`, `day`, `week` (from Monday) or `month`, of the range's zone: an hour that clocks show
            twice is two hours.

    Returns:
        One row per period with events: `period` (the instant at which it begins in the range's zone, as UTC),
        `events`, `visitors`, `sessions`. Order: period.

    Raises:
        AnalysisError: `grain` has another value.
    """
    check_choice("grain", grain, get_args(TimeGrain))
    text = statement("overview/events_over_time", local_events="local_events")
    return with_periods(engine.query(text, {**within.parameters, "grain": grain}), within, grain)


def key_figures(engine: Engine, within: Range) -> pl.DataFrame:
    """Count visitors, sessions, views, adds and checkouts, with their rates.

    Args:
        engine: Where to compute: `RawEvents` or `WarehouseEvents`.
        within: The time range, and the login state.

    Returns:
        One row: `events`, `visitors`, `sessions`, `views`, `product_views`, `add_to_cart_clicks`, `checkout_completes`,
        `add_rate` = add_to_cart_clicks ÷ product_views (null without product views), `visitor_conversion` = visitors
        with a `checkout_complete` ÷ visitors (null without visitors).
    """
    return engine.query(statement("overview/key_figures"), within.parameters)


def key_figures_over_time(engine: Engine, within: Range, grain: TimeGrain = "day") -> pl.DataFrame:
    """Give the key figures of each period; a visitor counts once in each period.

    Args:
        engine: Where to compute: `RawEvents` or `WarehouseEvents`.
        within: The time range, and the login state.
        grain: `minute`, `hour`, `day`, `week` or `month`, of the range's zone.

    Returns:
        One row per period with events: `period` (the instant at which it begins in the range's zone, as UTC), then the
        columns of `key_figures`. Order: period.

    Raises:
        AnalysisError: `grain` has another value.
    """
    check_choice("grain", grain, get_args(TimeGrain))
    text = statement("overview/key_figures_over_time", local_events="local_events")
    return with_periods(engine.query(text, {**within.parameters, "grain": grain}), within, grain)


def with_periods(frame: pl.DataFrame, within: Range, grain: str) -> pl.DataFrame:
    """Make `period` the instant at which each period begins: of weeks and months, SQL gives the date at midnight."""
    if grain not in {"week", "month"}:
        return frame
    there = zone_of(within.zone)
    starts = [day_start(midnight.date(), there) for midnight in frame["period"]]
    return frame.with_columns(pl.Series("period", starts, frame.schema["period"]))


def top_events(engine: Engine, within: Range) -> pl.DataFrame:
    """Count the events of each name.

    Returns:
        One row per event name: `event_name`, `events`, `share` of all events (of 1). Order: events, most first, then
        event_name.
    """
    return engine.query(statement("overview/top_events"), within.parameters)


def by_login_state(engine: Engine, within: Range) -> pl.DataFrame:
    """Compare logged-in with anonymous events.

    A visitor or a session with events of both states counts in both. Compare the groups by `visitor_conversion` or
    `session_conversion`: people who add a product before they log in make `checkout_rate` large in one group, and small
    in the other.

    Returns:
        One row per login state: `user_login_state` (`unknown` if the event has no such member), `events`, `visitors`,
        `sessions`, `add_to_cart_clicks`, `checkout_completes`, `checkout_rate`, `visitor_conversion`,
        `session_conversion` as in `overview`, of the group's own events. Order: user_login_state.
    """
    return engine.query(statement("overview/by_login_state"), within.parameters)


def visitor_types(engine: Engine, within: Range) -> pl.DataFrame:
    """Compare the events of new and returning visitors.

    Returns:
        One row per visitor type: `visitor_type` (`new` if `is_first_visit` is true, `returning` if it is false,
        `unknown` if it is null), then the columns of `by_login_state`. Order: visitor_type.
    """
    return engine.query(statement("overview/visitor_types"), within.parameters)


def top_categories(engine: Engine, within: Range, limit: int | None = None, *, unknown: bool = False) -> pl.DataFrame:
    """Count the events of each product category.

    Args:
        engine: Where to compute: `RawEvents` or `WarehouseEvents`.
        within: The time range, and the login state.
        limit: The greatest number of rows; None for all.
        unknown: Count the events without a category too, as `unknown`.

    Returns:
        One row per category: `category`, `events`, `product_views`, `add_to_cart_clicks`. Order: events, most first,
        then category.

    Raises:
        AnalysisError: `limit` is negative.
    """
    check_limit(limit)
    parameters = {**within.parameters, "limit": limit, "unknown": unknown}
    return engine.query(statement("overview/top_categories"), parameters)


def top_brands(engine: Engine, within: Range, limit: int | None = None, *, unknown: bool = False) -> pl.DataFrame:
    """Count the events of each product brand.

    Args:
        engine: Where to compute: `RawEvents` or `WarehouseEvents`.
        within: The time range, and the login state.
        limit: The greatest number of rows; None for all.
        unknown: Count the events without a brand too, as `unknown`.

    Returns:
        One row per brand: `brand`, `events`, `product_views`, `add_to_cart_clicks`. Order: events, most first, then
        brand.

    Raises:
        AnalysisError: `limit` is negative.
    """
    check_limit(limit)
    parameters = {**within.parameters, "limit": limit, "unknown": unknown}
    return engine.query(statement("overview/top_brands"), parameters)


def latest_product_events(engine: Engine, within: Range, limit: int | None = None) -> pl.DataFrame:
    """List the latest events that have a product id.

    Args:
        engine: Where to compute: `RawEvents` or `WarehouseEvents`.
        within: The time range, and the login state.
        limit: The greatest number of rows; None for all.

    Returns:
        One row per event: `event_timestamp` (UTC), `event_id`, `event_name`, `product_id`, `product_name`, `category`,
        `brand`, `price`, `discount_price`. The two prices are amounts: Int64 if the engine's prices keep no decimals,
        else Decimal with these decimals. Order: event_timestamp, latest first, then event_id, highest first.

    Raises:
        AnalysisError: `limit` is negative.
    """
    check_limit(limit)
    frame = engine.query(statement("overview/latest_product_events"), {**within.parameters, "limit": limit})
    return amounts(frame, engine.price_decimals, "price", "discount_price")
