"""Deletes the warehouse's old rows and rejects in batches, and records its horizon: from which day on rows are kept."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg

from analysis.engines.horizon import record_horizon, recorded_horizon
from analysis.errors import AnalysisError
from analysis.repair.connection import connected
from chalicelib.contract import TABLE
from chalicelib.warehouse.schema import has_table
from chalicelib.warehouse.tables import REJECTS, SETTINGS
from command_line.progress import progress

__all__ = ["Retained", "retain"]

BATCH = 10_000  # rows of one transaction
# The tables, each with the column that says how old a row is.
AGES = {TABLE: "event_timestamp", REJECTS: "first_seen"}

# By the warehouse's clock: a computer whose clock is wrong must not delete rows that are young.
TODAY = "SELECT date_trunc('day', now(), 'UTC')"
FOREIGN = "SELECT relname FROM pg_class WHERE oid = ANY(%s::regclass[]) AND NOT pg_has_role(relowner, 'USAGE')"
COUNT = "SELECT count(*) FROM {table} WHERE {age} < %s"
# Each batch goes on where the one before it ended, and so does not step over the index entries of deleted rows. By
# ctid, because a join might read the whole table for each batch.
DELETE = """
WITH batch AS MATERIALIZED (
    SELECT ctid, {age} AS age FROM {table}
    WHERE {age} >= %(since)s::timestamptz AND {age} < %(horizon)s
    ORDER BY {age}
    LIMIT %(most)s
), deleted AS (
    DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM batch)) AND {age} < %(horizon)s RETURNING 1
)
SELECT (SELECT count(*) FROM deleted), max(age)::text FROM batch
"""
# Inserts and queries go on meanwhile. If somebody vacuums the table already, that is enough.
VACUUM = "VACUUM (ANALYZE, SKIP_LOCKED) {table}"


@dataclass
class Retained:
    """What `retain` did, or would do.

    Attributes:
        horizon: The start of the first day whose rows are kept, UTC.
        was: The horizon before; None if there was none.
        rows: How many rows were deleted, or would be.
        rejects: How many rejects were deleted, or would be.
        left: How many old rows and rejects are there afterwards, because they arrived meanwhile.
    """

    horizon: datetime
    was: datetime | None
    rows: int = 0
    rejects: int = 0
    left: int = 0


def retain(dw_url: str, days: int, *, dry_run: bool = False, move_back: bool = False) -> Retained:
    """Keep the rows and rejects of today and so many days before (UTC), and delete the older ones.

    The horizon is recorded first, so that nobody brings rows back while this runs. Each batch is a transaction of its
    own: the projector does not wait, and whoever stops this can go on later with the same call. At the end the tables
    are vacuumed, so that new rows take the place of the deleted ones.

    Args:
        dw_url: A libpq URL; the role must own the tables.
        days: How many days to keep, at least 1.
        dry_run: Only count. SELECT is enough.
        move_back: Allow a horizon that is earlier than the recorded one.

    Raises:
        AnalysisError: The warehouse does not answer or refuses, the horizon would move back, or the user interrupts.
    """
    with connected(dw_url, make=not dry_run) as connection:
        (today,) = connection.execute(TODAY).fetchone() or (None,)
        done = Retained(today - timedelta(days=days), recorded_horizon(connection))
        if done.was is not None and done.horizon < done.was and not move_back:
            raise AnalysisError(
                f"the warehouse keeps rows since {done.was:%Y-%m-%d}, and --days {days} would keep rows since "
                f"{done.horizon:%Y-%m-%d}: add --move-back, and bring the rows between back with backfill"
            )
        counts = {table: _count(connection, table, done.horizon) for table in AGES if has_table(connection, table)}
        if dry_run:
            done.rows, done.rejects = counts.get(TABLE, 0), counts.get(REJECTS, 0)
            return done
        _require_owner(connection, [*counts, SETTINGS])
        record_horizon(connection, done.horizon, move_back=move_back)
        connection.commit()
        try:
            _delete(connection, counts, done)
        except KeyboardInterrupt:
            raise AnalysisError(f"stopped: {done.rows:,} rows are deleted; the same command goes on later") from None
        return done


def _delete(connection: psycopg.Connection, counts: dict[str, int], done: Retained) -> None:
    with progress("deleting rows", sum(counts.values())) as advance:
        for table in counts:
            since: str | None = "-infinity"
            while since is not None:
                deleted, since = _delete_batch(connection, table, since, done.horizon)
                if table == TABLE:
                    done.rows += deleted
                else:
                    done.rejects += deleted
                advance(deleted)
    done.left = sum(_count(connection, table, done.horizon) for table in counts)
    connection.commit()
    connection.autocommit = True
    for table, deleted in ((TABLE, done.rows), (REJECTS, done.rejects)):
        if deleted:
            connection.execute(VACUUM.format(table=table).encode())


def _delete_batch(connection: psycopg.Connection, table: str, since: str, horizon: datetime) -> tuple[int, str | None]:
    """Delete the oldest rows since a time, and commit. Give their number, and where to go on; None at the end.

    The time is text, since PostgreSQL knows years that Python does not.
    """
    statement = DELETE.format(table=table, age=AGES[table])
    parameters = {"since": since, "horizon": horizon, "most": BATCH}
    deleted, last = connection.execute(statement.encode(), parameters).fetchone() or (0, None)
    connection.commit()
    # A trigger of the table's owner may keep rows from being deleted.
    return deleted, last if deleted else None


def _count(connection: psycopg.Connection, table: str, horizon: datetime) -> int:
    statement = COUNT.format(table=table, age=AGES[table])
    (count,) = connection.execute(statement.encode(), (horizon,)).fetchone() or (0,)
    return int(count)


def _require_owner(connection: psycopg.Connection, tables: list[str]) -> None:
    """Raise AnalysisError before anything is deleted, since only an owner can vacuum a table afterwards."""
    if foreign := connection.execute(FOREIGN, (tables,)).fetchone():
        raise AnalysisError(f"the warehouse refuses: must be owner of table {foreign[0]}: name that owner in --dw")
