"""Converts members to columns with Polars: usual values come out exactly as `chalicelib.convert` gives them.

Rows with a value for which this is not certain are marked as unusual; the contract's own mapping converts them.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import lru_cache, partial
from typing import Any, TypeAlias

import polars as pl

from analysis.rows.browser_time import BROWSER_TIME, MILLISECONDS_FROM
from analysis.rows.fields import JSON
from analysis.rows.members import Values
from chalicelib.contract import Column
from chalicelib.convert import BIGINT_MAX, to_bigint, to_boolean

__all__ = ["DTYPES", "expressions", "is_unusual", "source_series"]

# Polars has no UUID type: a UUID is text in lower case.
DTYPES: Mapping[str, pl.DataType] = {
    "UUID": pl.String(),
    "TIMESTAMPTZ": pl.Datetime("us", "UTC"),
    "TEXT": pl.String(),
    "BOOLEAN": pl.Boolean(),
    "BIGINT": pl.Int64(),
    JSON: pl.String(),
    BROWSER_TIME: pl.Datetime("us", "UTC"),
}

UUID = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
# As ingest and browsers write it. Python and Polars disagree on the year 0 and on second 60.
TIMESTAMP = r"^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z$"
TIMESTAMP_FORMAT = "%Y-%m-%dT%H:%M:%S%.3fZ"
# Seconds or milliseconds since 1970, as programs write them.
EPOCH = "^[1-9](?:[0-9]{9}|[0-9]{12})$"
PRESENT = "is present"
# The types of values that Polars takes for whole numbers as the contract does.
WHOLE = frozenset({int, type(None)})
# The bytes of an absent member, and of null.
NOTHING = frozenset({b"", b"null"})
PRICES = 65536


def expressions(column: Column) -> Iterable[pl.Expr]:
    """Give two expressions over a column's sources: its value, null if unusual, and whether a source has a value."""
    first = _first(column)
    yield _usual(column.type, first).alias(column.name)
    yield first.is_not_null().alias(_name(column, PRESENT))


def is_unusual(column: Column) -> pl.Expr:
    """Whether the contract's own mapping has to give this value, by its conversion or by its fallback."""
    is_null = pl.col(column.name).is_null()
    return is_null if column.fallback else is_null & pl.col(_name(column, PRESENT))


def _usual(type_name: str, first: pl.Expr) -> pl.Expr:
    if type_name == "TEXT":
        return first.str.replace_all("\0", "\ufffd", literal=True)
    if type_name == "UUID":
        return pl.when(first.str.contains(UUID)).then(first.str.to_lowercase())
    if type_name == "TIMESTAMPTZ":
        return _iso(first)
    if type_name == BROWSER_TIME:
        return pl.coalesce(_iso(first), _epoch(first))
    return first


def _iso(text: pl.Expr) -> pl.Expr:
    plain = pl.when(text.str.contains(TIMESTAMP)).then(text)
    return plain.str.to_datetime(TIMESTAMP_FORMAT, time_unit="us", time_zone="UTC", strict=False)


def _epoch(text: pl.Expr) -> pl.Expr:
    number = pl.when(text.str.contains(EPOCH)).then(text).cast(pl.Int64)
    microseconds = number * pl.when(number >= MILLISECONDS_FROM).then(1_000).otherwise(1_000_000)
    return microseconds.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _first(column: Column) -> pl.Expr:
    """Take the first source that is not null and not empty. If it does not convert, the row is unusual."""
    sources = [pl.col(_name(column, source)) for source in column.sources]
    if column.type in {"TEXT", "UUID", "TIMESTAMPTZ", BROWSER_TIME}:
        sources = [pl.when(source != "").then(source) for source in sources]
    return pl.coalesce(sources)


def source_series(column: Column, values: Mapping[str, Values], unusual: set[int]) -> Iterable[pl.Series]:
    """Give a column's sources as series for its `expressions`, and add the places of unusual values to `unusual`."""
    to_series = _SERIES[column.type]
    if column.decimals:
        to_series = partial(_bigints, decimals=column.decimals)
    for source in column.sources:
        yield to_series(values[source], unusual).alias(_name(column, source))


def _name(column: Column, source: str) -> str:
    return f"{column.name} {source}"


def _texts(values: Values, unusual: set[int]) -> pl.Series:
    try:
        return pl.Series(values, dtype=pl.String)
    except TypeError:
        # Zero alone has two spellings as a whole number: 0 and -0.
        unusual.update(place for place, value in enumerate(values) if type(value) is int and value == 0)
        return pl.Series([_spelling(value) for value in values], dtype=pl.String)


def _spelling(value: Any) -> str | None:  # noqa: ANN401  # any JSON value
    """Give text as it is, and a number in its own spelling."""
    if type(value) is int:
        return str(value)
    return value if isinstance(value, str) else None


def _times(values: Values, _unusual: set[int]) -> pl.Series:
    """Take texts only: a number is not a time, whatever its digits look like."""
    try:
        return pl.Series(values, dtype=pl.String)
    except TypeError:
        return pl.Series([value if type(value) is str else None for value in values], dtype=pl.String)


def _booleans(values: Values, _unusual: set[int]) -> pl.Series:
    try:
        return pl.Series(values, dtype=pl.Boolean)
    except TypeError:
        return pl.Series(list(map(to_boolean, values)), dtype=pl.Boolean)


def _bigints(values: Values, _unusual: set[int], decimals: int = 0) -> pl.Series:
    if not decimals and set(map(type, values)) <= WHOLE:
        with suppress(OverflowError, TypeError):  # a number beyond 64 bits
            return pl.Series(values, dtype=pl.Int64)
    # Polars would take true for 1.
    return pl.Series([None if value is None else _bigint(value, decimals) for value in values], dtype=pl.Int64)


def _bigint(value: Any, decimals: int) -> int | None:  # noqa: ANN401  # any JSON value
    if type(value) is int:
        scaled: int = value * 10**decimals
        return scaled if -BIGINT_MAX - 1 <= scaled <= BIGINT_MAX else None
    return _rounded(value, decimals) if isinstance(value, str) else None


# A shop has far fewer prices than events.
_rounded = lru_cache(PRICES)(to_bigint)


def _json(values: Values, _unusual: set[int]) -> pl.Series:
    texts = (bytes(value) for value in values)
    return pl.Series([None if text in NOTHING else text.decode() for text in texts], dtype=pl.String)


_Convert: TypeAlias = Callable[[Values, set[int]], pl.Series]
_SERIES: Mapping[str, _Convert] = {
    "UUID": _texts,
    "TIMESTAMPTZ": _times,
    "TEXT": _texts,
    "BOOLEAN": _booleans,
    "BIGINT": _bigints,
    JSON: _json,
    BROWSER_TIME: _texts,
}
