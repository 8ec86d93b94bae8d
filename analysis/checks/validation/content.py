"""Checks of what events say: missing and unknown members, and values that fit no column."""

import polars as pl

from analysis.checks.validation.finding import Check, counted, grouped
from analysis.checks.validation.senders.publishers import never_sent
from chalicelib.contract import EVENT_NAMES

__all__ = ["content_checks"]


def content_checks(events: pl.DataFrame) -> list[Check]:
    """Check the members of each event."""
    missing = events.explode("missing").rename({"missing": "field"}).drop_nulls("field")
    missing = missing.join(never_sent(events), on=["publisher", "field"], how="anti", nulls_equal=True)
    names = grouped(events.filter(~pl.col("event_name").is_in(EVENT_NAMES) & _is_named(events)), "event_name")
    fields = grouped(events.explode("unknown").drop_nulls("unknown"), "unknown")
    lost = events.explode("lost").drop_nulls("lost").unnest("lost")
    return [
        Check(
            "missing_fields",
            "warning",
            counted(missing.height, "required member is missing", "required members are missing"),
            "none",
            "Add each member where the event is sent. docs/contract.md lists the members that each event needs.",
            grouped(missing, "publisher", "event_name", "field").to_dicts(),
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
            "The column, or the field of raw, is NULL; the object keeps the value. Correct the value where it is sent.",
            grouped(lost, "publisher", "event_name", "column", "member", "reason").to_dicts(),
        ),
    ]


def _is_named(events: pl.DataFrame) -> pl.Series:
    """Whether each event has a name: one without counts as a missing member, not as an unknown name."""
    return ~events["missing"].list.contains("eventName")
