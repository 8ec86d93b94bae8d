"""What the report shows, in the order of the notebooks: each of their metrics, as chart and table."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import altair as alt
import polars as pl

from analysis import charts
from analysis.checks.validation.output import as_frame
from analysis.checks.validation.run import ValidationReport
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
from analysis.metrics.revenue import revenue, revenue_over_time
from analysis.metrics.sessions import session_summary, sessions

__all__ = ["Figure", "Section", "sections"]

TOP = 15


@dataclass(frozen=True)
class Figure:
    """One chart, one table, or both of the same; `text` says what it is in words."""

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
    """Give each section once its figures are computed. Raises AnalysisError if raw cannot be asked."""
    yield Section("validation", "Validation", _validation(validation))
    for name, title, figures in _SECTIONS:
        yield Section(name, title, figures(history))


def _validation(report: ValidationReport) -> list[Figure]:
    checks = as_frame(report)
    found = checks.filter(pl.col("findings") > 0)
    compared = "with" if report.has_warehouse else "without"
    said = f"{checks.height - found.height} of {checks.height} checks, {compared} the warehouse, found nothing."
    return [
        Figure(said, charts.validation.findings(checks) if found.height else None, found if found.height else None),
        Figure("Every object becomes a row, or it is known why not.", charts.validation.objects(report.hours)),
    ]


def _overview(history: History) -> list[Figure]:
    raw, within = history.raw, history.within
    time, names = events_over_time(raw, within), top_events(raw, within)
    login, types = by_login_state(raw, within), visitor_types(raw, within)
    categories, brands = top_categories(raw, within, TOP), top_brands(raw, within, TOP)
    return [
        Figure("All of the range.", None, overview(raw, within)),
        Figure("When it happened.", charts.overview.events_over_time(time)),
        Figure("What happened.", charts.overview.top_events(names), names),
        Figure("Logged in, or not.", charts.overview.checkout_rates(login, "user_login_state"), login),
        Figure("New visitors, and those who came back.", charts.overview.checkout_rates(types, "visitor_type"), types),
        Figure("The categories with most events.", charts.overview.ranking(categories, "category"), categories),
        Figure("The brands with most events.", charts.overview.ranking(brands, "brand"), brands),
        Figure("The latest events of a product.", None, latest_product_events(raw, within, TOP)),
    ]


def _funnel(history: History) -> list[Figure]:
    raw, within = history.raw, history.within
    steps, strict = funnel(raw, within), funnel(raw, within, order="strict")
    types = funnel(raw, within, by="visitor_type")
    categories = funnel(raw, within, by="category")
    return [
        Figure("Within a day of the first step, with other events between them.", charts.funnel.funnel(steps), steps),
        Figure("The same with no other event between the steps.", None, strict),
        Figure("By category of the product first viewed.", charts.funnel.funnel_by_group(categories, "category")),
        Figure("New visitors, and those who came back.", charts.funnel.funnel_by_group(types, "visitor_type"), types),
    ]


def _sessions(history: History) -> list[Figure]:
    raw, within = history.raw, history.within
    each, left, follows = sessions(raw, within), carts(raw, within), paths(raw, within)
    return [
        Figure("By session id, and rebuilt by 30 minutes of silence.", None, session_summary(raw, within)),
        Figure("How long they last, from first to last event.", charts.sessions.durations(each)),
        Figure("How many events they have.", charts.sessions.depths(each)),
        Figure("Who fills a cart, and who leaves it behind.", charts.sessions.carts(left), left),
        Figure("What follows what.", charts.sessions.paths(follows), follows.head(TOP)),
    ]


def _products(history: History) -> list[Figure]:
    raw, within = history.raw, history.within
    top, effect = products(raw, within, TOP), discount_effect(raw, within)
    return [
        Figure("The products most looked at.", charts.products.top_products(top), top),
        Figure(
            "Wanted, or only seen: the products most viewed, 300 at most.",
            charts.products.add_rates(products(raw, within)),
        ),
        Figure("What a discount does.", charts.products.discount_effect(effect), effect),
        Figure(
            "What was ordered: each order once, from raw.",
            charts.products.revenue_over_time(revenue_over_time(raw, within)),
            revenue(raw, within),
        ),
    ]


def _retention(history: History) -> list[Figure]:
    raw, within = history.raw, history.within
    weeks = retention(raw, within, "week")
    return [
        Figure("By week.", charts.retention.retention(weeks, "week"), weeks),
        Figure("By day.", charts.retention.retention(retention(raw, within, "day"), "day")),
    ]


_SECTIONS: tuple[tuple[str, str, Callable[[History], list[Figure]]], ...] = (
    ("overview", "Overview", _overview),
    ("funnel", "Funnel", _funnel),
    ("sessions", "Sessions", _sessions),
    ("products", "Products and revenue", _products),
    ("retention", "Retention", _retention),
)
