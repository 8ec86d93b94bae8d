"""The page Overview: what the shop is doing, how that changed, and what is at the top."""

from collections.abc import Sequence
from functools import partial

import polars as pl

from analysis.dashboard.events import Shown
from analysis.dashboard.pages.charts import over_time
from analysis.dashboard.pages.money import currency_of, of_currency
from analysis.dashboard.pages.page import Page
from analysis.dashboard.panel import Chart, Figure, Panel, Query, Table
from analysis.dashboard.periods import GRAINS
from analysis.metrics.acquisition import sessions_by, top_pages
from analysis.metrics.overview import (
    by_login_state,
    key_figures,
    key_figures_over_time,
    overview,
    top_events,
    visitor_types,
)
from analysis.metrics.products import products
from analysis.metrics.revenue import revenue, revenue_over_time

__all__ = ["OVERVIEW"]

TOP = 10
AUDIENCE = ("visitors", "sessions", "views", "add_rate", "visitor_conversion")
MONEY = ("orders", "revenue", "average_order_value")
MEASURES = (*AUDIENCE, "orders", "revenue")
RATES = ("add_rate", "visitor_conversion")


def panels(shown: Shown) -> Sequence[Panel]:
    """Give the panels: eight figures, their course, and the tops."""
    return [
        *(Panel(name, "figure", partial(_audience, shown, name)) for name in AUDIENCE),
        *(Panel(name, "figure", partial(_money, shown, name)) for name in MONEY),
        Panel("over_time", "chart", partial(_over_time, shown)),
        Panel("top_products", "table", partial(_top_products, shown)),
        Panel("top_pages", "table", partial(_top_pages, shown)),
        Panel("channels", "table", partial(_sessions_by, shown, "channel")),
        Panel("devices", "table", partial(_sessions_by, shown, "device")),
        Panel("counts", "table", partial(_counts, shown), is_wide=True),
        Panel("login_states", "table", partial(_login_states, shown), is_wide=True),
        Panel("visitor_types", "table", partial(_visitor_types, shown), is_wide=True),
        Panel("top_events", "table", partial(_top_events, shown)),
        Panel("currencies", "table", partial(_currencies, shown)),
    ]


def _audience(shown: Shown, name: str) -> Figure:
    query = Query(key_figures)
    return Figure(name, shown.frame(query), query, shown.frame_before(query), _course(shown, name))


def _money(shown: Shown, name: str) -> Figure:
    query, currency = Query(revenue), currency_of(shown)
    before = shown.frame_before(query)
    course = None if name == "average_order_value" else _course(shown, name)
    previous = None if before is None else of_currency(before, currency)
    return Figure(name, of_currency(shown.frame(query), currency), query, previous, course, currency)


def _course(shown: Shown, name: str) -> pl.DataFrame:
    grain = shown.grain()
    if name in MONEY:
        is_here = pl.col("currency") == currency_of(shown)
        return shown.over_time(Query(revenue_over_time, {"grain": grain}), grain, pl.col(name), where=is_here)
    query = Query(key_figures_over_time, {"grain": grain})
    return shown.over_time(query, grain, pl.col(name), None if name in RATES else 0)


def _over_time(shown: Shown) -> Chart:
    name, grain = shown.view.option("measure", MEASURES[0]), shown.grain()
    metric = revenue_over_time if name in MONEY else key_figures_over_time
    currency = currency_of(shown) if name in MONEY else None
    return over_time(_course(shown, name), Query(metric, {"grain": grain}), name, grain, currency)


def _top_products(shown: Shown) -> Table:
    query = Query(products, {"limit": TOP})
    columns = ("product_name", "product_id", "category", "views", "adds", "add_rate")
    filters = {"product_id": "product", "product_name": "product", "category": "category"}
    return Table(shown.frame(query), query, columns, filters, bars="views")


def _top_pages(shown: Shown) -> Table:
    query = Query(top_pages, {"limit": TOP})
    return Table(shown.frame(query), query, bars="views")


def _sessions_by(shown: Shown, by: str) -> Table:
    query = Query(sessions_by, {"by": by, "limit": TOP})
    return Table(shown.frame(query), query, filters={"group": by}, bars="sessions")


def _counts(shown: Shown) -> Table:
    query = Query(overview)
    return Table(shown.frame(query), query)


def _login_states(shown: Shown) -> Table:
    query = Query(by_login_state)
    return Table(shown.frame(query), query, filters={"user_login_state": "login"}, bars="events")


def _visitor_types(shown: Shown) -> Table:
    query = Query(visitor_types)
    return Table(shown.frame(query), query, filters={"visitor_type": "visitor"}, bars="visitors")


def _top_events(shown: Shown) -> Table:
    query = Query(top_events)
    return Table(shown.frame(query), query, bars="events")


def _currencies(shown: Shown) -> Table:
    query = Query(revenue)
    return Table(shown.frame(query), query)


OVERVIEW = Page(
    "overview",
    panels,
    {"grain": ("auto", *GRAINS), "measure": MEASURES, "currency": ()},
    report={"measure": ("revenue", *(name for name in MEASURES if name != "revenue"))},
)
