"""The engine over the warehouse: PostgreSQL, read only."""

from collections.abc import Mapping

import polars as pl
import psycopg
from psycopg.postgres import types as postgres_types
from psycopg.types.string import TextLoader

from analysis.engines.protocol import PARAMETER
from analysis.engines.stopping import stoppable
from analysis.errors import AnalysisError, NoTable
from analysis.rows.prices import checked_decimals
from chalicelib.contract import TABLE
from chalicelib.errors import NewerWarehouse, SettingsError
from chalicelib.warehouse.client import SESSION_SETTINGS, UPGRADE, Warehouse, pin, reason
from chalicelib.warehouse.schema import SCHEMA, recorded_decimals

__all__ = ["WarehouseEvents"]

# Floats with every digit, and names that no other schema can take.
READER_SETTINGS = {"extra_float_digits": "1", "search_path": "pg_catalog, public"}

_DTYPES: Mapping[int, pl.DataType] = {
    postgres_types[name].oid: dtype
    for name, dtype in {
        "bool": pl.Boolean(),
        "int4": pl.Int32(),
        "int8": pl.Int64(),
        "float8": pl.Float64(),
        "text": pl.String(),
        "uuid": pl.String(),
        "date": pl.Date(),
        "timestamptz": pl.Datetime("us", "UTC"),
    }.items()
}


class WarehouseEvents:
    """The warehouse, read only. Each query opens its own connection, so threads may share one object."""

    # Raw and the lake have them.
    has_orders = False
    has_derived = False

    def __init__(self, url: str, timeout: float = 60) -> None:
        """Remember where the warehouse is.

        Args:
            url: A libpq URL.
            timeout: Seconds after which a query is stopped.

        Raises:
            AnalysisError: The text is not a libpq URL.
        """
        try:
            Warehouse(url)  # its error does not quote the password
        except SettingsError as error:
            raise AnalysisError(str(error)) from None
        self._url = url
        self._timeout = timeout
        self._is_known = False
        self._price_decimals = 0

    @property
    def price_decimals(self) -> int:
        """How many decimals its prices keep, as it has recorded; those of the environment if it has no table yet."""
        if not self._is_known:
            self.query("SELECT 1 AS one", {})
        return self._price_decimals

    def query(self, sql: str, parameters: Mapping[str, object]) -> pl.DataFrame:
        """Run one query, as `Engine` says.

        Raises AnalysisError also if the query takes longer than the timeout, or the warehouse is newer than the code.
        """
        statement = PARAMETER.sub(r"%(\1)s", sql.replace("%", "%%"))
        try:
            with (
                psycopg.connect(self._url, connect_timeout=5, application_name="clickstream-analysis") as connection,
                stoppable(connection.cancel_safe),
            ):
                self._prepare(connection)
                if not self._is_known:
                    SCHEMA.refuse_newer(connection)
                    self._price_decimals = checked_decimals(recorded_decimals(connection))
                    self._is_known = True
                # A pipeline takes one statement at a time: none can end the read-only transaction, and write after it.
                with connection.pipeline():
                    cursor = connection.execute(statement.encode(), parameters)
                    rows = cursor.fetchall()
                schema = {column.name: _DTYPES.get(column.type_code) for column in cursor.description or ()}
                return pl.DataFrame(rows, schema, orient="row")
        except NewerWarehouse as error:
            raise AnalysisError(str(error)) from None
        except psycopg.errors.UndefinedColumn as error:
            raise AnalysisError(f"{reason(error)}: if it is the contract's, {UPGRADE}") from error
        except psycopg.errors.UndefinedTable:
            raise NoTable(f"the warehouse has no table {TABLE}: no event has been projected yet") from None
        except psycopg.errors.QueryCanceled:
            raise AnalysisError(f"the query took more than {self._timeout:g} s: choose a shorter range") from None
        except psycopg.Error as error:
            raise AnalysisError(f"the warehouse does not answer: {reason(error)}") from error

    def _prepare(self, connection: psycopg.Connection) -> None:
        """Set the options of this transaction. They are not options of the connection, because poolers refuse those."""
        connection.read_only = True
        connection.prepare_threshold = None
        connection.adapters.register_loader("uuid", TextLoader)
        timeout = str(round(self._timeout * 1000))
        pin(connection, {**SESSION_SETTINGS, **READER_SETTINGS, "statement_timeout": timeout}, is_local=True)
