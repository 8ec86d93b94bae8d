"""Checks of decimals: prices that were rounded, and a warehouse that keeps other decimals than the environment says."""

from collections.abc import Iterator
from decimal import Decimal, DecimalException

import polars as pl

from analysis.checks.validation.finding import Check, counted
from chalicelib.contract import columns_with
from chalicelib.convert import to_number
from chalicelib.json_object import Json, JsonObject
from chalicelib.settings import MOST_PRICE_DECIMALS

__all__ = ["other_decimals_check", "rounded_prices", "rounding_check"]


def rounded_prices(payload: JsonObject, price_decimals: int) -> Iterator[dict[str, object]]:
    """Give `member`, `value` (as sent) and `decimals` (as many as it has) of each price that its column rounds."""
    for column in columns_with(price_decimals):
        if column.is_price:
            member, _ = column.origin(payload)
            value = None if member is None else to_number(_member(payload, member))
            if value is not None and (decimals := _decimals(value)) > price_decimals:
                yield {"member": member, "value": value, "decimals": decimals}


def rounding_check(events: pl.DataFrame, price_decimals: int) -> Check:
    """Check that prices fit the decimals that are kept.

    Args:
        events: The events, as `describe` gives them.
        price_decimals: How many decimals are kept.
    """
    sent = events.sort("event_timestamp", "key").select("event_timestamp", "key", "rounded").explode("rounded")
    rounded = sent.drop_nulls("rounded").unnest("rounded").rename({"event_timestamp": "first_seen"})
    members = (
        rounded.group_by("member", maintain_order=True)
        .agg(pl.col("first_seen", "key", "value").first(), events=pl.len(), decimals=pl.col("decimals").max())
        .sort("member")
    )
    return Check(
        "rounded_prices",
        "warning",
        counted(rounded.height, "price was rounded", "prices were rounded"),
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


def _member(payload: JsonObject, path: str) -> Json:
    found: Json = payload
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _decimals(number: str) -> int:
    """Count the decimals that a number has, without zeros at the end."""
    try:
        _, digits, exponent = Decimal(number).as_tuple()
    except DecimalException:  # an exponent beyond all bounds
        return MOST_PRICE_DECIMALS + 1
    significant = "".join(map(str, digits)).rstrip("0")
    return max(0, len(significant) - len(digits) - int(exponent)) if significant else 0
