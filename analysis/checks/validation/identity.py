"""Checks of objects and ids: rejects, duplicates, unusable ids, and wrong partitions."""

import polars as pl

from analysis.checks.validation.finding import Check, counted

__all__ = ["identity_checks"]

UUID = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"


def identity_checks(objects: pl.DataFrame, events: pl.DataFrame) -> list[Check]:
    """Check all `objects`, as `describe` gives them, and their `events`: the objects without rejects and duplicates."""
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
            counted(rejects.height, "object is not an event", "objects are not events"),
            "none",
            "Print each with 'python -m analysis rejects show KEY'. Whoever wrote it bypassed ingest.",
            rejects.select("key", reason="corrupt").to_dicts(),
        ),
        Check(
            "repeated_event_ids",
            "info",
            counted(repeated.height, "object is a duplicate of an event", "objects are duplicates of events"),
            "none",
            "A browser got no response and sent the event again. It counts once. Many duplicates mean bad connections.",
            repeated.select("key", "event_id").to_dicts(),
        ),
        Check(
            "missing_event_ids",
            "warning",
            counted(nameless.height, "event has no eventId", "events have no eventId"),
            "none",
            "Send an eventId (a UUID) with each event. Without one, an event that is sent twice counts twice.",
            nameless.select("key").to_dicts(),
        ),
        Check(
            "event_ids_that_are_no_uuid",
            "warning",
            counted(odd.height, "event has an eventId that is not a UUID", "events have an eventId that is not a UUID"),
            "none",
            "Send UUIDs. Any other id is hashed to a UUID, and two events may soon have the same short id.",
            odd.select("key", event_id="sent_event_id").to_dicts(),
        ),
        Check(
            "wrong_partitions",
            "error",
            counted(
                hours.height, "object is in the wrong hour's partition", "objects are in the wrong hour's partition"
            ),
            "none",
            "Move each object to the partition of its _ingest.receivedAt, where readers look for it.",
            hours.select("key", "received_at").to_dicts(),
        ),
    ]
