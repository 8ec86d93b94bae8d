"""The engine over the warehouse: PostgreSQL, read only, over a connection or through the RDS Data API."""

from collections.abc import Mapping
from typing import TypeVar

import polars as pl
import psycopg
from psycopg.postgres import types as postgres_types
from psycopg.types.string import TextLoader

from analysis.engines.data_api.session import LONGEST_STATEMENT, Result, Session, session
from analysis.engines.data_api.url import data_api_url
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

_Opened = TypeVar("_Opened", psycopg.Connection, Session)

# By PostgreSQL's name of the type.
_DTYPES: Mapping[str, pl.DataType] = {
    "bool": pl.Boolean(),
    "int4": pl.Int32(),
    "int8": pl.Int64(),
    "float8": pl.Float64(),
    "text": pl.String(),
    "uuid": pl.String(),
    "date": pl.Date(),
    "timestamptz": pl.Datetime("us", "UTC"),
}


class WarehouseEvents:
    """The warehouse, read only. Each query opens its own connection or transaction, so threads may share one object."""

    # Raw and the lake have them.
    has_orders = False
    has_derived = False

    def __init__(self, url: str, timeout: float = 60) -> None:
        """Remember where the warehouse is.

        Args:
            url: A libpq URL; or the URL of a stage's warehouse, `rds-data://…`, which is read through the Data API.
            timeout: Seconds after which a query is stopped. The Data API allows 44.

        Raises:
            AnalysisError: The text is no such URL.
        """
        self._data_api = data_api_url(url)
        if self._data_api is None:
            try:
                Warehouse(url)  # its error does not quote the password
            except SettingsError as error:
                raise AnalysisError(str(error)) from None
        self._url = url
        self._timeout = timeout if self._data_api is None else min(timeout, LONGEST_STATEMENT)
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
        try:
            rows, columns = self._run(sql, parameters)
            return pl.DataFrame(rows, {name: _DTYPES.get(kind) for name, kind in columns}, orient="row")
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

    def _run(self, sql: str, parameters: Mapping[str, object]) -> Result:
        """Run one query in a transaction of its own, in which nothing can be written."""
        settings = {**SESSION_SETTINGS, **READER_SETTINGS, "statement_timeout": str(round(self._timeout * 1000))}
        if self._data_api is not None:
            return session(self._data_api, settings, lambda opened: self._known(opened).query(sql, parameters))
        statement = PARAMETER.sub(r"%(\1)s", sql.replace("%", "%%"))
        with (
            psycopg.connect(self._url, connect_timeout=5, application_name="clickstream-analysis") as connection,
            stoppable(connection.cancel_safe),
        ):
            # The options of this transaction are not options of the connection, because poolers refuse those.
            connection.read_only = True
            connection.prepare_threshold = None
            connection.adapters.register_loader("uuid", TextLoader)
            pin(connection, settings, is_local=True)
            self._known(connection)
            # A pipeline takes one statement at a time: none can end the read-only transaction, and write after it.
            with connection.pipeline():
                cursor = connection.execute(statement.encode(), parameters)
                rows = cursor.fetchall()
            return Result(rows, [(column.name, _name_of(column.type_code)) for column in cursor.description or ()])

    def _known(self, opened: _Opened) -> _Opened:
        """Before the first query, see that this code knows the warehouse, and how many decimals its prices keep."""
        if not self._is_known:
            SCHEMA.refuse_newer(opened)
            self._price_decimals = checked_decimals(recorded_decimals(opened))
            self._is_known = True
        return opened


def _name_of(oid: int) -> str:
    found = postgres_types.get(oid)
    return "" if found is None or oid != found.oid else found.name
