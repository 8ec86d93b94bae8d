"""A connection to the warehouse that writes, for the commands that mend it."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from analysis.errors import AnalysisError
from chalicelib.errors import SettingsError
from chalicelib.warehouse.client import Warehouse, create_tables, reason

__all__ = ["connected"]


@contextmanager
def connected(dw_url: str, *, make: bool) -> Iterator[psycopg.Connection]:
    """Connect to a warehouse; with `make`, tables that are not there are made, as the projector would.

    What is not committed when the block ends is undone. Raises AnalysisError, also for what the block does, if the
    warehouse does not answer or refuses.
    """
    try:
        Warehouse(dw_url)  # says what is wrong with a URL without quoting its password
        with psycopg.connect(dw_url, connect_timeout=5, application_name="clickstream-analysis") as connection:
            if make:
                create_tables(connection)
            connection.commit()
            yield connection
            connection.rollback()
    except SettingsError as error:
        raise AnalysisError(str(error)) from None
    except psycopg.Error as error:
        raise AnalysisError(f"the warehouse failed: {reason(error)}") from error
