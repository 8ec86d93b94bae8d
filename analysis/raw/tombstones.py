"""Tombstones: keyed hashes of who was erased. Raw keeps them, and the warehouse refuses rows of whom they name."""

import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_bytes

import polars as pl
import psycopg
from psycopg import sql

from analysis.errors import AnalysisError
from analysis.raw.partitions import Folder
from analysis.raw.source import Source
from chalicelib.contract import TABLE
from chalicelib.warehouse.client import TOMBSTONES, has_table

__all__ = ["PEOPLE", "PREFIX", "Tombstones", "enforce", "forget_rows", "read_tombstones"]

PEOPLE = ("client_id", "user_id")
PREFIX = "erasures/"
KEY_NAME = "key.json"
KEY_BYTES = 32
HEX = re.compile(f"[0-9a-f]{{{2 * KEY_BYTES}}}")
KEY = re.compile(rf'\{{"key": "({HEX.pattern})"\}}')
HASH_NAME = re.compile(rf"({HEX.pattern})\.json")
BLOCK = 64  # bytes of one block of SHA-256

IS_ERASED = "public.clickstream_is_erased"
# An HMAC-SHA256 (RFC 2104) by PostgreSQL itself: its two padded keys are all that it needs to be told.
CREATE = f"""
CREATE TABLE IF NOT EXISTS {TOMBSTONES} (hash BYTEA PRIMARY KEY, since TIMESTAMPTZ NOT NULL DEFAULT now());
CREATE TABLE IF NOT EXISTS {TOMBSTONES}_keys (inner_key BYTEA PRIMARY KEY, outer_key BYTEA NOT NULL);
CREATE OR REPLACE FUNCTION {IS_ERASED}(client_id TEXT, user_id TEXT) RETURNS BOOLEAN
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM {TOMBSTONES}_keys AS keys
        CROSS JOIN (VALUES ('client_id:' || client_id), ('user_id:' || user_id)) AS person (named)
        JOIN {TOMBSTONES} AS tombstone
            ON tombstone.hash = sha256(keys.outer_key || sha256(keys.inner_key || convert_to(person.named, 'UTF8')))
    );
END $$;
REVOKE ALL ON FUNCTION {IS_ERASED}(TEXT, TEXT) FROM PUBLIC;
CREATE OR REPLACE FUNCTION public.clickstream_keep_out() RETURNS TRIGGER
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN CASE WHEN {IS_ERASED}(NEW.client_id, NEW.user_id) THEN NULL ELSE NEW END;
END $$;
CREATE OR REPLACE TRIGGER keep_out_erased BEFORE INSERT ON {TABLE}
FOR EACH ROW WHEN (NEW.client_id IS NOT NULL OR NEW.user_id IS NOT NULL)
EXECUTE FUNCTION public.clickstream_keep_out();
"""  # noqa: S608  # our own names
# Rows on their way in wait until the tombstones are there: none of them is overlooked.
LOCK = f"LOCK TABLE {TABLE} IN SHARE ROW EXCLUSIVE MODE"
# Also whether the trigger is there: it went if the table did.
IN_FORCE = f"""
SELECT (SELECT count(*) FROM {TOMBSTONES} WHERE hash = ANY(%s)) = %s
    AND EXISTS (SELECT FROM pg_trigger WHERE tgrelid = to_regclass(%s) AND tgname = 'keep_out_erased')
"""  # noqa: S608  # our own names
ADD_KEY = f"INSERT INTO {TOMBSTONES}_keys (inner_key, outer_key) VALUES (%s, %s) ON CONFLICT DO NOTHING"  # noqa: S608  # our own name
ADD = f"INSERT INTO {TOMBSTONES} (hash) SELECT unnest(%s::bytea[]) ON CONFLICT DO NOTHING"  # as above
FORGET = f"DELETE FROM {TABLE} WHERE {IS_ERASED}(client_id, user_id)"  # noqa: S608  # as above


@dataclass(frozen=True)
class Tombstones:
    """The key of one bucket, and the hashes that were made with it."""

    key: bytes
    hashes: frozenset[bytes]

    @classmethod
    def new(cls) -> "Tombstones":
        """A new key, and no hash."""
        return cls(token_bytes(KEY_BYTES), frozenset())

    def and_also(self, people: Iterable[tuple[str, str]]) -> "Tombstones":
        """These and those of more people, each by column and id."""
        return Tombstones(self.key, self.hashes | {self.hash_of(column, name) for column, name in people})

    def hash_of(self, column: str, name: str) -> bytes:
        """The HMAC-SHA256 that stands for one `client_id` or `user_id`."""
        return hmac.digest(self.key, f"{column}:{name}".encode(), sha256)

    def names(self, ids: Mapping[str, str | None]) -> bool:
        """Whether somebody of these ids, by their columns, was erased."""
        return any(self.hash_of(column, name) in self.hashes for column, name in ids.items() if name is not None)

    def of_others(self, events: pl.DataFrame) -> pl.DataFrame:
        """Those of some events, with `client_id` and `user_id`, that are of nobody who was erased."""

        def erased(column: str) -> pl.Expr:
            names = events[column].unique().drop_nulls()
            return pl.col(column).is_in([name for name in names if self.hash_of(column, name) in self.hashes])

        return events.filter(~pl.any_horizontal(erased(column).fill_null(value=False) for column in PEOPLE))

    def objects(self) -> dict[str, bytes]:
        """What raw keeps of them: keys and bodies. Nobody can be recognized by a hash without the key."""
        stones = {f"{PREFIX}{each.hex()}.json": b"{}" for each in sorted(self.hashes)}
        return {PREFIX + KEY_NAME: f'{{"key": "{self.key.hex()}"}}'.encode(), **stones}


def read_tombstones(source: Source) -> Tombstones | None:
    """Those of a bucket; None if nobody was ever erased from it. Raises AnalysisError if they cannot be read."""
    names = {name for found in source.folders([PREFIX]) for folder in found for name in folder.names}
    hashes = frozenset(bytes.fromhex(found[1]) for found in map(HASH_NAME.fullmatch, names) if found)
    if not hashes and KEY_NAME not in names:
        return None
    body = dict(source.read([Folder(PREFIX, [KEY_NAME])])).get(PREFIX + KEY_NAME, b"")
    if not (found := KEY.fullmatch(body.decode("ascii", "replace"))):
        raise AnalysisError(f"{PREFIX}{KEY_NAME} is not the key that the tombstones were made with: bring that back")
    return Tombstones(bytes.fromhex(found[1]), hashes)


def enforce(connection: psycopg.Connection, tombstones: Tombstones) -> bool:
    """Let the warehouse refuse rows of whom these name, from now on; whether it did not before. Commits nothing.

    Whoever inserts, projector, backfill or a hand, the row is left out; so nothing that inserts has to know the key.
    """
    hashes = list(tombstones.hashes)
    if has_table(connection, TOMBSTONES):
        in_force = connection.execute(IN_FORCE, (hashes, len(hashes), TABLE)).fetchone()
        if in_force == (True,):
            return False
    padded = tombstones.key.ljust(BLOCK, b"\0")
    keys = [bytes(byte ^ pad for byte in padded) for pad in (0x36, 0x5C)]
    connection.execute(LOCK)
    connection.execute(sql.SQL(CREATE))
    connection.execute(ADD_KEY, keys)
    connection.execute(ADD, (hashes,))
    return True


def forget_rows(connection: psycopg.Connection) -> int:
    """Delete the rows of whom the warehouse's tombstones name, and say how many those were. Commits nothing."""
    return connection.execute(FORGET).rowcount
