"""Loads one hour of rows: copies them into a temporary table, then inserts them in one statement."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

import polars as pl
import psycopg

from analysis.raw.tombstones import Tombstones
from analysis.repair.connection import connected, schema_here
from analysis.rows.projection import Corrupt
from chalicelib.contract import TABLE
from chalicelib.operations.loading import Settled
from chalicelib.operations.preparing import prepare
from chalicelib.warehouse.horizon import recorded_horizon
from chalicelib.warehouse.staging import COPY, INSERT, RECEIVED, SETTLE_REJECTS
from chalicelib.warehouse.tables import INSERT_REJECT

__all__ = ["Staging", "as_copy_text", "staging"]

KNOWN = f"SELECT event_id FROM {TABLE} WHERE event_id = ANY(%s::uuid[])"  # noqa: S608  # as above

# The escapes of COPY's text format.
SPECIAL = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
NULL = "\\N"


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
            with self._connection.cursor() as cursor, cursor.copy(COPY.encode()) as copy:
                copy.write(as_copy_text(rows))

    def settle(self, corrupt: Sequence[Corrupt]) -> Settled:
        """End the hour: insert its rows, record its invalid objects, and delete rejects that are rows now."""
        events, added, erased, before = self._events, self._added, self._erased, self._before_horizon
        self._events = self._added = self._erased = self._before_horizon = 0
        recovered = 0
        if not self._dry_run:
            with self._connection.cursor() as cursor:
                added = cursor.execute(INSERT.encode()).rowcount
                recovered = cursor.execute(SETTLE_REJECTS.encode(), (self._bucket,)).rowcount
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
        AnalysisError: The warehouse does not answer, refuses, is newer than this code, is not empty, has prices with
            other decimals than the environment says, or a dry run found no table.
    """
    with connected(dw_url, make=not dry_run) as connection:
        stones = None if erased is None else erased.stones
        prepare(connection, schema_here(), stones, dry_run=dry_run, must_be_empty=must_be_empty)
        if not dry_run:
            connection.execute(RECEIVED.encode())
        horizon = None if beyond_horizon else recorded_horizon(connection)
        connection.commit()
        yield Staging(connection, bucket, erased, horizon, dry_run=dry_run)


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
