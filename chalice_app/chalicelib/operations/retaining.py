"""Deletes the warehouse's old rows and rejects in batches, and records its horizon: from which day on rows are kept."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import psycopg

from chalicelib.contract import TABLE
from chalicelib.errors import OperationRefused
from chalicelib.warehouse.horizon import record_horizon, recorded_horizon
from chalicelib.warehouse.schema import has_table
from chalicelib.warehouse.tables import REJECTS, SETTINGS

__all__ = ["AGES", "Deleted", "Plan", "delete_old", "left", "plan", "record", "tidy"]

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


class Plan(NamedTuple):
    """What is to be deleted.

    Attributes:
        horizon: The start of the first day whose rows are kept, UTC.
        was: The horizon before; None if there was none.
        counts: How many older rows each table has.
    """

    horizon: datetime
    was: datetime | None
    counts: Mapping[str, int]


class Deleted(NamedTuple):
    """One batch: how many rows of which table, and the age up to which its rows are gone; None at the table's end."""

    table: str
    rows: int
    since: str | None


def plan(connection: psycopg.Connection, days: int, *, move_back: bool) -> Plan:
    """See what is older than today and so many days before. Raises OperationRefused if the horizon would move back."""
    (today,) = connection.execute(TODAY).fetchone() or (None,)
    horizon, was = today - timedelta(days=days), recorded_horizon(connection)
    if was is not None and horizon < was and not move_back:
        raise OperationRefused(
            f"the warehouse keeps rows since {was:%Y-%m-%d}, and --days {days} would keep rows since "
            f"{horizon:%Y-%m-%d}: add --move-back, and bring the rows between back with backfill"
        )
    counts = {table: _count(connection, table, horizon) for table in AGES if has_table(connection, table)}
    return Plan(horizon, was, counts)


def record(connection: psycopg.Connection, planned: Plan, *, move_back: bool) -> None:
    """Record the horizon, so that nobody brings rows back meanwhile, and commit.

    Raises OperationRefused before anything is deleted, if the role does not own the tables: only an owner can vacuum.
    """
    tables = [*planned.counts, SETTINGS]
    if foreign := connection.execute(FOREIGN, (tables,)).fetchone():
        raise OperationRefused(f"the warehouse refuses: must be owner of table {foreign[0]}: name that owner in --dw")
    record_horizon(connection, planned.horizon, move_back=move_back)
    connection.commit()


def delete_old(
    connection: psycopg.Connection, horizon: datetime, table: str, since: str | None = "-infinity"
) -> Iterator[Deleted]:
    """Delete a table's old rows, oldest first, each batch in a transaction of its own.

    Args:
        connection: A connection of the owner of the tables.
        horizon: The time before which rows are deleted.
        table: The table.
        since: Where a batch before ended; text, since PostgreSQL knows years that Python does not.
    """
    statement = DELETE.format(table=table, age=AGES[table]).encode()
    while since is not None:
        parameters = {"since": since, "horizon": horizon, "most": BATCH}
        deleted, last = connection.execute(statement, parameters).fetchone() or (0, None)
        connection.commit()
        # A trigger of the table's owner may keep rows from being deleted.
        since = last if deleted else None
        yield Deleted(table, deleted, since)


def left(connection: psycopg.Connection, planned: Plan) -> int:
    """Count the old rows that are there, because they arrived meanwhile."""
    count = sum(_count(connection, table, planned.horizon) for table in planned.counts)
    connection.commit()
    return count


def tidy(connection: psycopg.Connection, table: str) -> None:
    """Vacuum a table, so that new rows take the place of the deleted ones."""
    connection.commit()
    connection.autocommit = True
    connection.execute(VACUUM.format(table=table).encode())
    connection.autocommit = False


def _count(connection: psycopg.Connection, table: str, horizon: datetime) -> int:
    statement = COUNT.format(table=table, age=AGES[table])
    (count,) = connection.execute(statement.encode(), (horizon,)).fetchone() or (0,)
    return int(count)
