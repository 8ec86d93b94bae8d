"""The warehouse's tombstones: keyed hashes of erased people, whose rows a trigger keeps out."""

from collections.abc import Sequence
from typing import NamedTuple

import psycopg

from chalicelib.contract import TABLE
from chalicelib.warehouse.schema import has_table
from chalicelib.warehouse.tables import CREATE_TOMBSTONES, GUARD, IS_ERASED, TOMBSTONE_KEYS, TOMBSTONES

__all__ = ["Stones", "enforce", "forget_rows", "is_guarded"]

# Inserts wait until the tombstones are there, so that no row of an erased person slips in.
LOCK = f"LOCK TABLE {TABLE} IN SHARE ROW EXCLUSIVE MODE"
# The trigger is looked for too: it is dropped together with the table.
IS_GUARDED = "EXISTS (SELECT FROM pg_trigger WHERE tgrelid = to_regclass(%s) AND tgname = 'keep_out_erased')"
IN_FORCE = f"""
SELECT (SELECT count(*) FROM {TOMBSTONES} WHERE hash = ANY(%s)) = %s AND {IS_GUARDED}
"""  # noqa: S608  # our own names
ADD_KEY = f"INSERT INTO {TOMBSTONE_KEYS} (inner_key, outer_key) VALUES (%s, %s) ON CONFLICT DO NOTHING"  # noqa: S608  # our own name
ADD = f"INSERT INTO {TOMBSTONES} (hash) SELECT unnest(%s::bytea[]) ON CONFLICT DO NOTHING"  # as above
FORGET = f"DELETE FROM {TABLE} WHERE {IS_ERASED}(client_id, user_id)"  # noqa: S608  # as above


class Stones(NamedTuple):
    """The hashes of erased people, and the two padded keys of their HMAC-SHA256 (RFC 2104)."""

    inner_key: bytes
    outer_key: bytes
    hashes: Sequence[bytes]


def enforce(connection: psycopg.Connection, stones: Stones) -> bool:
    """Make the warehouse refuse rows of these people from now on, whoever inserts them. Commits nothing.

    A trigger leaves the rows out, so projector and backfill need not know the key.

    Returns:
        False if all of the tombstones were there before, and the trigger too.
    """
    hashes = list(stones.hashes)
    has_tables = has_table(connection, TOMBSTONES) and has_table(connection, TOMBSTONE_KEYS)
    if has_tables:
        in_force = connection.execute(IN_FORCE.encode(), (hashes, len(hashes), TABLE)).fetchone()
        if in_force == (True,):
            return False
    connection.execute(LOCK.encode())
    if not has_tables:
        connection.execute(CREATE_TOMBSTONES.encode())
    connection.execute(GUARD.encode())
    connection.execute(ADD_KEY.encode(), (stones.inner_key, stones.outer_key))
    connection.execute(ADD.encode(), (hashes,))
    return True


def forget_rows(connection: psycopg.Connection) -> int:
    """Delete the rows of erased people by the warehouse's tombstones, and give their number. Commits nothing."""
    return connection.execute(FORGET.encode()).rowcount


def is_guarded(connection: psycopg.Connection) -> bool:
    """Whether the warehouse refuses rows of erased people, because somebody was erased."""
    return connection.execute(f"SELECT {IS_GUARDED}".encode(), (TABLE,)).fetchone() == (True,)
