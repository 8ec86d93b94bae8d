"""Checks of prices: discount prices above the price, and prices that can be no amount."""

import polars as pl

from analysis.checks.validation.finding import Check, counted, grouped

__all__ = ["price_checks"]

LEAST_SHARE = 20  # a discount price below a twentieth of the price is more likely a percentage
MOST_PERCENT = 100
PRICE, DISCOUNT = "context_product_price", "context_product_discount_price"


def price_checks(events: pl.DataFrame) -> list[Check]:
    """Check the prices of each event."""
    dear = events.filter(pl.col(DISCOUNT) > pl.col(PRICE), pl.col(PRICE) >= 0)
    odd = events.with_columns(reason=_reason()).drop_nulls("reason")
    return [
        Check(
            "discounts_above_price",
            "warning",
            counted(
                dear.height,
                "event has a discount price above its price",
                "events have a discount price above the price",
            ),
            "none",
            "Check whether the sender swaps the two prices.",
            dear.select("key", price=PRICE, discount_price=DISCOUNT).to_dicts(),
        ),
        Check(
            "impossible_prices",
            "warning",
            counted(odd.height, "event has a price that can be no amount", "events have a price that can be no amount"),
            "none",
            "Send amounts: the price after the discount as discountPrice, and null where there is no discount.",
            grouped(odd, "publisher", "event_name", "reason")
            .join(odd.select("key", price=PRICE, discount_price=DISCOUNT), on="key", maintain_order="left")
            .to_dicts(),
        ),
    ]


def _reason() -> pl.Expr:
    """Say why an event's prices can be no amounts; null if they can."""
    price, discount = pl.col(PRICE), pl.col(DISCOUNT)
    is_percentage = discount.is_between(1, MOST_PERCENT) & (discount < price // LEAST_SHARE)
    return (
        pl.when(price < 0)
        .then(pl.lit("the price is negative"))
        .when(discount < 0)
        .then(pl.lit("the discount price is negative"))
        .when((discount == 0) & (price > 0))
        .then(pl.lit("the discount price is 0"))
        .when(is_percentage)
        .then(pl.lit("the discount price looks like a percentage"))
    )
