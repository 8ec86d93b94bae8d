"""Projects many raw objects at once, to the same rows as `chalicelib.flatten` gives one by one."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from json import JSONDecoder
from typing import TypeAlias
from uuid import UUID

import polars as pl

from analysis.raw.objects import Batch
from analysis.rows.columns import DTYPES, expressions, is_unusual, source_series
from analysis.rows.fields import JSON, KEY
from analysis.rows.members import Members, Values
from chalicelib.contract import COLUMNS, Column, Value
from chalicelib.errors import InvalidEvent
from chalicelib.flatten import row_of
from chalicelib.json_object import WHITESPACE, decode, members, parse

__all__ = ["CORRUPT_SCHEMA", "UNUSUAL", "Corrupt", "Decoded", "Projection"]

# Key and reason.
Corrupt: TypeAlias = tuple[str, str]
# Places in a batch, the values of members by path, and rows.
Decoded: TypeAlias = tuple[list[int], Mapping[str, Values], pl.DataFrame]

CORRUPT_SCHEMA = {"key": pl.String(), "reason": pl.String()}
UNUSUAL = "is unusual"


class Projection:
    """Turns raw objects into rows: `key`, the contract's columns, then raw fields.

    Args:
        fields: The raw fields, as `fields_named` gives them.
        last_modified: Gives the LastModified of a key; called for unusual objects only.
        columns: The contract's columns, or some of them.
        price_decimals: How many decimals the prices keep.
    """

    def __init__(
        self,
        fields: Sequence[Column],
        last_modified: Callable[[str], datetime],
        columns: Sequence[Column] = COLUMNS,
        *,
        price_decimals: int = 0,
    ) -> None:
        self._fields = fields
        self._places = [COLUMNS.index(column) for column in columns]
        self._columns = (*(column.with_decimals(price_decimals) for column in columns), *fields)
        self._price_decimals = price_decimals
        self._last_modified = last_modified
        self.schema = {KEY: pl.String()} | {column.name: DTYPES[column.type] for column in self._columns}
        self._members = Members(
            (path for column in self._columns if column.type != JSON for path in column.paths),
            (path for column in self._columns if column.type == JSON for path in column.paths),
        )
        self._values = [expression for column in self._columns for expression in expressions(column)]
        self._is_unusual = pl.any_horizontal(UNUSUAL, *map(is_unusual, self._columns))

    def rows(self, batch: Batch) -> tuple[pl.DataFrame, list[Corrupt]]:
        """Project a batch: give its rows, in no particular order, and its corrupt objects."""
        return self.completed(batch, self.together(batch))

    def completed(self, batch: Batch, decoded: Decoded) -> tuple[pl.DataFrame, list[Corrupt]]:
        """Do as `rows`, with what `together` gave of the batch."""
        keys, bodies = batch
        places, _, rows = decoded
        is_usual = ~rows[UNUSUAL]
        if len(rows) == len(bodies) and is_usual.all():
            return rows.select(*self.schema), []
        others = set(range(len(bodies))).difference(pl.Series(places, dtype=pl.Int64).filter(is_usual))
        rest, corrupt = self._one_by_one((keys[place], bodies[place]) for place in sorted(others))
        return pl.concat([rows.filter(is_usual).select(*self.schema), rest]), corrupt

    def together(self, batch: Batch) -> Decoded:
        """Project the objects of a batch at once that can be decoded at once.

        Returns:
            Their places in the batch, the values of their members by path, and their rows. The column UNUSUAL says
            which rows may be wrong.
        """
        keys, bodies = batch
        places, values = self._members.decode(bodies)
        return places, values, self._together([keys[place] for place in places], values)

    def _together(self, keys: list[str], values: Mapping[str, Values]) -> pl.DataFrame:
        unusual: set[int] = set()
        series = [each for column in self._columns for each in source_series(column, values, unusual)]
        flags = pl.Series(UNUSUAL, [place in unusual for place in range(len(keys))], dtype=pl.Boolean)
        frame = pl.DataFrame([pl.Series(KEY, keys, dtype=pl.String), *series, flags])
        return frame.lazy().select(KEY, UNUSUAL, *self._values).with_columns(self._is_unusual.alias(UNUSUAL)).collect()

    def _one_by_one(self, objects: Iterable[tuple[str, bytes]]) -> tuple[pl.DataFrame, list[Corrupt]]:
        """Project unusual objects by the contract's own mapping."""
        rows, corrupt = [], []
        for key, body in objects:
            try:
                rows.append(self._row(key, decode(body)))
            except InvalidEvent as error:
                corrupt.append((key, str(error)))
        return pl.DataFrame(rows, schema=self.schema, orient="row"), corrupt

    def _row(self, key: str, text: str) -> list[Value]:
        payload = parse(text)
        whole = row_of(payload, key, self._last_modified(key), self._price_decimals)
        row = [whole[place] for place in self._places]
        further = [_json_text(field, text) if field.type == JSON else field.value(payload) for field in self._fields]
        return [key, *(str(value) if isinstance(value, UUID) else value for value in row), *further]


def _json_text(field: Column, text: str) -> str | None:
    """Give the JSON text of the last top-level member of the field's name; None if it is null or absent."""
    found = "null"
    for name, member in members(text):
        if name in field.sources:
            _, end = JSONDecoder().raw_decode(member)
            found = member[end:].lstrip(WHITESPACE).removeprefix(":").lstrip(WHITESPACE)
    return None if found == "null" else found
