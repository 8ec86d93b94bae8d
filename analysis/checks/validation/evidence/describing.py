"""Describes many objects at once, and one by one those for which the quick way is not certain to be exact."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

import msgspec
import polars as pl

from analysis.checks.validation.members import (
    KEPT,
    LISTED,
    OBJECTS,
    REQUIRED_BY_NAME,
    missing_of,
    required_sources,
    unknown_members,
)
from analysis.checks.validation.objects import DROPS, SCHEMA, describe_each
from analysis.checks.validation.prices import price_columns, rounded_of
from analysis.raw.partitions import hour_of
from analysis.rows.browser_time import SENT_AT
from analysis.rows.fields import RAW_FIELDS, fields_named
from analysis.rows.members import Values
from analysis.rows.projection import UNUSUAL, Projection
from chalicelib.contract import Column
from chalicelib.json_object import decode, parse

__all__ = ["describe"]

PUBLISHER = ("publisher.name", "publisher.version")
# Members that are looked at besides those of the columns and raw fields.
MEMBERS = tuple(
    Column(path, "TEXT", (path,))
    for path in (*PUBLISHER, *(name for names in REQUIRED_BY_NAME.values() for name in names if "." in name))
)
FIELDS = fields_named(
    field.name
    for field in RAW_FIELDS
    if field in KEPT or field.name in {"sent_event_id", "received_at", "source_ip", "user_agent"}
)
PLAIN = ("event_id", "sent_event_id", "received_at", "tab_id", "seq", "source_ip", "user_agent")
FOLDERS = 4096  # whose hours are remembered


def describe(
    objects: Iterable[tuple[str, bytes]], last_modified: Callable[[str], datetime], price_decimals: int = 0
) -> pl.DataFrame:
    """Describe objects.

    Args:
        objects: Pairs of key and body.
        last_modified: Gives the LastModified of a key. It is called for objects without `_ingest.receivedAt`, and for
            unusual ones.
        price_decimals: How many decimals the prices keep.

    Returns:
        One row per object, with the columns of SCHEMA, in the given order.
    """
    pairs = list(objects)
    keys, bodies = [key for key, _ in pairs], [body for _, body in pairs]
    places, values, rows = _projection(price_decimals).together((keys, bodies))
    unusual = set(rows[UNUSUAL].arg_true()).union(_lost(values, rows))
    usual = pl.Series("row", [row for row in range(len(places)) if row not in unusual], pl.UInt32)
    others = sorted(set(range(len(pairs))).difference(places[row] for row in usual))
    rest = describe_each((pairs[place] for place in others), last_modified, price_decimals)
    here = [bodies[place] for place in places]
    quick = (
        rows.with_row_index("row")
        .with_columns(
            pl.Series("place", places, pl.UInt32),
            pl.Series("partition", [_hour(key.rpartition("/")[0]) for key in rows["key"]], SCHEMA["partition"]),
            pl.lit(None, pl.String).alias("corrupt"),
            pl.when(pl.any_horizontal(pl.col(DROPS).is_not_null())).then(pl.sum_horizontal(DROPS)).alias("drops"),
            pl.when(pl.any_horizontal(pl.col(PUBLISHER).is_not_null()))
            .then(pl.concat_str(PUBLISHER, separator=" ", ignore_nulls=True))
            .alias("publisher"),
            pl.col(SENT_AT.name).alias("sent_at"),
            pl.col("received_at").alias("seen_at"),
        )
        .join(usual.to_frame(), on="row", how="semi", maintain_order="left")
    )
    lists: dict[str, dict[int, Any]] = {
        "missing": _missing(values, rows["event_name"]),
        "unknown": _unknown(here, unusual),
        "lost": {},
        "rounded": _rounded(values, price_decimals),
    }
    for name, found in lists.items():
        # Few rows have any: Polars takes long to make each list.
        some = pl.DataFrame({"row": list(found), name: list(found.values())}, {"row": pl.UInt32, name: SCHEMA[name]})
        quick = quick.join(some, on="row", how="left", maintain_order="left")
        quick = quick.with_columns(pl.col(name).fill_null(pl.lit([], SCHEMA[name])))
    unseen = quick["seen_at"].is_null()
    if unseen.any():
        stored = [
            last_modified(key) if is_unseen else None for key, is_unseen in zip(quick["key"], unseen, strict=True)
        ]
        quick = quick.with_columns(pl.col("seen_at").fill_null(pl.Series(stored, dtype=SCHEMA["seen_at"])))
    together = pl.concat(
        [
            quick.select("place", *SCHEMA),
            rest.insert_column(0, pl.Series("place", others, pl.UInt32)).select("place", *SCHEMA),
        ]
    )
    return together.sort("place").drop("place")


@cache
def _projection(price_decimals: int) -> Projection:
    return Projection((*FIELDS, SENT_AT, *MEMBERS), _never, price_decimals=price_decimals)


def _never(key: str) -> datetime:
    raise AssertionError(key)  # `together` asks for no time


@lru_cache(FOLDERS)
def _hour(folder: str) -> datetime | None:
    return hour_of(f"{folder}/")


def _lost(values: Mapping[str, Values], rows: pl.DataFrame) -> Iterator[int]:
    """Give the rows in which a column may be null although a member has a value."""
    for column in KEPT:
        nulls = rows[column.name].is_null().arg_true().to_list()
        for source in column.sources:
            yield from set(nulls).difference(_absent(values[source], nulls))


def _missing(values: Mapping[str, Values], names: pl.Series) -> dict[int, list[str]]:
    """List the required members that are missing, by row."""
    lacking: set[int] = set()
    by_name = names.to_frame("name").with_row_index("row").partition_by("name", as_dict=True)
    for (name,), rows in by_name.items():
        for sources in required_sources(str(name)):
            without = rows["row"].to_list()
            for source in sources:
                without = _absent(values[source], without)
            lacking.update(without)
    return {row: missing_of(lambda source, row=row: values[source][row], str(names[row])) for row in lacking}  # type: ignore[misc]


def _absent(values: Values, rows: Iterable[int]) -> list[int]:
    """Choose the rows in which a member is absent, null or `""`, as `is_present` judges; without a call for each."""
    return [row for row in rows if (value := values[row]) is None or value == ""]


def _rounded(values: Mapping[str, Values], price_decimals: int) -> dict[int, list[dict[str, object]]]:
    """List the rounded prices, by row. A whole number is never rounded."""
    prices = [values[source] for column in price_columns(price_decimals) for source in column.sources]
    odd = {row for found in prices for row, value in enumerate(found) if value is not None and type(value) is not int}
    found = {
        row: list(rounded_of(lambda source, row=row: _number(values[source][row]), price_decimals))  # type: ignore[misc]
        for row in odd
    }
    return {row: rounded for row, rounded in found.items() if rounded}


def _number(value: Any) -> Any:  # noqa: ANN401  # any JSON value
    """Give a value as the contract's parser does, in which a number is its spelling."""
    return str(value) if type(value) is int else value


def _unknown(bodies: Iterable[bytes], unusual: set[int]) -> dict[int, list[str]]:
    """List the members that the contract does not know, by row; of unusual objects, none."""
    refuse_others = _strict_decoder().decode
    found: dict[int, list[str]] = {}
    for row, body in enumerate(bodies):
        try:
            refuse_others(body)
        except msgspec.MsgspecError:
            if row not in unusual:
                found[row] = unknown_members(parse(decode(body)))
    return found


@cache
def _strict_decoder() -> "msgspec.json.Decoder[Any]":
    """Make a decoder of objects of which the contract lists every member; it refuses any other."""
    paths = [path.split(".") for path in LISTED]
    others = None | str | int | float | bool | list[Any]
    inner = {
        name: _strict({path[1]: msgspec.Raw for path in paths if path[0] == name and len(path) > 1}) | others
        for name in OBJECTS
    }
    return msgspec.json.Decoder(_strict({path[0]: inner.get(path[0], msgspec.Raw) for path in paths}))


def _strict(members: Mapping[str, Any]) -> Any:  # noqa: ANN401  # a type that is made at run time
    fields = [(name, type_, None) for name, type_ in members.items()]
    return msgspec.defstruct("Listed", fields, forbid_unknown_fields=True, gc=False)
