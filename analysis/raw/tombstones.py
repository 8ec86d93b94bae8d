"""Tombstones: keyed hashes of erased people, which raw keeps. The warehouse refuses rows of these people."""

import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_bytes

import polars as pl

from analysis.errors import AnalysisError
from analysis.raw.partitions import Folder
from analysis.raw.source import Source
from chalicelib.warehouse.tombstones import Stones

__all__ = ["PEOPLE", "PREFIX", "Tombstones", "read_tombstones"]

PEOPLE = ("client_id", "user_id")
PREFIX = "erasures/"
KEY_NAME = "key.json"
KEY_BYTES = 32
HEX = re.compile(f"[0-9a-f]{{{2 * KEY_BYTES}}}")
KEY = re.compile(rf'\{{"key": "({HEX.pattern})"\}}')
HASH_NAME = re.compile(rf"({HEX.pattern})\.json")
BLOCK = 64  # bytes of one block of SHA-256


@dataclass(frozen=True)
class Tombstones:
    """The key of one bucket, and the hashes that were made with it."""

    key: bytes
    hashes: frozenset[bytes]

    @classmethod
    def new(cls) -> "Tombstones":
        """Make a new key, without any hash."""
        return cls(token_bytes(KEY_BYTES), frozenset())

    def and_also(self, people: Iterable[tuple[str, str]]) -> "Tombstones":
        """Give these tombstones, and one more for each of `people`, pairs of column and id."""
        return Tombstones(self.key, self.hashes | {self.hash_of(column, name) for column, name in people})

    def hash_of(self, column: str, name: str) -> bytes:
        """The HMAC-SHA256 of one id; `column` is `client_id` or `user_id`."""
        return hmac.digest(self.key, f"{column}:{name}".encode(), sha256)

    def names(self, ids: Mapping[str, str | None]) -> bool:
        """Whether one of these ids, by column, is of an erased person."""
        return any(self.hash_of(column, name) in self.hashes for column, name in ids.items() if name is not None)

    def of_others(self, events: pl.DataFrame) -> pl.DataFrame:
        """Leave out the events of erased people; `events` has the columns `client_id` and `user_id`."""
        return events.filter(~self.erased_in(events))

    def erased_in(self, events: pl.DataFrame) -> pl.Expr:
        """Tell the events of erased people among these."""

        def erased(column: str) -> pl.Expr:
            names = events[column].unique().drop_nulls()
            return pl.col(column).is_in([name for name in names if self.hash_of(column, name) in self.hashes])

        return pl.any_horizontal(erased(column).fill_null(value=False) for column in PEOPLE)

    @property
    def stones(self) -> Stones:
        """What a warehouse needs, which computes each hash itself."""
        padded = self.key.ljust(BLOCK, b"\0")
        inner, outer = (bytes(byte ^ pad for byte in padded) for pad in (0x36, 0x5C))
        return Stones(inner, outer, sorted(self.hashes))

    def objects(self) -> dict[str, bytes]:
        """The objects that raw keeps, by key. Without the tombstones' key, a hash does not tell who it is."""
        stones = {f"{PREFIX}{each.hex()}.json": b"{}" for each in sorted(self.hashes)}
        return {PREFIX + KEY_NAME: f'{{"key": "{self.key.hex()}"}}'.encode(), **stones}


def read_tombstones(source: Source) -> Tombstones | None:
    """Read the tombstones of a bucket.

    Returns:
        None if nobody was ever erased from it. An empty key without hashes counts as none: no hash was made with it.

    Raises:
        AnalysisError: The bucket cannot be read, or the tombstones' key is missing or damaged.
    """
    names = {name for found in source.folders([PREFIX]) for folder in found for name in folder.names}
    hashes = frozenset(bytes.fromhex(found[1]) for found in map(HASH_NAME.fullmatch, names) if found)
    if not hashes and KEY_NAME not in names:
        return None
    body = dict(source.read([Folder(PREFIX, [KEY_NAME])])).get(PREFIX + KEY_NAME, b"")
    if not (hashes or body):
        return None
    if not (found := KEY.fullmatch(body.decode("ascii", "replace"))):
        what = f"{PREFIX}{KEY_NAME}"
        if not hashes:
            raise AnalysisError(f"{what} is damaged, and there are no tombstones that were made with it: delete it")
        raise AnalysisError(
            f"{what} is not the key that the tombstones were made with: bring that back from a copy of the bucket; if "
            f"there is none, delete everything below {PREFIX}, and erase the same people again"
        )
    return Tombstones(bytes.fromhex(found[1]), hashes)
