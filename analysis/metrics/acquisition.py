"""Acquisition: how sessions come to the shop, on which pages and devices. Definitions: docs/metrics.md."""

from typing import Literal, TypeAlias, get_args

import polars as pl

from analysis.engines.protocol import Engine
from analysis.errors import AnalysisError
from analysis.metrics.arguments import check_choice, check_limit
from analysis.metrics.range import Range
from analysis.metrics.revenue import check_orders
from analysis.metrics.statement import statement

__all__ = ["SessionColumn", "check_derived", "revenue_by", "search_terms", "session_groups", "sessions_by", "top_pages"]

SessionColumn: TypeAlias = Literal[
    "channel",
    "source",
    "medium",
    "campaign",
    "referrer",
    "landing_page",
    "exit_page",
    "device",
    "browser",
    "system",
    "country",
]


def sessions_by(engine: Engine, within: Range, by: SessionColumn = "channel", limit: int | None = None) -> pl.DataFrame:
    """Count sessions, visitors and buyers by where sessions come from, where they begin and end, and on which device.

    Args:
        engine: Where to compute: an engine with derived columns, so not the warehouse.
        within: The time range, and the login state.
        by: `channel` (GA4's default channel group), `source`, `medium` and `campaign` (UTM parameters), `referrer` (its
            host), `landing_page` and `exit_page` (their paths), `device`, `browser`, `system` or `country`.
        limit: The greatest number of rows; None for all.

    Returns:
        One row per group of sessions: `group`, `sessions`, `visitors` (with an event in such a session), `buyers` (with
        a `checkout_complete` in such a session), `session_conversion`, `visitor_conversion` (shares of 1). Order:
        sessions, most first, then group.

    Raises:
        AnalysisError: `by` has another value, `limit` is negative, or the engine has no derived columns.
    """
    check_limit(limit)
    check_derived(engine, "sessions_by")
    text = statement("acquisition/sessions_by", derived=True, **session_groups(by))
    return engine.query(text, {**within.parameters, "by": by, "limit": limit})


def revenue_by(engine: Engine, within: Range, by: SessionColumn = "channel", limit: int | None = None) -> pl.DataFrame:
    """Add up the orders of each currency by the groups of `sessions_by`; orders count as in `revenue`.

    Args:
        engine: Where to compute: an engine with derived columns and orders, so not the warehouse.
        within: The time range, and the login state.
        by: As in `sessions_by`.
        limit: The greatest number of groups of each currency; None for all.

    Returns:
        One row per currency and group with orders: `currency`, `group` (`unknown` if the order has no session),
        `orders`, `revenue` (exact, Decimal(38, 18); null if no order has a total), `average_order_value` (of the orders
        with a total). Order: currency, then revenue, highest first, then group.

    Raises:
        AnalysisError: `by` has another value, `limit` is negative, or the engine has no derived columns or orders.
    """
    check_limit(limit)
    check_derived(engine, "revenue_by")
    check_orders(engine)
    relations = {**session_groups(by), "first_orders": "revenue/first_orders"}
    text = statement("acquisition/revenue_by", derived=True, **relations)
    return engine.query(text, {**within.parameters, "by": by, "limit": limit})


def top_pages(engine: Engine, within: Range, limit: int | None = None) -> pl.DataFrame:
    """Count the events at each page of the shop.

    Args:
        engine: Where to compute: an engine with derived columns, so not the warehouse.
        within: The time range, and the login state.
        limit: The greatest number of rows; None for all.

    Returns:
        One row per page: `page_path`, `events`, `views`, `visitors`, `sessions`. Events without a page are left out.
        Order: views, most first, then page_path.

    Raises:
        AnalysisError: `limit` is negative, or the engine has no derived columns.
    """
    check_limit(limit)
    check_derived(engine, "top_pages")
    return engine.query(statement("acquisition/top_pages", derived=True), {**within.parameters, "limit": limit})


def search_terms(engine: Engine, within: Range, limit: int | None = None) -> pl.DataFrame:
    """Count what visitors search for in the shop, and how many of these sessions buy something.

    Args:
        engine: Where to compute: an engine with derived columns, so not the warehouse.
        within: The time range, and the login state.
        limit: The greatest number of rows; None for all.

    Returns:
        One row per search term: `search_term`, `views` (of its pages), `visitors`, `sessions`, `purchase_sessions`
        (with a `checkout_complete` later), `conversion` = purchase_sessions ÷ sessions. Order: sessions, most first,
        then search_term.

    Raises:
        AnalysisError: `limit` is negative, or the engine has no derived columns.
    """
    check_limit(limit)
    check_derived(engine, "search_terms")
    return engine.query(statement("acquisition/search_terms", derived=True), {**within.parameters, "limit": limit})


def session_groups(by: str) -> dict[str, str]:
    """Name the relations that give each session's group. Raises AnalysisError if `by` has another value."""
    check_choice("by", by, get_args(SessionColumn))
    values = "acquisition/last_pages" if by == "exit_page" else "acquisition/first_values"
    return {
        "session_visitors": "acquisition/session_visitors",
        "session_values": values,
        "session_groups": "acquisition/session_groups",
    }


def check_derived(engine: Engine, metric: str) -> None:
    """Raise AnalysisError if an engine has no derived columns."""
    if not engine.has_derived:
        needed = f"{metric} needs pages, channels and devices, which the warehouse does not hold"
        fields = "page_url, referrer, user_agent and time_zone"
        raise AnalysisError(
            f"{needed}: use the lake, raw events with the fields {fields}, or a history with derived=True"
        )
