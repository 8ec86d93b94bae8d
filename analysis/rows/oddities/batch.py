"""Finds what is odd about many events at once, and one by one where the quick way is not certain to be exact."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import Any

import msgspec
import polars as pl

from analysis.rows.columns import expressions, source_series
from analysis.rows.members import Values
from analysis.rows.oddities.judging import (
    KEPT,
    LISTED,
    OBJECTS,
    REQUIRED_BY_NAME,
    Lost,
    lost_values,
    member_at,
    missing_members,
    missing_of,
    required_sources,
    unknown_members,
)
from analysis.rows.oddities.rounding import Rounded, price_columns, rounded_of, rounded_prices
from analysis.rows.projection import UNUSUAL, Decoded
from chalicelib.contract import COLUMNS, Column
from chalicelib.errors import InvalidEvent
from chalicelib.json_object import JsonObject, decode, parse

__all__ = ["INNER", "Oddities", "oddities_of", "oddities_of_batch"]

NAME = next(column for column in COLUMNS if column.name == "event_name")
# Required members that are neither columns nor raw fields: they lie in members whose JSON text may be all there is.
INNER = tuple(path for names in REQUIRED_BY_NAME.values() for path in names if "." in path)


class Oddities(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is odd about one event, as docs/metrics.md defines it.

    Attributes:
        missing: The required members that it lacks.
        unknown: The members that the contract does not know.
        lost: `column`, `member` and `reason` of each value that does not fit its column.
        rounded: `member`, `value` and `decimals` of each price that has more decimals than its column.
    """

    missing: list[str] = []
    unknown: list[str] = []
    lost: list[Lost] = []
    rounded: list[Rounded] = []

    @property
    def is_nothing(self) -> bool:
        """Whether nothing is odd."""
        return not (self.missing or self.unknown or self.lost or self.rounded)

    @property
    def text(self) -> str:
        """These as JSON, in ASCII, without what is empty."""
        return json.dumps(msgspec.to_builtins(self), separators=(",", ":"))


def oddities_of(payload: JsonObject, price_decimals: int) -> Oddities:
    """Judge one event, by the contract's own mapping; prices keep so many decimals."""
    return Oddities(
        missing_members(payload, str(NAME.value(payload))),
        unknown_members(payload),
        list(lost_values(payload)),
        list(rounded_prices(payload, price_decimals)),
    )


def oddities_of_batch(
    bodies: Sequence[bytes],
    decoded: Decoded,
    price_decimals: int,
    *,
    unusual: bool = True,
) -> dict[int, Oddities]:
    """Judge the events of a batch.

    Args:
        bodies: The objects.
        decoded: What `Projection.together` gives of them. The projection has the contract's columns, KEPT (but the
            browser's time may be read as another type), and INNER, or the members in which these lie.
        price_decimals: How many decimals the prices keep.
        unusual: Also judge the events whose row may be wrong.

    Returns:
        What is odd, by the place in the batch; nothing of other events, and of objects that are not events.
    """
    places, values, rows = decoded
    unusual_rows = set(rows[UNUSUAL].arg_true())
    apart = unusual_rows.union(_lost(values, rows))
    found = dict(_quick(bodies, decoded, apart, price_decimals))
    one_by_one = {places[row] for row in (apart if unusual else apart - unusual_rows)}
    if unusual and len(places) < len(bodies):
        one_by_one.update(set(range(len(bodies))).difference(places))
    for place in sorted(one_by_one):
        try:
            odd = oddities_of(parse(decode(bodies[place])), price_decimals)
        except InvalidEvent:
            continue
        if not odd.is_nothing:
            found[place] = odd
    return found


def _quick(
    bodies: Sequence[bytes], decoded: Decoded, apart: set[int], price_decimals: int
) -> Iterator[tuple[int, Oddities]]:
    """Judge the events all of whose values are in their columns; `apart` has the rows of others."""
    places, values, rows = decoded
    missing = _missing(values, rows["event_name"], apart)
    unknown = _unknown([bodies[place] for place in places], apart)
    rounded = _rounded(values, apart, price_decimals)
    for row in sorted({*missing, *unknown, *rounded}):
        yield places[row], Oddities(missing.get(row, []), unknown.get(row, []), [], rounded.get(row, []))


