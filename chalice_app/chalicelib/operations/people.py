"""A person's rows and rejects in the warehouse: counts them, and deletes them."""

from collections.abc import Sequence
from typing import NamedTuple

import psycopg

from chalicelib.contract import COLUMNS, TABLE
from chalicelib.warehouse.schema import has_table
from chalicelib.warehouse.tables import REJECTS

__all__ = ["Ids", "count_rejects", "count_rows", "delete_rejects", "delete_rows"]

OWN = "client_id = ANY(%(client_ids)s) OR user_id = ANY(%(user_ids)s)"
TEXTS = ", ".join(column.name for column in COLUMNS if column.type in ("TEXT", "UUID"))
MENTION = f"EXISTS (SELECT FROM unnest(%(ids)s::text[]) AS id WHERE position(id IN concat_ws(E'\\n', {TEXTS})) > 0)"
COUNT = f"SELECT count(*) FILTER (WHERE {OWN}), count(*) FILTER (WHERE ({OWN}) IS NOT TRUE AND {MENTION}) FROM {TABLE}"  # noqa: S608  # our own names
DELETE_OWN = f"DELETE FROM {TABLE} WHERE {OWN}"  # noqa: S608  # as above
DELETE_MENTIONS = f"DELETE FROM {TABLE} WHERE {MENTION}"  # noqa: S608  # as above
# Else `pg_stats` would show frequent ids of the person until the next autovacuum.
ANALYZE = f"ANALYZE {TABLE}"
COUNT_REJECTS = f"SELECT count(*) FROM {REJECTS} WHERE bucket = %s AND key = ANY(%s)"  # noqa: S608  # as above
DELETE_REJECTS = f"DELETE FROM {REJECTS} WHERE bucket = %s AND key = ANY(%s)"  # noqa: S608  # as above


class Ids(NamedTuple):
    """All known ids of one person."""

    client_ids: Sequence[str]
    user_ids: Sequence[str]

    @property
    def parameters(self) -> dict[str, list[str]]:
        """The parameters of the statements above."""
        return {
            "client_ids": [*self.client_ids],
            "user_ids": [*self.user_ids],
            "ids": [*self.client_ids, *self.user_ids],
        }


def count_rows(connection: psycopg.Connection, ids: Ids) -> tuple[int, int]:
    """Count a person's own rows, and the other rows that mention one of the ids."""
    if not has_table(connection, TABLE):
        return 0, 0
    own, mentions = connection.execute(COUNT.encode(), ids.parameters).fetchone() or (0, 0)
    return own, mentions


def count_rejects(connection: psycopg.Connection, bucket: str, keys: Sequence[str]) -> int:
    """Count the rejects among these objects."""
    if not has_table(connection, REJECTS):
        return 0
    (count,) = connection.execute(COUNT_REJECTS.encode(), (bucket, [*keys])).fetchone() or (0,)
    return int(count)


def delete_rows(connection: psycopg.Connection, ids: Ids, *, mentions: bool) -> None:
    """Delete a person's own rows, with `mentions` also the others that mention an id. Commits nothing."""
    connection.execute(DELETE_OWN.encode(), ids.parameters)
    if mentions:
        connection.execute(DELETE_MENTIONS.encode(), ids.parameters)
    connection.execute(ANALYZE.encode())


def delete_rejects(connection: psycopg.Connection, bucket: str, keys: Sequence[str]) -> None:
    """Delete the rejects among these objects. Commits nothing."""
    connection.execute(DELETE_REJECTS.encode(), (bucket, [*keys]))
