"""Loads one hour of rows: copies them into a temporary table, then inserts them in one statement."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import polars as pl
import psycopg

from analysis.engines.horizon import recorded_horizon
from analysis.errors import AnalysisError, NoTable
from analysis.raw.tombstones import Tombstones, enforce, forget_rows
from analysis.repair.connection import connected, schema_here
from analysis.rows.fields import KEY
from analysis.rows.projection import Corrupt
from chalicelib.contract import TABLE
from chalicelib.warehouse.schema import SCHEMA, Schema, has_table, recorded_decimals
from chalicelib.warehouse.tables import INSERT_REJECT, REJECTS

__all__ = ["Settled", "Staging", "as_copy_text", "staging"]

NAMES = SCHEMA.names
# Made of the contract's columns: the table may have further columns, added by its users.
RECEIVED = f"CREATE TEMPORARY TABLE received ({SCHEMA.definitions}, {KEY} TEXT NOT NULL) ON COMMIT DELETE ROWS"
COPY = f"COPY pg_temp.received ({KEY}, {NAMES}) FROM STDIN"
# If several objects have one event id, the first received counts, as wherever raw is read.
INSERT = f"""
INSERT INTO {TABLE} ({NAMES})
SELECT DISTINCT ON (event_id) {NAMES}
FROM pg_temp.received
ORDER BY event_id, event_timestamp, {KEY}
ON CONFLICT (event_id) DO NOTHING
"""  # noqa: S608  # made of the contract's names only
KNOWN = f"SELECT event_id FROM {TABLE} WHERE event_id = ANY(%s::uuid[])"  # noqa: S608  # as above
SETTLE_REJECTS = (
    f"DELETE FROM {REJECTS} AS reject USING pg_temp.received WHERE reject.bucket = %s AND reject.key = received.{KEY}"  # noqa: S608  # as above
)

END_PROJECTORS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'clickstream-projector'
"""

# The escapes of COPY's text format.
SPECIAL = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
NULL = "\\N"


class Settled(NamedTuple):
    """Counts of one hour's objects.

    `events` are valid, and `added` of them became rows; `erased` are of erased people; `rejected` are not valid events.
    `recovered` are rejects of before that are rows now; `before_horizon` would be rows older than the warehouse keeps.
    """

    events: int
    added: int
    erased: int
    rejected: int
    recovered: int
    before_horizon: int


class Staging:
    """A warehouse that is filled hour by hour. Each hour is inserted as a whole or not at all.

    A dry run only selects: a role that only reads may have no right to a temporary table. `horizon` is the time from
    which on rows are kept; None for all.
    """

    def __init__(
        self,
        connection: psycopg.Connection,
        bucket: str,
        erased: Tombstones | None,
        horizon: datetime | None,
        *,
        dry_run: bool,
    ) -> None:
        self.horizon = horizon
        self._connection = connection
        self._bucket = bucket
        self._tombstones = erased
        self._dry_run = dry_run
        self._events = 0
        self._erased = 0
        self._before_horizon = 0
        # What a dry run misses, from hour to hour, since an event may be in several hours: 100 MB per million of ids.
        self._lacking: set[bytes] = set()
        self._added = 0

    def copy(self, rows: pl.DataFrame) -> None:
        """Add rows to the current hour, with `key` and the contract's columns.

        Rows of erased people are left out, and so are rows before the horizon.
        """
        if self.horizon is not None:
            seen, rows = len(rows), rows.filter(pl.col("event_timestamp") >= self.horizon)
            self._before_horizon += seen - len(rows)
        if self._tombstones is not None:
            seen, rows = len(rows), self._tombstones.of_others(rows)
            self._erased += seen - len(rows)
        self._events += len(rows)
        if self._dry_run:
            before = len(self._lacking)
            self._lacking |= self._unknown(rows["event_id"].to_list())
            self._added += len(self._lacking) - before
        else:
            with self._connection.cursor() as cursor, cursor.copy(COPY) as copy:
                copy.write(as_copy_text(rows))

    def settle(self, corrupt: Sequence[Corrupt]) -> Settled:
        """End the hour: insert its rows, record its invalid objects, and delete rejects that are rows now."""
        events, added, erased, before = self._events, self._added, self._erased, self._before_horizon
        self._events = self._added = self._erased = self._before_horizon = 0
        recovered = 0
        if not self._dry_run:
            with self._connection.cursor() as cursor:
                added = cursor.execute(INSERT).rowcount
                recovered = cursor.execute(SETTLE_REJECTS, (self._bucket,)).rowcount
                cursor.executemany(INSERT_REJECT, [(self._bucket, key, reason) for key, reason in corrupt])
        self._connection.commit()
        return Settled(events, added, erased, len(corrupt), recovered, before)

    def _unknown(self, ids: Sequence[str]) -> set[bytes]:
        """Give the event ids that have no row."""
        rows = self._connection.execute(KNOWN, (ids,)).fetchall()
        return {UUID(each).bytes for each in ids}.difference(found.bytes for (found,) in rows)


