"""Checks of objects and ids: stray keys, rejects, duplicates, unusable ids, and wrong partitions."""

from collections.abc import Iterable

import polars as pl

from analysis.checks.validation.evidence.parts import Parts
from analysis.checks.validation.finding import Check, counted
from analysis.raw.strays import Stray

__all__ = ["identity_checks", "stray_check"]

FOUND = ("event_timestamp", "key", "sent_event_id", "received_at")

UUID = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"


def stray_check(found: Iterable[Stray]) -> Check:
    """Report strays."""
    findings = [stray._asdict() for stray in found]
    return Check(
        "stray_objects",
        "warning",
        counted(
            len(findings),
            "key below events/ is not that of an event",
            "keys below events/ are not those of events",
        ),
        "none",
        "No metric counts these objects. Each finding says what to do. A key that ends with a slash is a whole folder.",
        findings,
    )


def identity_checks(objects: Parts, events: Parts, repeated: pl.DataFrame, elsewhere: pl.DataFrame) -> list[Check]:
    """Check objects and ids.

    Args:
        objects: The objects, as `describe` gives them.
        events: The events among them: no rejects, no duplicates.
        repeated: The duplicates among them, as `judge` gives them.
        elsewhere: Objects of other hours whose rows belong to these hours, as `describe` gives them.
    """
    rejects = objects.where(pl.col("corrupt").is_not_null()).collect("key", "corrupt").sort("key")
    others = repeated.filter("is_of_another_hour").height
    nameless = _found(events, pl.col("sent_event_id").is_null())
    odd = _found(events, ~pl.col("sent_event_id").str.contains(UUID))
    is_moved = _is_received() & pl.col("received_at").dt.truncate("1h").ne_missing(pl.col("partition"))
    hours, bypassed = (
        pl.concat([_found(events, condition), elsewhere.filter(condition).select(FOUND)])
        for condition in (is_moved, ~_is_received())
    )
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
            counted(
                repeated.height,
                f"object is a duplicate of an event ({others:,} of an event of another hour)",
                f"objects are duplicates of events ({others:,} of events of another hour)",
            ),
            "none",
            "A browser got no response and sent the event again. It counts once, when it was first received: whoever "
            "counts objects by the hour counts it twice. Many duplicates mean bad connections.",
            repeated.sort("is_of_another_hour", descending=True, maintain_order=True)
            .select("key", "event_id", "first_key", "first_received")
            .to_dicts(),
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
        Check(
            "objects_without_receipt",
            "warning",
            counted(bypassed.height, "event has no _ingest.receivedAt", "events have no _ingest.receivedAt"),
            "none",
            "Another program than ingest wrote the object. Its row has the time that is shown, which need not be in "
            "the hour of its key. Send such events to ingest.",
            bypassed.select("key", "event_timestamp").to_dicts(),
        ),
    ]


def _is_received() -> pl.Expr:
    return pl.col("received_at").is_not_null()


def _found(events: Parts, condition: pl.Expr) -> pl.DataFrame:
    """Give what findings say of the events that meet a condition, in the order of receipt."""
    return events.where(condition).collect(*FOUND).sort("event_timestamp", "key")
