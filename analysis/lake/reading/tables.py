"""Opens a lake for queries: its tables in DuckDB, Polars or pandas, in one line each."""

import os
from typing import TYPE_CHECKING, Literal, TypeAlias

from analysis.errors import AnalysisError
from analysis.lake.location import Location, location_of
from analysis.lake.reading.scans import connect, relation_of
from analysis.lake.tables import Tables, read_tables

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]  # its stubs are not installed, as it is not needed
    import polars as pl
    from duckdb import DuckDBPyConnection, DuckDBPyRelation
    from pyiceberg.table import Table

__all__ = ["Lake", "Name", "open_lake"]

Name: TypeAlias = Literal["events", "orders"]


class Lake:
    """The tables `events` and `orders` of a lake, as they were when it was opened.

    Attributes:
        location: Where it is.
        tables: Both tables, as pyiceberg knows them.
    """

    def __init__(self, location: Location, tables: Tables) -> None:
        self.location = location
        self.tables = tables
        self._database: DuckDBPyConnection | None = None

    def __repr__(self) -> str:
        return f"the lake {self.location}"

    def duckdb(self, name: Name = "events") -> "DuckDBPyRelation":
        """Give a table as a DuckDB relation, for SQL; `name` is `events` or `orders`.

        All relations of one lake are in one database in memory, whose clocks show UTC, so a query may use several.
        """
        table = self._table(name)
        if self._database is None:
            self._database = connect()
        columns = [field.name for field in table.schema().fields]
        source = relation_of(self._database, table, list(table.scan().plan_files()), columns, f"lake_{name}")
        return self._database.sql(f"FROM {source}")

    def polars(self, name: Name = "events") -> "pl.LazyFrame":
        """Give a table as a lazy frame of Polars; `name` is `events` or `orders`."""
        import polars as pl

        # It would plan with a package of its own, and warns without it.
        os.environ.setdefault("POLARS_ICEBERG_PLANNER", "pyiceberg")
        return pl.scan_iceberg(self._table(name))

    def pandas(self, name: Name = "events") -> "pd.DataFrame":
        """Give a table as a frame of pandas, all in memory; `name` is `events` or `orders`.

        Raises:
            AnalysisError: pandas is not installed: nothing else here needs it.
        """
        try:
            import pandas as pd  # noqa: F401  # needed by the next line, which would say less
        except ModuleNotFoundError:
            raise AnalysisError("pandas is not installed: 'pip install pandas', or use polars()") from None
        return self._table(name).scan().to_pandas()

    def _table(self, name: Name) -> "Table":
        tables = {"events": self.tables.events, "orders": self.tables.orders}
        if name not in tables:
            raise AnalysisError(f"the lake has no table {name!r}: choose from {', '.join(tables)}")
        return tables[name]


def open_lake(location: str | None = None) -> Lake:
    """Open a lake for queries. This only reads.

    Args:
        location: A directory, or `glue`. By default what `LAKE` names, else `lake/` in the local stack's home.

    Raises:
        AnalysisError: There is no lake yet, it is newer than this code, or has prices with other decimals than
            `PRICE_DECIMALS`.
    """
    place = location_of(location)
    return Lake(place, read_tables(place))
