"""The page Products: what is viewed, added and bought, and what it earns, by product, category and brand."""

from collections.abc import Sequence
from functools import partial

import altair as alt
import polars as pl

from analysis.dashboard.events import Shown
from analysis.dashboard.pages.compared import CHANGE, PREVIOUS, compared, present
from analysis.dashboard.pages.money import currency_of, of_currency
from analysis.dashboard.pages.page import LIMITS, Page, limit_of
from analysis.dashboard.panel import Chart, Figure, Panel, Query, Table
from analysis.metrics.overview import (
    key_figures,
    key_figures_over_time,
    latest_product_events,
    top_brands,
    top_categories,
)
from analysis.metrics.products import discount_effect, products
from analysis.metrics.revenue import revenue, revenue_by_category, revenue_by_product

__all__ = ["PRODUCTS"]

COUNTS = ("product_views", "add_to_cart_clicks", "add_rate")
# What the scatter shows against views.
MEASURES = ("adds", "add_rate", "purchase_sessions", "conversion", "wishlists")
SOLD = ("currency", "orders", "buyers", "items", "revenue", PREVIOUS, CHANGE)
POINTS = 100
# The room of a name beside the room of the scatter.
WIDTH, HEIGHT = 0.12, 0.06
# The filter that a click on a column adds.
PRODUCT = {"product_name": "product", "product_id": "product", "category": "category", "brand": "brand"}


def panels(shown: Shown) -> Sequence[Panel]:
    """Give the panels: four figures, the scatter, the products, and what they have in common."""
    return [
        *(Panel(name, "figure", partial(_count, shown, name)) for name in COUNTS),
        Panel("items", "figure", partial(_items, shown)),
        Panel("scatter", "chart", partial(_scatter, shown)),
        Panel("products", "table", partial(_products, shown), is_wide=True),
        Panel("sold", "table", partial(_sold, shown), is_wide=True),
        Panel("categories", "table", partial(_categories, shown)),
        Panel("brands", "table", partial(_brands, shown)),
        Panel("category_revenue", "table", partial(_category_revenue, shown)),
        Panel("discounts", "table", partial(_discounts, shown)),
        Panel("latest", "table", partial(_latest, shown), is_wide=True),
    ]


def _count(shown: Shown, name: str) -> Figure:
    query, grain = Query(key_figures), shown.grain()
    empty = None if name == "add_rate" else 0
    course = shown.over_time(Query(key_figures_over_time, {"grain": grain}), grain, pl.col(name), empty)
    return Figure(name, shown.frame(query), query, shown.frame_before(query), course)


def _items(shown: Shown) -> Figure:
    query, currency = Query(revenue), currency_of(shown)
    before = shown.frame_before(query)
    none = pl.col("items").fill_null(0)
    own = of_currency(shown.frame(query), currency).with_columns(none)
    return Figure("items", own, query, None if before is None else of_currency(before, currency).with_columns(none))


def _scatter(shown: Shown) -> Chart:
    """Draw each product by its views, with the names of the most viewed ones."""
    query, against = Query(products, {"limit": POINTS}), shown.view.option("against", MEASURES[0])
    frame = shown.frame(query)
    name = pl.col("product_name").fill_null(pl.col("product_id"))
    named = frame.with_columns(
        named=pl.when(_has_room(frame["views"], frame[against])).then(name).otherwise(pl.lit(""))
    )
    y = alt.Y(f"{against}:Q", title=against)
    base = alt.Chart(named).encode(x=alt.X("views:Q", title="views"), y=y)
    layers = [base.mark_point(style="point"), base.mark_text(style="name", dy=-9).encode(text="named:N")]
    chart = alt.layer(*layers).properties(width="container", height=340)
    tooltip = ("product_name", "product_id", "category", "brand", "views", *MEASURES)
    return Chart(chart, frame, query, tooltip, filters={"product_id": "product"})


def _has_room(x: pl.Series, y: pl.Series) -> pl.Series:
    """Say of each point whether its name overlaps no earlier one's."""
    widest, highest = (float(values.max() or 1) for values in (x, y))  # type: ignore[arg-type]  # of numbers
    taken: list[tuple[float, float]] = []
    found = []
    for point in zip(x, y, strict=True):
        at = point[0] / widest, (point[1] or 0) / highest
        is_free = all(abs(at[0] - left) > WIDTH or abs(at[1] - top) > HEIGHT for left, top in taken)
        found.append(is_free and point[1] is not None)
        if found[-1]:
            taken.append(at)
    return pl.Series(found, dtype=pl.Boolean)


def _products(shown: Shown) -> Table:
    query = Query(products, {"limit": limit_of(shown)})
    frame = compared(shown, query, ["product_id"], "views")
    columns = present(frame, *PRODUCT, "views", PREVIOUS, CHANGE, "adds", "add_rate", "purchase_sessions", "conversion")
    return Table(frame, query, columns, PRODUCT, bars="views")


def _sold(shown: Shown) -> Table:
    query = Query(revenue_by_product, {"limit": limit_of(shown)})
    frame = compared(shown, query, ["currency", "product_id"], "revenue")
    columns = present(frame, *PRODUCT, *SOLD, "lines_without_revenue")
    return Table(frame, query, columns, PRODUCT, kinds={PREVIOUS: "money"})


def _categories(shown: Shown) -> Table:
    query = Query(top_categories, {"limit": limit_of(shown), "unknown": True})
    return Table(compared(shown, query, ["category"], "events"), query, filters=PRODUCT, bars="events")


def _brands(shown: Shown) -> Table:
    query = Query(top_brands, {"limit": limit_of(shown), "unknown": True})
    return Table(compared(shown, query, ["brand"], "events"), query, filters=PRODUCT, bars="events")


def _category_revenue(shown: Shown) -> Table:
    query = Query(revenue_by_category, {"limit": limit_of(shown)})
    frame = compared(shown, query, ["currency", "category"], "revenue")
    return Table(frame, query, present(frame, "category", *SOLD), PRODUCT, kinds={PREVIOUS: "money"})


def _discounts(shown: Shown) -> Table:
    query = Query(discount_effect)
    return Table(compared(shown, query, ["is_discounted"], "views"), query)


def _latest(shown: Shown) -> Table:
    """List the latest events with a product."""
    query = Query(latest_product_events, {"limit": limit_of(shown)})
    columns = ("event_timestamp", "event_name", *PRODUCT, "price", "discount_price")
    return Table(shown.frame(query), query, columns, PRODUCT, kinds={"event_timestamp": "second"})


PRODUCTS = Page(
    "products",
    panels,
    {"against": MEASURES, "limit": LIMITS, "currency": ()},
    report={"against": MEASURES, "limit": LIMITS[:2]},
)
