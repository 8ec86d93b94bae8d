"""Tells events from duplicates: of each event id, the object that was received first counts."""

from typing import NamedTuple

import polars as pl

from analysis.checks.validation.evidence.parts import Parts

__all__ = ["Judged", "judge"]

NAMES = ("number", "key", "event_id", "event_timestamp")


class Judged(NamedTuple):
    """The events, and the other objects of the same events.

    Attributes:
        events: The events, each once.
        repeated: The duplicates, in the order of receipt: `number`, `key`, `event_id`, `event_timestamp`,
            `first_key`, `first_received` (UTC) and `is_of_another_hour`.
    """

    events: Parts
    repeated: pl.DataFrame


def judge(objects: Parts, earlier: Parts) -> Judged:
    """Choose the first object of each event, by `event_timestamp`, then key.

    Args:
        objects: The objects, as `describe` gives them, with their `number`, and which of them `is_young`: not judged.
        earlier: Objects that were received before: an event that has one is no event of the range.
    """
    sent = objects.where(pl.col("corrupt").is_null() & ~pl.col("is_young"))
    before = earlier.select(pl.lit(None, pl.UInt32).alias("number"), *NAMES[1:])
    known = sent.select(*NAMES) + before
    ids = (frame.filter(pl.col("event_id").is_duplicated()).unique() for frame in known.groups("event_id", "event_id"))
    several = pl.concat(list(ids))
    repeated = _repeated(known.having(several).collect())
    return Judged(sent.without(repeated["key"]), repeated.sort("event_timestamp", "key"))


def _repeated(objects: pl.DataFrame) -> pl.DataFrame:
    """Find the duplicates among all objects of some events; those without a number came earlier."""
    several = objects.filter(pl.col("event_id").is_duplicated())
    ordered = several.sort(pl.col("number").is_not_null(), "event_timestamp", "key")
    first = ordered.unique("event_id", keep="first", maintain_order=True)
    firsts = first.select("event_id", first_key="key", first_received="event_timestamp")
    numbered = several.filter(pl.col("number").is_not_null())
    repeated = numbered.join(first.drop_nulls("number"), on="number", how="anti").join(firsts, on="event_id")
    hour, first_hour = (pl.col(name).dt.truncate("1h") for name in ("event_timestamp", "first_received"))
    return repeated.with_columns(is_of_another_hour=(hour != first_hour).fill_null(value=False))
