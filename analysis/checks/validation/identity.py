"""Checks of objects and ids: corrupt, repeated, without a usable id, in the wrong partition."""

import polars as pl

from analysis.checks.validation.finding import Check

__all__ = ["identity_checks"]

UUID = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"


def identity_checks(objects: pl.DataFrame, events: pl.DataFrame) -> list[Check]:
    """Check every object of `describe`, and its events: the objects without rejects and repetitions."""
    rejects = objects.filter(pl.col("corrupt").is_not_null())
    sent = objects.filter(pl.col("corrupt").is_null())
    repeated = sent.join(events, on="key", how="anti")
    nameless = events.filter(pl.col("sent_event_id").is_null())
    odd = events.filter(~pl.col("sent_event_id").str.contains(UUID))
    hours = events.filter(pl.col("received_at").dt.truncate("1h") != pl.col("partition"))
    return [
        Check(
            "rejects",
            "warning",
            f"{rejects.height:,} objects are no events",
            "none",
            "Look at them with `python -m analysis validate --json`: whoever put them there bypassed ingest.",
            rejects.select("key", reason="corrupt").to_dicts(),
        ),
        Check(
            "repeated_event_ids",
            "info",
            f"{repeated.height:,} objects repeat an event",
            "none",
            "Sent again because a receipt was lost, and counted once. Many of them mean that connections break often.",
            repeated.select("key", "event_id").to_dicts(),
        ),
        Check(
            "missing_event_ids",
            "warning",
            f"{nameless.height:,} events have no eventId",
            "none",
            "Send an eventId (a UUID) with each event: without one, an event that is sent again is another event.",
            nameless.select("key").to_dicts(),
        ),
        Check(
            "event_ids_that_are_no_uuid",
            "warning",
            f"{odd.height:,} events have an eventId that is no UUID",
            "none",
            "Send UUIDs: other ids are hashed to one, and short ones repeat sooner than one would think.",
            odd.select("key", event_id="sent_event_id").to_dicts(),
        ),
        Check(
            "wrong_partitions",
            "error",
            f"{hours.height:,} objects are in another hour than that of their receipt",
            "none",
            "Move them to the hour of `_ingest.receivedAt`: readers look for them there.",
            hours.select("key", "received_at").to_dicts(),
        ),
    ]
