"""Charts of products: which are looked at, wanted and bought, and the revenue."""

import altair as alt
import polars as pl

from analysis.charts.theme import BLUE, PERCENT, WIDTH, bar_height, legend
from analysis.charts.time_axis import period_bars
from analysis.metrics.zone import default_zone

__all__ = ["add_rates", "discount_effect", "revenue_over_time", "top_products"]

MOST_POINTS = 300


def top_products(frame: pl.DataFrame) -> alt.Chart:
    """Draw views, adds and purchase sessions of each product, of a frame of the metric `products` with a limit."""
    names = {"views": "views", "adds": "adds", "purchase_sessions": "sessions with a purchase"}
    long = (
        frame.with_columns(product=_label())
        .rename(names)
        .unpivot(list(names.values()), index="product", variable_name="measure", value_name="count")
    )
    order = list(names.values())
    return (
        alt.Chart(long)
        .mark_bar()
        .encode(
            x=alt.X("count:Q", title="events, sessions"),
            y=alt.Y("product:N", title="product", sort=long["product"].unique(maintain_order=True).to_list()),
            yOffset=alt.YOffset("measure:N", sort=order),
            color=legend(order),
        )
        .properties(title="The products most looked at", width=WIDTH, height=2 * bar_height(frame.height))
    )


def add_rates(frame: pl.DataFrame) -> alt.Chart:
    """Draw the views and the add rate of the first 300 products with views, of a frame of the metric `products`."""
    return (
        alt.Chart(frame.filter(pl.col("add_rate").is_not_null()).head(MOST_POINTS))
        .mark_circle(opacity=0.7)
        .encode(
            x=alt.X("views:Q", title="views"),
            y=alt.Y("add_rate:Q", title="adds per view", axis=alt.Axis(format="%")),
            size=alt.Size("purchase_sessions:Q", title="purchase sessions"),
            color=alt.Color("category:N", title="category"),
        )
        .properties(title="Add rate by views: high is often added, right is often viewed", width=WIDTH, height=320)
    )


def discount_effect(frame: pl.DataFrame) -> alt.LayerChart | alt.FacetChart:
    """Draw the add rate with and without a discount, of a frame of the metric `discount_effect`."""
    price = pl.when("is_discounted").then(pl.lit("discounted")).otherwise(pl.lit("full price"))
    named = frame.with_columns(price=price)
    bars = alt.Chart(named).encode(
        x=alt.X("add_rate:Q", title="adds per view", axis=alt.Axis(format="%")),
        y=alt.Y("price:N", title="price", sort=None),
    )
    rates = bars.mark_text(align="left", dx=4).encode(text=alt.Text("add_rate:Q", format=PERCENT))
    chart = alt.layer(bars.mark_bar(color=BLUE), rates)
    return chart.properties(title="Add rate by price", width=WIDTH, height=2 * bar_height(frame.height))


def revenue_over_time(frame: pl.DataFrame, grain: str = "day", zone: str | None = None) -> alt.VConcatChart:
    """Draw revenue per hour or day, one chart per currency.

    Args:
        frame: A frame of the metric `revenue_over_time`.
        grain: The grain that the metric was given, `hour` or `day`.
        zone: The zone of the metric's range. By default `CLICKSTREAM_ZONE`, else UTC.
    """
    priced = frame.with_columns(pl.col("revenue").cast(pl.Float64))
    money, spans = period_bars(priced, "period", grain, zone or default_zone())
    bars = (
        alt.Chart(money.filter(pl.col("currency") == currency))
        .mark_bar(color=BLUE)
        .encode(
            **spans,
            y=alt.Y("revenue:Q", title=f"revenue per {grain}, currency {currency}"),
        )
        .properties(width=WIDTH, height=140)
        for currency in money["currency"].unique(maintain_order=True).to_list() or ["unknown"]
    )
    return alt.vconcat(*bars, title=f"Revenue per {grain} and currency").resolve_scale(x="shared")


def _label() -> pl.Expr:
    """Name a product; its id is added if it has no name, or shares its name with another product."""
    is_alone = pl.len().over("product_name") == 1
    named = pl.format("{} ({})", pl.col("product_name").fill_null("no name"), "product_id")
    return pl.when(is_alone & pl.col("product_name").is_not_null()).then("product_name").otherwise(named)
