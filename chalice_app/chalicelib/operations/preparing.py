"""Prepares a warehouse that is to be filled in bulk: its tables, its decimals of prices, and its tombstones."""

import psycopg

from chalicelib.contract import TABLE
from chalicelib.errors import OperationRefused
from chalicelib.warehouse.schema import Schema, has_table, recorded_decimals
from chalicelib.warehouse.tombstones import Stones, enforce, forget_rows

__all__ = ["prepare"]

END_PROJECTORS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'clickstream-projector'
"""


def prepare(
    connection: psycopg.Connection, schema: Schema, stones: Stones | None, *, dry_run: bool, must_be_empty: bool
) -> None:
    """See that a warehouse may be filled. Except for a dry run, missing tables and columns are added, and committed.

    A warehouse that was made anew lacks tombstones. It gets them, and rows of erased people are deleted.

    Args:
        connection: A connection that commits nothing by itself.
        schema: The tables, with the decimals of whoever fills them.
        stones: The tombstones of the bucket; None if nobody was erased.
        dry_run: Change nothing.
        must_be_empty: Refuse a table that has rows. An empty one takes over the decimals of `schema`.

    Raises:
        OperationRefused: There is no table in a dry run, or the table has to be empty and is not.
        NewerWarehouse: The warehouse is newer than this code.
        OtherPriceDecimals: The warehouse's prices have other decimals.
    """
    schema.refuse_newer(connection)
    if dry_run and not has_table(connection, TABLE):
        raise OperationRefused(f"the warehouse has no table {TABLE}: every event in raw is missing")
    if not dry_run:
        schema.upgrade(connection, as_allowed=True)
    if must_be_empty:
        _refuse_rows(connection)
        was = recorded_decimals(connection) or 0
        if was != schema.price_decimals:
            _change_decimals(connection, was, schema)
            _refuse_rows(connection)
    schema.refuse_other_decimals(connection)
    if stones is not None and not dry_run and enforce(connection, stones):
        forget_rows(connection)
    connection.commit()


def _refuse_rows(connection: psycopg.Connection) -> None:
    if connection.execute(f"SELECT FROM {TABLE} LIMIT 1".encode()).rowcount:
        raise OperationRefused(f"{TABLE} is not empty: backfill without --rebuild, or TRUNCATE it first")


def _change_decimals(connection: psycopg.Connection, was: int, schema: Schema) -> None:
    """Record other decimals, and end the connections of projectors: each looks at the record when it connects again."""
    schema.change_decimals(connection)
    connection.commit()
    try:
        connection.execute(END_PROJECTORS.encode())
    except psycopg.Error:
        connection.rollback()
        schema.with_decimals(was).change_decimals(connection)
        connection.commit()
        raise
    connection.commit()
