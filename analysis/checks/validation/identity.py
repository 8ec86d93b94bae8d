"""Checks of objects and ids: stray keys, rejects, duplicates, unusable ids, and wrong partitions."""

from collections.abc import Iterable

import polars as pl

from analysis.checks.validation.finding import Check, counted
from analysis.raw.strays import Stray

__all__ = ["identity_checks", "stray_check"]

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


def identity_checks(
    objects: pl.DataFrame, events: pl.DataFrame, earlier: pl.DataFrame, elsewhere: pl.DataFrame
) -> list[Check]:
    """Check objects and ids.

    Args:
        objects: The objects, as `describe` gives them.
        events: The events among them: no rejects, no duplicates.
        earlier: The objects of the hours before, of which duplicates may be: `event_id`, `key`, `event_timestamp`.
        elsewhere: Objects of other hours whose rows belong to these hours, as `describe` gives them.
    """
    rejects = objects.filter(pl.col("corrupt").is_not_null())
    sent = objects.filter(pl.col("corrupt").is_null())
    repeated = _repeated(sent.join(events, on="key", how="anti"), events, earlier)
    others = repeated.filter("is_of_another_hour").height
    nameless = events.filter(pl.col("sent_event_id").is_null())
    odd = events.filter(~pl.col("sent_event_id").str.contains(UUID))
    placed = pl.concat([events, elsewhere])
    hours = placed.filter(pl.col("received_at").dt.truncate("1h").ne_missing(pl.col("partition")) & _is_received())
    bypassed = placed.filter(~_is_received())
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


def _repeated(repeated: pl.DataFrame, events: pl.DataFrame, earlier: pl.DataFrame) -> pl.DataFrame:
    """Add each duplicate's first object: `first_key`, `first_received` (UTC), and whether that has another hour."""
    names = ("event_id", "event_timestamp", "key")
    known = pl.concat([earlier.select(names), events.select(names)]).sort("event_timestamp", "key")
    first = known.unique("event_id", keep="first", maintain_order=True)
    firsts = first.select("event_id", first_key="key", first_received="event_timestamp")
    hour, first_hour = (pl.col(name).dt.truncate("1h") for name in ("event_timestamp", "first_received"))
    found = repeated.join(firsts, on="event_id", how="left", maintain_order="left")
    return found.with_columns(is_of_another_hour=(hour != first_hour).fill_null(value=False))
