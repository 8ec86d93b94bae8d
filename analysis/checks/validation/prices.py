"""Checks of prices: rounded ones, discount prices above the price, and prices that can be no amount."""

import polars as pl

from analysis.checks.validation.evidence.parts import Parts
from analysis.checks.validation.finding import Check, counted, grouped
from analysis.prices import amounts
from chalicelib.settings import MOST_PRICE_DECIMALS

__all__ = ["other_decimals_check", "price_checks", "rounding_check"]

LEAST_SHARE = 20  # a discount price below a twentieth of the price is more likely a percentage
MOST_PERCENT = 100
FIRST = ("event_timestamp", "key")
PRICE, DISCOUNT = "context_product_price", "context_product_discount_price"


def price_checks(events: Parts, price_decimals: int = 0) -> list[Check]:
    """Check the prices of each event; they keep so many decimals."""
    named = {"price": pl.col(PRICE), "discount_price": pl.col(DISCOUNT)}
    dear = events.where(pl.col(DISCOUNT) > pl.col(PRICE), pl.col(PRICE) >= 0).select(*FIRST, **named).collect()
    reason = _reason(price_decimals)
    odd = events.where(reason.is_not_null()).select("publisher", "event_name", *FIRST, reason=reason, **named)
    reasons = grouped(odd.frames(), "publisher", "event_name", "reason", first=("price", "discount_price"))
    number = int(reasons["events"].sum())
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
            _as_amounts(dear.sort(FIRST).drop("event_timestamp"), price_decimals).to_dicts(),
        ),
        Check(
            "impossible_prices",
            "warning",
            counted(number, "event has a price that can be no amount", "events have a price that can be no amount"),
            "none",
            "Send amounts: the price after the discount as discountPrice, and null where there is no discount.",
            _as_amounts(reasons, price_decimals).to_dicts(),
        ),
        rounding_check(events, price_decimals),
    ]


def rounding_check(events: Parts, price_decimals: int) -> Check:
    """Check that prices fit the decimals that are kept.

    Args:
        events: The events, as `describe` gives them.
        price_decimals: How many decimals are kept.
    """
    members = _rounded(events)
    return Check(
        "rounded_prices",
        "warning",
        counted(int(members["events"].sum()), "price was rounded", "prices were rounded"),
        "none",
        f"Raw keeps every digit; the warehouse keeps {price_decimals} decimals (PRICE_DECIMALS, at most "
        f"{MOST_PRICE_DECIMALS}). docs/repair.md says how to change that, under 'Other decimals of prices'.",
        members.to_dicts(),
    )


def other_decimals_check(recorded: int, here: int | None) -> Check:
    """Check that the environment says no other decimals than the warehouse.

    Args:
        recorded: What the warehouse has recorded.
        here: `PRICE_DECIMALS` of the environment, if it is another one; None if it is the same or not set.
    """
    return Check(
        "other_price_decimals",
        "warning",
        f"the warehouse's prices keep {recorded} decimals"
        + ("" if here is None else f", and PRICE_DECIMALS is {here} here"),
        "the same",
        f"This report used the warehouse's. Set PRICE_DECIMALS={recorded}: with another value, nobody can write to it.",
        [] if here is None else [{"warehouse": recorded, "environment": here}],
    )


def _as_amounts(prices: pl.DataFrame, price_decimals: int) -> pl.DataFrame:
    return amounts(prices, price_decimals, "price", "discount_price")


def _rounded(events: Parts) -> pl.DataFrame:
    """Count the rounded prices of each member, with the first of them and the most decimals."""
    sent = events.frames(*FIRST, "rounded")
    parts = (part.explode("rounded").drop_nulls("rounded").unnest("rounded") for part in sent)
    members = grouped(parts, "member", first=["value"], most=["decimals"])
    return members.select("member", "first_seen", "key", "value", "events", "decimals")


def _reason(price_decimals: int) -> pl.Expr:
    """Say why an event's prices can be no amounts; null if they can."""
    unit = 10**price_decimals
    price, discount = pl.col(PRICE), pl.col(DISCOUNT)
    is_percentage = (discount <= MOST_PERCENT * unit) & (discount * LEAST_SHARE < price)
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