def _lost(values: Mapping[str, Values], rows: pl.DataFrame) -> Iterator[int]:
    """Give the rows in which a column may be null although a member has a value."""
    for column in KEPT:
        found = rows[column.name] if column.name in rows.columns else _converted(column, values)
        nulls = found.is_null().arg_true().to_list()
        for source in column.sources:
            sent = values[source]
            yield from (row for row in nulls if (value := sent[row]) is not None and value != "")


def _converted(column: Column, values: Mapping[str, Values]) -> pl.Series:
    """Give a column; null where the quick way is not certain to be exact."""
    unusual: set[int] = set()
    found, _ = expressions(column)
    series = pl.DataFrame(list(source_series(column, values, unusual))).select(found).to_series()
    return series.scatter(sorted(unusual), None) if unusual else series


def _missing(values: Mapping[str, Values], names: pl.Series, apart: set[int]) -> dict[int, list[str]]:
    """List the required members that are missing, by row."""
    lacking: set[int] = set()
    inner: dict[str, dict[int, Any]] = {}
    by_name = names.to_frame("name").with_row_index("row").partition_by("name", as_dict=True)
    for (name,), found in by_name.items():
        here = found["row"].to_list()
        for sources in required_sources(str(name)):
            without = here
            for source in sources:
                if source not in values:
                    inner[source] = known = inner.get(source, {}) | _inner(values, source, here)
                    without = [row for row in without if known[row] is None or known[row] == ""]
                else:
                    without = _absent(values[source], without)
            lacking.update(without)

    def value_of(row: int, source: str) -> Any:  # noqa: ANN401  # any JSON value
        return values[source][row] if source in values else inner[source][row]

    return {row: missing_of(partial(value_of, row), str(names[row])) for row in lacking - apart}


def _inner(values: Mapping[str, Values], path: str, rows: Iterable[int]) -> dict[int, Any]:
    """Read a member of members whose JSON text is known."""
    outer, _, name = path.rpartition(".")
    read = _decoder_of(name).decode
    found: dict[int, Any] = {}
    texts = values[outer]
    for row in rows:
        text = bytes(texts[row])
        try:
            found[row] = read(text).found if text else None
        except msgspec.MsgspecError:
            found[row] = _inner_exactly(text, name)
    return found


def _inner_exactly(text: bytes, name: str) -> Any:  # noqa: ANN401  # any JSON value
    try:
        return member_at(parse(decode(text)), name)
    except InvalidEvent:
        return None  # not an object


@cache
def _decoder_of(name: str) -> "msgspec.json.Decoder[Any]":
    """Make a decoder of one member of an object."""
    return msgspec.json.Decoder(msgspec.defstruct("Inner", [("found", Any, None)], rename={"found": name}, gc=False))


def _absent(values: Values, rows: Iterable[int]) -> list[int]:
    """Choose the rows in which a member is absent, null or `""`, as `is_present` judges; without a call for each."""
    return [row for row in rows if (value := values[row]) is None or value == ""]


def _rounded(values: Mapping[str, Values], apart: set[int], price_decimals: int) -> dict[int, list[Rounded]]:
    """List the rounded prices, by row. A whole number is never rounded."""
    prices = [values[source] for column in price_columns(price_decimals) for source in column.sources]
    odd = {row for found in prices for row, value in enumerate(found) if value is not None and type(value) is not int}
    found = {
        row: list(rounded_of(lambda source, row=row: _number(values[source][row]), price_decimals))  # type: ignore[misc]
        for row in odd - apart
    }
    return {row: rounded for row, rounded in found.items() if rounded}


def _number(value: Any) -> Any:  # noqa: ANN401  # any JSON value
    """Give a value as the contract's parser does, in which a number is its spelling."""
    return str(value) if type(value) is int else value


def _unknown(bodies: Iterable[bytes], apart: set[int]) -> dict[int, list[str]]:
    """List the members that the contract does not know, by row."""
    refuse_others = _strict_decoder().decode
    found: dict[int, list[str]] = {}
    for row, body in enumerate(bodies):
        try:
            refuse_others(body)
        except msgspec.MsgspecError:
            if row not in apart and (unknown := unknown_members(parse(decode(body)))):
                found[row] = unknown
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
