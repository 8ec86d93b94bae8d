"""One hour of rows on its way into the warehouse: copied into a table of this connection, then inserted in one go."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import polars as pl
import psycopg

from analysis.errors import AnalysisError, NoTable
from analysis.raw.tombstones import Tombstones, enforce, forget_rows
from analysis.repair.connection import connected
from analysis.rows.fields import KEY
from analysis.rows.projection import Corrupt
from chalicelib.contract import COLUMNS, TABLE
from chalicelib.warehouse.client import INSERT_REJECT, REJECTS, has_table

__all__ = ["Settled", "Staging", "as_copy_text", "staging"]

NAMES = ", ".join(column.name for column in COLUMNS)
RECEIVED = f"CREATE TEMPORARY TABLE received (LIKE {TABLE}, {KEY} TEXT NOT NULL) ON COMMIT DELETE ROWS"
COPY = f"COPY received ({KEY}, {NAMES}) FROM STDIN"
# Of several objects with one event id the first received counts, as for everybody else who reads raw.
INSERT = f"""
INSERT INTO {TABLE} ({NAMES})
SELECT DISTINCT ON (event_id) {NAMES}
FROM received
ORDER BY event_id, event_timestamp, {KEY}
ON CONFLICT (event_id) DO NOTHING
"""  # noqa: S608  # made of the contract's names only
# What would be inserted, remembered from hour to hour, since an event may be in several.
LACKING = "CREATE TEMPORARY TABLE lacking (event_id UUID PRIMARY KEY)"
COUNT_LACKING = f"""
INSERT INTO lacking (event_id)
SELECT event_id FROM received WHERE NOT EXISTS (SELECT FROM {TABLE} AS known WHERE known.event_id = received.event_id)
ON CONFLICT (event_id) DO NOTHING
"""  # noqa: S608  # as above
SETTLE_REJECTS = (
    f"DELETE FROM {REJECTS} AS reject USING received WHERE reject.bucket = %s AND reject.key = received.{KEY}"  # noqa: S608  # as above
)

# How COPY's text format spells what it would take for its own.
SPECIAL = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
NULL = "\\N"


class Settled(NamedTuple):
    """What became of one hour's objects: events (of which `added` became rows), of erased people, no events.

    `recovered` are former rejects.
    """

    events: int
    added: int
    erased: int
    rejected: int
    recovered: int


class Staging:
    """One warehouse that is being filled, hour by hour: each is there as a whole, or not at all."""

    def __init__(
        self, connection: psycopg.Connection, bucket: str, erased: Tombstones | None, *, dry_run: bool
    ) -> None:
        self._connection = connection
        self._bucket = bucket
        self._tombstones = erased
        self._dry_run = dry_run
        self._events = 0
        self._erased = 0

    def copy(self, rows: pl.DataFrame) -> None:
        """Take rows of the current hour, `key` and the contract's columns, but for those of people who were erased."""
        if self._tombstones is not None:
            seen, rows = len(rows), self._tombstones.of_others(rows)
            self._erased += seen - len(rows)
        with self._connection.cursor() as cursor, cursor.copy(COPY) as copy:
            copy.write(as_copy_text(rows))
        self._events += len(rows)

    def settle(self, corrupt: Sequence[Corrupt]) -> Settled:
        """End the hour: insert its rows, name the objects of it that are none, and forget rejects that are rows now."""
        events, erased, self._events, self._erased = self._events, self._erased, 0, 0
        with self._connection.cursor() as cursor:
            if self._dry_run:
                settled = Settled(events, cursor.execute(COUNT_LACKING).rowcount, erased, len(corrupt), 0)
            else:
                added = cursor.execute(INSERT).rowcount
                recovered = cursor.execute(SETTLE_REJECTS, (self._bucket,)).rowcount
                cursor.executemany(INSERT_REJECT, [(self._bucket, key, reason) for key, reason in corrupt])
                settled = Settled(events, added, erased, len(corrupt), recovered)
        self._connection.commit()
        return settled


@contextmanager
def staging(
    dw_url: str, bucket: str, erased: Tombstones | None, *, dry_run: bool, must_be_empty: bool
) -> Iterator[Staging]:
    """Connect to a warehouse, whose tables are made if need be, though not for a dry run.

    One that lacks some of the tombstones, since it was made anew, gets them, and loses rows that came before them.
    Raises AnalysisError if it does not answer or refuses, or is to be empty and is not.
    """
    with connected(dw_url, make=not dry_run) as connection:
        if dry_run and not has_table(connection, TABLE):
            raise NoTable(f"the warehouse has no table {TABLE}: every event in raw is lacking")
        if must_be_empty and connection.execute(f"SELECT FROM {TABLE} LIMIT 1").rowcount:
            raise AnalysisError(f"{TABLE} is not empty: backfill without --rebuild, or TRUNCATE it first")
        if erased is not None and not dry_run and enforce(connection, erased):
            forget_rows(connection)
        connection.execute(RECEIVED)
        connection.execute(LACKING)
        connection.commit()
        yield Staging(connection, bucket, erased, dry_run=dry_run)


def as_copy_text(rows: pl.DataFrame) -> bytes:
    """Rows in COPY's text format: one per line, in UTF-8."""
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
