"""Tells whether an object is a person's own, or mentions them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from json import dumps
from typing import Literal, TypeAlias

import polars as pl

from analysis.raw.tombstones import PEOPLE, Tombstones
from chalicelib.contract import COLUMNS, Value
from chalicelib.errors import InvalidEvent
from chalicelib.json_object import Json, JsonObject, decode, parse

__all__ = ["Erased", "Kind", "Person", "ids_of"]

Kind: TypeAlias = Literal["own", "mention"] | None
_COLUMNS = tuple(column for column in COLUMNS if column.name in PEOPLE)


def ids_of(payload: JsonObject) -> dict[str, Value]:
    """Give an event's client and user, by column, as the contract maps them."""
    return {column.name: column.value(payload) for column in _COLUMNS}


@dataclass
class Person:
    """One person, by all known ids. `others` collects further ids found in the person's events, by column."""

    client_ids: Sequence[str]
    user_ids: Sequence[str]
    others: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in PEOPLE})

    def __post_init__(self) -> None:
        self._ids = {"client_id": frozenset(self.client_ids), "user_id": frozenset(self.user_ids)}
        names = [name for _, name in self.ids]
        spellings = {spelling for name in names for spelling in (name, dumps(name)[1:-1])}
        self._spellings = [spelling.encode("utf-8", "surrogatepass") for spelling in spellings]
        self._quoted = [b'"%b"' % spelling for spelling in self._spellings]
        self._names = names

    @property
    def ids(self) -> list[tuple[str, str]]:
        """The ids as pairs of column and id."""
        return [("client_id", name) for name in self.client_ids] + [("user_id", name) for name in self.user_ids]

    def kind(self, body: bytes) -> Kind:
        """Compare an object with the person.

        Returns:
            `own` if its client or user is the person, or if it is not a valid event and holds an id in quotes.
            `mention` if it holds an id elsewhere, decoded or as bytes: for an id as short as `7`, that says little.
        """
        is_in = any(spelling in body for spelling in self._spellings)
        # An id that is not there byte by byte can only be there in escapes.
        if not is_in and b"\\" not in body:
            return None
        try:
            payload = parse(decode(body))
        except InvalidEvent:
            return "own" if any(quoted in body for quoted in self._quoted) else "mention" if is_in else None
        ids = ids_of(payload)
        if any(ids[column] in self._ids[column] for column in PEOPLE):
            for column in PEOPLE:
                self.others[column] |= {str(ids[column])} - self._ids[column] if ids[column] is not None else set()
            return "own"
        return "mention" if is_in or any(name in text for text in _texts(payload) for name in self._names) else None

    def owns(self, rows: pl.DataFrame) -> pl.Expr:  # noqa: ARG002  # as for erased people
        """Tell the person's own rows; `rows` has `client_id` and `user_id`."""
        return pl.any_horizontal(
            pl.col(column).is_in(list(ids)).fill_null(value=False) for column, ids in self._ids.items()
        )

    def is_in(self, texts: Sequence[str]) -> pl.Expr:
        """Whether one of these columns holds an id, as it is or with JSON's escapes."""
        spellings = [spelling.decode("utf-8", "surrogatepass") for spelling in self._spellings]
        return pl.any_horizontal(pl.col(name).str.contains_any(spellings).fill_null(value=False) for name in texts)


@dataclass(frozen=True)
class Erased:
    """Everybody who was erased before, by tombstones."""

    tombstones: Tombstones

    def kind(self, body: bytes) -> Kind:
        """Give `own` if its client or user was erased. A hash cannot find mentions."""
        try:
            ids = ids_of(parse(decode(body)))
        except InvalidEvent:
            return None
        known = {name: None if value is None else str(value) for name, value in ids.items()}
        return "own" if self.tombstones.names(known) else None

    def owns(self, rows: pl.DataFrame) -> pl.Expr:
        """Tell the rows of erased people; `rows` has `client_id` and `user_id`."""
        return self.tombstones.erased_in(rows)

    def is_in(self, texts: Sequence[str]) -> pl.Expr:  # noqa: ARG002  # as a person has it
        """Give false: a hash cannot find mentions."""
        return pl.lit(value=False)


def _texts(value: Json) -> Iterator[str]:
    """Give every member name and every string of a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, member in value.items():
            yield name
            yield from _texts(member)
    elif isinstance(value, list):
        for member in value:
            yield from _texts(member)
