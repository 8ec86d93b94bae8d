"""The engine over the lake on AWS: Amazon Athena, which runs Trino."""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import boto3
import polars as pl
from botocore.exceptions import BotoCoreError, ClientError

from analysis.engines.translation import translate
from analysis.errors import AnalysisError, NoTable
from analysis.rows.prices import checked_decimals

__all__ = ["AthenaEvents"]

DATABASE = "clickstream"
FIRST_WAIT, LONGEST_WAIT = 0.2, 2.0
MISSING = ("TABLE_NOT_FOUND", "SCHEMA_NOT_FOUND")


def _time(text: str) -> datetime:
    """Read a time as Athena writes it, such as `2026-11-02 09:30:00.123456 UTC`."""
    return datetime.fromisoformat(text.removesuffix(" UTC")).replace(tzinfo=UTC)


# Athena gives every value as text.
_TYPES: Mapping[str, tuple[pl.DataType, Callable[[str], object]]] = {
    "boolean": (pl.Boolean(), lambda text: text == "true"),
    "integer": (pl.Int32(), int),
    "bigint": (pl.Int64(), int),
    "double": (pl.Float64(), float),
    "varchar": (pl.String(), str),
    "char": (pl.String(), str),
    "date": (pl.Date(), date.fromisoformat),
    "timestamp with time zone": (pl.Datetime("us", "UTC"), _time),
}


class AthenaEvents:
    """The lake in Amazon Athena, by its Glue tables. Threads may share one object."""

    # The lake has a table of orders, so revenue can be computed, and derived columns.
    has_orders = True
    has_derived = True

    def __init__(
        self,
        workgroup: str = "primary",
        *,
        database: str = DATABASE,
        output: str | None = None,
        timeout: float = 600,
        price_decimals: int | None = None,
    ) -> None:
        """Remember where to run queries. Credentials and region are found as boto3 finds them.

        Args:
            workgroup: Athena's workgroup.
            database: The Glue database of the tables `events` and `orders`.
            output: Where Athena writes results, as `s3://bucket/prefix/`; by default where the workgroup says.
            timeout: Seconds after which a query is stopped.
            price_decimals: The decimals of the lake's prices; by default `PRICE_DECIMALS` of the environment.

        Raises:
            AnalysisError: The decimals are not 0 to 6, or boto3 finds no region.
        """
        self.price_decimals = checked_decimals(price_decimals)
        self._workgroup = workgroup
        self._database = database
        self._output = output
        self._timeout = timeout
        try:
            self._client = boto3.client("athena")
        except BotoCoreError as error:
            raise AnalysisError(f"Athena cannot be used: {error}") from None

    def query(self, sql: str, parameters: Mapping[str, object]) -> pl.DataFrame:
        """Run one query, as `Engine` says. It may also use the tables `orders` and `order_items`, as over raw.

        Raises AnalysisError also if the query cannot be translated exactly, does more than read, or takes longer than
        the timeout.
        """
        text = translate(sql, parameters, "athena", self._database)
        try:
            done = self._finished(self._start(text))
            return self._frame(done)
        except (BotoCoreError, ClientError) as error:
            raise AnalysisError(f"Athena does not answer: {error}") from error

    def _start(self, text: str) -> str:
        where = {"ResultConfiguration": {"OutputLocation": self._output}} if self._output else {}
        started = self._client.start_query_execution(
            QueryString=text, WorkGroup=self._workgroup, QueryExecutionContext={"Database": self._database}, **where
        )
        return str(started["QueryExecutionId"])

    def _finished(self, execution: str) -> str:
        """Wait until a query has ended, and give its id."""
        until, wait = time.monotonic() + self._timeout, FIRST_WAIT
        while True:
            status = self._client.get_query_execution(QueryExecutionId=execution)["QueryExecution"]["Status"]
            if status["State"] == "SUCCEEDED":
                return execution
            if status["State"] in {"FAILED", "CANCELLED"}:
                said = status.get("StateChangeReason", status["State"].lower())
                if any(word in said for word in MISSING):
                    raise NoTable(f"Athena sees no table events in {self._database}: run 'python -m analysis compact'")
                raise AnalysisError(f"Athena cannot run this query: {said}")
            if time.monotonic() > until:
                self._client.stop_query_execution(QueryExecutionId=execution)
                raise AnalysisError(f"the query took more than {self._timeout:g} s: choose a shorter range")
            time.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)

    def _frame(self, execution: str) -> pl.DataFrame:
        pages = self._pages(execution)
        first = next(pages)
        kinds = {each["Name"]: _type(each) for each in first["ResultSetMetadata"]["ColumnInfo"]}
        readers = [reader for _, reader in kinds.values()]
        # The first row holds the names of the columns.
        rows = [*first["Rows"][1:], *(row for page in pages for row in page["Rows"])]
        values = [
            tuple(
                None if (text := cell.get("VarCharValue")) is None else read(text)
                for cell, read in zip(row["Data"], readers, strict=True)
            )
            for row in rows
        ]
        return pl.DataFrame(values, {name: dtype for name, (dtype, _) in kinds.items()}, orient="row")

    def _pages(self, execution: str) -> Iterator[dict[str, Any]]:
        paginator = self._client.get_paginator("get_query_results")
        for page in paginator.paginate(QueryExecutionId=execution):
            yield page["ResultSet"]


def _type(column: Mapping[str, Any]) -> tuple[pl.DataType, Callable[[str], object]]:
    """Give the Polars type of a column, and what reads its text."""
    kind = column["Type"]
    if kind == "decimal":
        return pl.Decimal(column["Precision"], column["Scale"]), Decimal
    if kind not in _TYPES:
        raise AnalysisError(f"a result cannot have the type {kind}: cast it, for example to TEXT")
    return _TYPES[kind]
