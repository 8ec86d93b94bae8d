"""A connection to the warehouse that writes, for the commands that mend it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import LiteralString

import psycopg
from psycopg import sql

from analysis.errors import AnalysisError
from chalicelib.contract import CREATE_TABLE, TABLE
from chalicelib.errors import SettingsError
from chalicelib.warehouse import CREATE_REJECTS, LOCK, REJECTS, Warehouse

__all__ = ["connected", "has_table"]

TABLES: tuple[tuple[str, LiteralString], ...] = ((TABLE, CREATE_TABLE), (REJECTS, CREATE_REJECTS))


@contextmanager
def connected(dw_url: str, *, make: bool) -> Iterator[psycopg.Connection]:
    """Connect to a warehouse; with `make`, tables that are not there are made, as the projector would.

    What is not committed when the block ends is undone. Raises AnalysisError, also for what the block does, if the
    warehouse does not answer or refuses.
    """
    try:
        Warehouse(dw_url)  # says what is wrong with a URL without quoting its password
        with psycopg.connect(dw_url, connect_timeout=5, application_name="clickstream-analysis") as connection:
            for table, statements in TABLES if make else ():
                if not has_table(connection, table):
                    connection.execute(LOCK)
                    connection.execute(sql.SQL(statements))
            connection.commit()
            yield connection
            connection.rollback()
    except SettingsError as error:
        raise AnalysisError(str(error)) from None
    except psycopg.Error as error:
        reason = error.diag.message_primary or next(iter(str(error).splitlines()), type(error).__name__)
        raise AnalysisError(f"the warehouse failed: {reason}") from error


def has_table(connection: psycopg.Connection, table: str) -> bool:
    """Whether it is there; its owner may be somebody else."""
    return connection.execute("SELECT to_regclass(%s)", (table,)).fetchone() != (None,)
