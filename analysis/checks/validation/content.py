"""Checks of what events say: missing and unknown members, values that fit no column, and impossible prices."""

import polars as pl

from analysis.checks.validation.finding import Check, counted
from analysis.prices import amounts
from chalicelib.contract import EVENT_NAMES

__all__ = ["content_checks"]


def content_checks(events: pl.DataFrame, price_decimals: int = 0) -> list[Check]:
    """Check the members of each event; its prices keep so many decimals."""
    missing = events.explode("missing").filter(pl.col("missing").is_not_null())
    names = _drift(events.filter(~pl.col("event_name").is_in(EVENT_NAMES) & _is_named(events)), "event_name")
    fields = _drift(events.explode("unknown").filter(pl.col("unknown").is_not_null()), "unknown")
    lost = events.select("key", "lost").explode("lost").filter(pl.col("lost").is_not_null()).unnest("lost")
    prices = ("price", "discount_price")
    dear = events.filter(pl.col("discount_price") > pl.col("price"))
    return [
        Check(
            "missing_fields",
            "warning",
            counted(missing.height, "required member is missing", "required members are missing"),
            "none",
            "Add each member where the event is sent. docs/contract.md lists the members that each event needs.",
            missing.select("key", "event_name", field="missing").to_dicts(),
        ),
        Check(
            "unknown_event_names",
            "warning",
            counted(names.height, "event name is not in the contract", "event names are not in the contract"),
            "none",
            "Correct the name where it is sent, or add it to EVENT_NAMES of the contract.",
            names.to_dicts(),
        ),
        Check(
            "unknown_fields",
            "warning",
            counted(fields.height, "member is not in the contract", "members are not in the contract"),
            "none",
            "Only raw keeps such a member. Correct its spelling, or add it to the contract if the warehouse needs it.",
            fields.rename({"unknown": "field"}).to_dicts(),
        ),
        Check(
            "lost_values",
            "warning",
            counted(lost.height, "value does not fit its column", "values do not fit their columns"),
            "none",
            "The column is NULL; raw keeps the value. Correct the value where it is sent.",
            lost.to_dicts(),
        ),
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
            amounts(dear.select("key", *prices), price_decimals, *prices).to_dicts(),
        ),
    ]


def _is_named(events: pl.DataFrame) -> pl.Series:
    """Whether each event has a name: one without counts as a missing member, not as an unknown name."""
    return ~events["missing"].list.contains("eventName")


def _drift(events: pl.DataFrame, name: str) -> pl.DataFrame:
    """Count the events of each value; `first_seen` and `key` are the time and the object of the first of them."""
    ordered = events.sort("event_timestamp", "key").rename({"event_timestamp": "first_seen"})
    first = pl.col("first_seen", "key").first()
    return ordered.group_by(name, maintain_order=True).agg(first, events=pl.len()).sort(name)
