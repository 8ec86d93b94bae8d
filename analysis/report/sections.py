"""The sections of the report, in the order of the notebooks: each metric as a chart, a table, or both."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import altair as alt
import polars as pl

from analysis import charts
from analysis.checks.validation.output import summary
from analysis.checks.validation.report import ValidationReport
from analysis.history import History
from analysis.metrics.carts import carts
from analysis.metrics.funnel import funnel
from analysis.metrics.overview import (
    by_login_state,
    events_over_time,
    latest_product_events,
    overview,
    top_brands,
    top_categories,
    top_events,
    visitor_types,
)
from analysis.metrics.paths import paths
from analysis.metrics.products import discount_effect, products
from analysis.metrics.retention import retention
from analysis.metrics.revenue import revenue, revenue_by_category, revenue_by_product, revenue_over_time
from analysis.metrics.sessions import session_summary, sessions

__all__ = ["Figure", "Section", "sections"]

TOP = 15
CONVERSION = (
    "Visitor conversion is visitors who buy ÷ visitors (Plausible): compare groups of people by it. Session conversion"
    " is sessions with a purchase ÷ sessions (GA4): how many visits sell. Checkout rate is checkouts ÷ add-to-cart"
    " clicks, a ratio of events: follow the whole shop by it over time, and do not compare groups."
)


@dataclass(frozen=True)
class Figure:
    """One chart, one table, or both, of the same figures; `text` describes them in words."""

    text: str
    chart: alt.TopLevelMixin | None = None
    table: pl.DataFrame | None = None


@dataclass(frozen=True)
class Section:
    """The figures of one notebook; `name` is its anchor."""

    name: str
    title: str
    figures: list[Figure] = field(default_factory=list)


def sections(history: History, validation: ValidationReport) -> Iterator[Section]:
    """Compute the sections one after the other.

    Args:
        history: The events that the report is about.
        validation: The validation of the same hours.

    Yields:
        Each section as soon as its figures are computed.

    Raises:
        AnalysisError: A figure cannot be computed.
    """
    yield Section("validation", "Validation", _validation(validation, history.within.zone))
    for name, title, figures in _SECTIONS:
        yield Section(name, title, figures(history))


def _validation(report: ValidationReport, zone: str) -> list[Figure]:
    checks = report.as_frame()
    found = checks.filter(pl.col("findings") > 0)
    return [
        Figure(
            summary(report),
            charts.validation.findings(checks) if found.height else None,
            found if found.height else None,
        ),
        Figure(
            "How many objects became rows, and how many did not and why.",
            charts.validation.objects(report.hours, zone),
        ),
    ]


def _overview(history: History) -> list[Figure]:
    raw, within = history.raw, history.within
    time, names = events_over_time(raw, within), top_events(raw, within)
    login, types = by_login_state(raw, within), visitor_types(raw, within)
    categories, brands = top_categories(raw, within, TOP), top_brands(raw, within, TOP)
    return [
        Figure(f"The whole range. {CONVERSION}", None, overview(raw, within)),
        Figure("Events, visitors and sessions over time.", charts.overview.events_over_time(time, zone=within.zone)),
        Figure("Events by name.", charts.overview.top_events(names), names),
        Figure(
            "Logged-in and anonymous visitors. A visitor who logs in counts in both groups.",
            charts.overview.conversion(login, "user_login_state"),
            login,
        ),
        Figure("New and returning visitors.", charts.overview.conversion(types, "visitor_type"), types),
        Figure("The categories with the most events.", charts.overview.ranking(categories, "category"), categories),
        Figure("The brands with the most events.", charts.overview.ranking(brands, "brand"), brands),
        Figure("The latest events with a product.", None, latest_product_events(raw, within, TOP)),
    ]


def _funnel(history: History) -> list[Figure]:
    raw, within = history.raw, history.within
    steps, strict = funnel(raw, within), funnel(raw, within, order="strict")
    types = funnel(raw, within, by="visitor_type")
    categories = funnel(raw, within, by="category")
    return [
        Figure(
            "Visitors who take the steps in order within a day; other events may lie between two steps.",
            charts.funnel.funnel(steps),
            steps,
        ),
        Figure("The same, with no other event between two steps.", None, strict),
        Figure(
            "By category of the product that was viewed first.", charts.funnel.funnel_by_group(categories, "category")
        ),
        Figure("New and returning visitors.", charts.funnel.funnel_by_group(types, "visitor_type"), types),
    ]


def _sessions(history: History) -> list[Figure]:
    raw, within = history.raw, history.within
    each, left, follows = sessions(raw, within), carts(raw, within), paths(raw, within)
    return [
        Figure(
            "Sessions by session id, and rebuilt: a new one begins after 30 minutes without an event.",
            None,
            session_summary(raw, within),
        ),
        Figure("Duration, from the first to the last event.", charts.sessions.durations(each)),
        Figure("Number of events.", charts.sessions.depths(each)),
        Figure(
            "Sessions that fill a cart, start a checkout, and buy. Abandonment is our own definition: one purchase"
            " after the first add is enough. Session cart abandonment is that of dbt-snowplow-ecommerce: a session"
            " abandons a cart if it creates more carts than it buys.",
            charts.sessions.carts(left),
            left,
        ),
        Figure(
            "Which event follows which. Automatic clicks are left out.",
            charts.sessions.paths(follows),
            follows.head(TOP),
        ),
    ]


def _products(history: History) -> list[Figure]:
    raw, within = history.raw, history.within
    every, effect = products(raw, within), discount_effect(raw, within)
    top = every.head(TOP)
    return [
        Figure("The products with the most views.", charts.products.top_products(top), top),
        Figure(
            "Views and adds: the 300 products with the most views.",
            charts.products.add_rates(every),
        ),
        Figure("Adds per view, with and without a discount.", charts.products.discount_effect(effect), effect),
        Figure(
            "Orders and revenue, from raw; each order counts once.",
            charts.products.revenue_over_time(revenue_over_time(raw, within), zone=within.zone),
            revenue(raw, within),
        ),
        Figure(
            "Revenue by product: price times quantity of the orders' items. The products with the most, by currency.",
            None,
            revenue_by_product(raw, within, TOP),
        ),
        Figure("Revenue by category of the product.", None, revenue_by_category(raw, within, TOP)),
    ]


def _retention(history: History) -> list[Figure]:
    raw, within = history.raw, history.within
    weeks, new = retention(raw, within, "week"), retention(raw, within, "week", cohort="first_visit")
    return [
        Figure(
            "Visitors who come back, by week of their first event in the range. Some came before the range.",
            charts.retention.retention(weeks, "week", zone=within.zone),
            weeks,
        ),
        Figure(
            "Visitors who come back, by week of their first visit, which their browser reports. Visitors whose first"
            " visit is not in the range are left out.",
            charts.retention.retention(new, "week", "first_visit", within.zone),
            new,
        ),
        Figure(
            "Visitors who come back, by day of their first event in the range.",
            charts.retention.retention(retention(raw, within, "day"), "day", zone=within.zone),
        ),
    ]


_SECTIONS: tuple[tuple[str, str, Callable[[History], list[Figure]]], ...] = (
    ("overview", "Overview", _overview),
    ("funnel", "Funnel", _funnel),
    ("sessions", "Sessions", _sessions),
    ("products", "Products and revenue", _products),
    ("retention", "Retention", _retention),
)
