"""Describes many objects at once, and one by one those for which the quick way is not certain to be exact."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache, lru_cache

import polars as pl

from analysis.checks.validation.objects import DROPS, SCHEMA, describe_each
from analysis.raw.objects import Batch
from analysis.raw.partitions import hour_of
from analysis.rows.browser_time import SENT_AT
from analysis.rows.fields import RAW_FIELDS, fields_named
from analysis.rows.oddities.batch import INNER, oddities_of_batch
from analysis.rows.oddities.judging import KEPT
from analysis.rows.projection import UNUSUAL, Decoded, Projection
from analysis.rows.selection import ORDER
from chalicelib.contract import Column

__all__ = ["ODD", "describe", "describing_projection", "from_fields"]

PUBLISHER = ("publisher_name", "publisher_version")
FIELDS = fields_named(
    field.name
    for field in RAW_FIELDS
    if field in KEPT or field.name in {"sent_event_id", "received_at", "source_ip", "user_agent", ORDER}
)
# Members that are looked at besides those of the columns and raw fields.
MEMBERS = tuple(Column(path, "TEXT", (path,)) for path in INNER if not path.startswith(f"{ORDER}."))
ODD = ("missing", "unknown", "lost", "rounded")
FOLDERS = 4096  # whose hours are remembered


def describe(
    objects: Iterable[tuple[str, bytes]],
    last_modified: Callable[[str], datetime],
    price_decimals: int = 0,
    also: Callable[[Batch, Decoded], object] | None = None,
) -> pl.DataFrame:
    """Describe objects.

    Args:
        objects: Pairs of key and body.
        last_modified: Gives the LastModified of a key. It is called for objects without `_ingest.receivedAt`, and for
            unusual ones.
        price_decimals: How many decimals the prices keep.
        also: Takes the objects, and what `together` of a `describing_projection` gives of them.

    Returns:
        One row per object, with the columns of SCHEMA, in the given order.
    """
    pairs = list(objects)
    keys, bodies = [key for key, _ in pairs], [body for _, body in pairs]
    decoded = _projection(price_decimals).together((keys, bodies))
    if also is not None:
        also((keys, bodies), decoded)
    places, _, rows = decoded
    together = rows.with_columns(pl.Series("place", places, pl.UInt32)).filter(~pl.col(UNUSUAL))
    others = sorted(set(range(len(pairs))).difference(together["place"]))
    rest = describe_each((pairs[place] for place in others), last_modified, price_decimals)
    quick = from_fields(
        together.with_columns(
            pl.Series("partition", [_hour(key.rpartition("/")[0]) for key in together["key"]], SCHEMA["partition"])
        )
    )
    odd = oddities_of_batch(bodies, decoded, price_decimals, unusual=False)
    for name in ODD:
        # Few rows have any: Polars takes long to make each list.
        lists = {place: found for place, each in odd.items() if (found := getattr(each, name))}
        some = pl.DataFrame({"place": lists.keys(), name: lists.values()}, {"place": pl.UInt32, name: SCHEMA[name]})
        quick = quick.join(some, on="place", how="left", maintain_order="left")
        quick = quick.with_columns(pl.col(name).fill_null(pl.lit([], SCHEMA[name])))
    unseen = quick["seen_at"].is_null()
    if unseen.any():
        stored = [
            last_modified(key) if is_unseen else None for key, is_unseen in zip(quick["key"], unseen, strict=True)
        ]
        quick = quick.with_columns(pl.col("seen_at").fill_null(pl.Series(stored, dtype=SCHEMA["seen_at"])))
    rest = rest.with_columns(pl.Series("place", others, pl.UInt32))
    return pl.concat([quick.select("place", *SCHEMA), rest.select("place", *SCHEMA)]).sort("place").drop("place")


def from_fields(events: pl.DataFrame) -> pl.DataFrame:
    """Add the columns of SCHEMA that follow from the contract's columns and raw fields.

    `seen_at` is null where `received_at` is.
    """
    return events.with_columns(
        pl.lit(None, pl.String).alias("corrupt"),
        pl.when(pl.any_horizontal(pl.col(DROPS).is_not_null())).then(pl.sum_horizontal(DROPS)).alias("drops"),
        pl.when(pl.any_horizontal(pl.col(PUBLISHER).is_not_null()))
        .then(pl.concat_str(PUBLISHER, separator=" ", ignore_nulls=True))
        .alias("publisher"),
        pl.col(SENT_AT.name).alias("sent_at"),
        pl.col("received_at").alias("seen_at"),
    )


def describing_projection(last_modified: Callable[[str], datetime], price_decimals: int) -> Projection:
    """Make the projection by which objects are described; arguments are as in `describe`."""
    return Projection((*FIELDS, SENT_AT, *MEMBERS), last_modified, price_decimals=price_decimals)


@cache
def _projection(price_decimals: int) -> Projection:
    return describing_projection(_never, price_decimals)


def _never(key: str) -> datetime:
    raise AssertionError(key)  # `together` asks for no time


@lru_cache(FOLDERS)
def _hour(folder: str) -> datetime | None:
    return hour_of(f"{folder}/")