@contextmanager
def staging(
    dw_url: str,
    bucket: str,
    erased: Tombstones | None,
    *,
    dry_run: bool,
    must_be_empty: bool,
    beyond_horizon: bool = False,
) -> Iterator[Staging]:
    """Connect to a warehouse that is to be filled. Except for a dry run, missing tables and columns are added first.

    A warehouse that was made anew lacks tombstones. It gets them, and rows of erased people are deleted.

    Args:
        dw_url: A libpq URL.
        bucket: The raw bucket's name, which rejects are recorded with.
        erased: The tombstones of the bucket; None if nobody was erased.
        dry_run: Change nothing, and only count.
        must_be_empty: Refuse a table that has rows. An empty one takes over `PRICE_DECIMALS` of the environment.
        beyond_horizon: Take rows before the warehouse's horizon too.

    Raises:
        AnalysisError: The warehouse does not answer, refuses, is newer than this code, is not empty, or has prices with
            other decimals than the environment says.
        NoTable: A dry run found no table.
    """
    with connected(dw_url, make=not dry_run) as connection:
        if dry_run and not has_table(connection, TABLE):
            raise NoTable(f"the warehouse has no table {TABLE}: every event in raw is missing")
        schema = schema_here()
        if must_be_empty:
            _refuse_rows(connection)
            was = recorded_decimals(connection) or 0
            if was != schema.price_decimals:
                _change_decimals(connection, was, schema)
                _refuse_rows(connection)
        schema.refuse_other_decimals(connection)
        if erased is not None and not dry_run and enforce(connection, erased):
            forget_rows(connection)
        if not dry_run:
            connection.execute(RECEIVED)
        horizon = None if beyond_horizon else recorded_horizon(connection)
        connection.commit()
        yield Staging(connection, bucket, erased, horizon, dry_run=dry_run)


def _refuse_rows(connection: psycopg.Connection) -> None:
    if connection.execute(f"SELECT FROM {TABLE} LIMIT 1").rowcount:
        raise AnalysisError(f"{TABLE} is not empty: backfill without --rebuild, or TRUNCATE it first")


def _change_decimals(connection: psycopg.Connection, was: int, schema: Schema) -> None:
    """Record other decimals, and end the connections of projectors: each looks at the record when it connects again."""
    schema.change_decimals(connection)
    connection.commit()
    try:
        connection.execute(END_PROJECTORS)
    except psycopg.Error:
        connection.rollback()
        schema.with_decimals(was).change_decimals(connection)
        connection.commit()
        raise
    connection.commit()


def as_copy_text(rows: pl.DataFrame) -> bytes:
    """Give rows in COPY's text format, one per line, in UTF-8."""
    escaped = pl.col(pl.String).str.replace_many(list(SPECIAL), list(SPECIAL.values()))
    return (
        rows.with_columns(escaped)
        .write_csv(
            include_header=False,
            separator="\t",
            quote_style="never",
            null_value=NULL,
            datetime_format="%Y-%m-%dT%H:%M:%S%.6fZ",
        )
        .encode()
    )
