"""Checks of what events say: missing and unknown members, and values that fit no column."""

from collections.abc import Iterator

import polars as pl

from analysis.checks.validation.evidence.parts import Parts
from analysis.checks.validation.finding import Check, counted, grouped
from analysis.checks.validation.senders.publishers import never_sent
from chalicelib.contract import EVENT_NAMES

__all__ = ["content_checks"]

FIRST = ("event_timestamp", "key")


def content_checks(events: Parts) -> list[Check]:
    """Check the members of each event."""
    senders = ("publisher", "event_name")
    missing = grouped(_missing(events), *senders, "field")
    is_unknown = ~pl.col("event_name").is_in(EVENT_NAMES) & _is_named()
    names = grouped(events.where(is_unknown).frames("event_name", *FIRST), "event_name")
    unknown = (part.explode("unknown").drop_nulls("unknown") for part in events.frames("unknown", *FIRST))
    fields = grouped(unknown, "unknown")
    parts = (part.explode("lost").drop_nulls("lost").unnest("lost") for part in events.frames(*senders, "lost", *FIRST))
    lost = grouped(parts, *senders, "column", "member", "reason")
    return [
        Check(
            "missing_fields",
            "warning",
            counted(int(missing["events"].sum()), "required member is missing", "required members are missing"),
            "none",
            "Add each member where the event is sent. docs/contract.md lists the members that each event needs.",
            missing.to_dicts(),
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
            counted(int(lost["events"].sum()), "value does not fit its column", "values do not fit their columns"),
            "none",
            "The column, or the field of raw, is NULL; the object keeps the value. Correct the value where it is sent.",
            lost.to_dicts(),
        ),
    ]


def _missing(events: Parts) -> Iterator[pl.DataFrame]:
    """Give the missing members of each event. Members that a publisher never sends are left out."""
    never = never_sent(events)
    for part in events.frames("publisher", "event_name", "missing", *FIRST):
        missing = part.explode("missing").rename({"missing": "field"}).drop_nulls("field")
        yield missing.join(never, on=["publisher", "field"], how="anti", nulls_equal=True)


def _is_named() -> pl.Expr:
    """Whether an event has a name: one without counts as a missing member, not as an unknown name."""
    return ~pl.col("missing").list.contains("eventName")
