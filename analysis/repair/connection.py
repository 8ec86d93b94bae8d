"""A connection to the warehouse that may write, for the repair commands."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.errors import InsufficientPrivilege, UndefinedColumn, UndefinedTable

from analysis.errors import AnalysisError
from analysis.rows.prices import checked_decimals
from chalicelib.errors import NewerWarehouse, OperationRefused, OtherPriceDecimals, SettingsError
from chalicelib.warehouse.client import UPGRADE, Warehouse, pin, reason
from chalicelib.warehouse.schema import SCHEMA, Schema

__all__ = ["connected", "schema_here"]


def schema_here() -> Schema:
    """Give the tables with `PRICE_DECIMALS` of the environment. Raises AnalysisError if that is not 0 to 6."""
    return SCHEMA.with_decimals(checked_decimals(None))


@contextmanager
def connected(dw_url: str, *, make: bool) -> Iterator[psycopg.Connection]:
    """Connect to a warehouse. What is not committed when the block ends is undone.

    Args:
        dw_url: A libpq URL.
        make: Add the tables and columns that are missing, as far as the role may do that.

    Raises:
        AnalysisError: The warehouse does not answer, refuses, is newer than this code, or has other decimals of prices.
            Also for what the block does.
    """
    try:
        Warehouse(dw_url)  # says what is wrong with a URL without quoting its password
        with psycopg.connect(dw_url, connect_timeout=5, application_name="clickstream-analysis") as connection:
            # A role's default may be stricter, and would then fail beside a projector that inserts the same event.
            connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
            pin(connection)
            SCHEMA.refuse_newer(connection)
            if make:
                schema_here().upgrade(connection, as_allowed=True)
            connection.commit()
            yield connection
            connection.rollback()
    except (SettingsError, NewerWarehouse, OperationRefused, OtherPriceDecimals) as error:
        raise AnalysisError(str(error)) from None
    except (UndefinedTable, UndefinedColumn) as error:
        raise AnalysisError(f"the warehouse failed: {reason(error)}: {UPGRADE}") from error
    except InsufficientPrivilege as error:
        role = "the owner of the tables" if make else "one that may SELECT from them"
        raise AnalysisError(f"the warehouse refuses: {reason(error)}: name another role in --dw, {role}") from error
    except psycopg.Error as error:
        raise AnalysisError(f"the warehouse failed: {reason(error)}") from error
