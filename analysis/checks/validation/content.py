"""Checks of what events say: members that are missing, unknown or lost, and prices that cannot be."""

import polars as pl

from analysis.checks.validation.finding import Check
from chalicelib.contract import EVENT_NAMES

__all__ = ["content_checks"]


def content_checks(events: pl.DataFrame) -> list[Check]:
    """Check the members of each event."""
    missing = events.explode("missing").filter(pl.col("missing").is_not_null())
    names = _drift(events.filter(~pl.col("event_name").is_in(EVENT_NAMES) & _is_named(events)), "event_name")
    fields = _drift(events.explode("unknown").filter(pl.col("unknown").is_not_null()), "unknown")
    lost = events.select("key", "lost").explode("lost").filter(pl.col("lost").is_not_null()).unnest("lost")
    dear = events.filter(pl.col("discount_price") > pl.col("price"))
    return [
        Check(
            "missing_fields",
            "warning",
            f"{missing.height:,} required members are missing",
            "none",
            "Add them where the event is sent; docs/contract.md says which event needs which.",
            missing.select("key", "event_name", field="missing").to_dicts(),
        ),
        Check(
            "unknown_event_names",
            "warning",
            f"{names.height:,} event names that the contract does not list",
            "none",
            "Correct the name where it is sent, or add it to EVENT_NAMES of the contract.",
            names.to_dicts(),
        ),
        Check(
            "unknown_fields",
            "warning",
            f"{fields.height:,} members that the contract does not list",
            "none",
            "They stay in raw only. Correct the spelling, or add them to the contract if the warehouse needs them.",
            fields.rename({"unknown": "field"}).to_dicts(),
        ),
        Check(
            "lost_values",
            "warning",
            f"{lost.height:,} values did not fit their column",
            "none",
            "The columns are NULL, raw has the values: correct them where they are sent.",
            lost.to_dicts(),
        ),
        Check(
            "discounts_above_price",
            "warning",
            f"{dear.height:,} events have a discount price above the price",
            "none",
            "Look whether the two are swapped where they are sent.",
            dear.select("key", "price", "discount_price").to_dicts(),
        ),
    ]


def _is_named(events: pl.DataFrame) -> pl.Series:
    """An event without a name lacks a member; its name is none that is unknown."""
    return ~events["missing"].list.contains("eventName")


def _drift(events: pl.DataFrame, name: str) -> pl.DataFrame:
    """Each value, how often it occurs, and when and where it was first received."""
    ordered = events.sort("event_timestamp", "key").rename({"event_timestamp": "first_seen"})
    first = pl.col("first_seen", "key").first()
    return ordered.group_by(name, maintain_order=True).agg(first, events=pl.len()).sort(name)
