"""The calls to Athena, against moto. Nothing here runs a query: the SQL is checked in test_translation.py."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import boto3
import polars as pl
import pytest
from moto import mock_aws
from moto.athena.models import QueryResults, athena_backends

from analysis import AnalysisError, NoTable, overview
from analysis.engines import athena
from analysis.engines.athena import AthenaEvents
from tests.support.event_rows import RANGE, check

REGION = "eu-central-1"
ACCOUNT = "123456789012"  # of everybody, in moto
OUTPUT = "s3://results/athena/"


class Backend:
    """Athena as moto has it."""

    def __init__(self) -> None:
        self.itself = athena_backends[ACCOUNT][REGION]

    def answers(self, columns: dict[str, str], *rows: tuple[str | None, ...]) -> None:
        """Let the next query give these rows, in texts, below the row of names that Athena gives first."""
        info: list[Any] = [{"Name": name, "Type": kind, "Precision": 38, "Scale": 18} for name, kind in columns.items()]
        data = [
            {"Data": [{} if text is None else {"VarCharValue": text} for text in row]} for row in ((*columns,), *rows)
        ]
        self.itself.query_results_queue.append(QueryResults(rows=data, column_info=info))

    @property
    def execution(self) -> Any:
        """The last query."""
        return [*self.itself.executions.values()][-1]


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch, aws_environment: Any) -> Iterator[Backend]:
    """Give a pretend Athena, of which nobody has to wait."""
    aws_environment(AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing", AWS_DEFAULT_REGION=REGION)
    monkeypatch.setattr(athena, "FIRST_WAIT", 0.001)
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="results", CreateBucketConfiguration={"LocationConstraint": REGION})
        yield Backend()


class TestAthenaEvents:
    def test_values_have_the_types_that_other_engines_give(self, backend: Backend) -> None:
        """Athena gives each as text, and nothing for null."""
        columns = {
            "flag": "boolean",
            "small": "integer",
            "number": "bigint",
            "ratio": "double",
            "text": "varchar",
            "day": "date",
            "moment": "timestamp with time zone",
            "amount": "decimal",
        }
        texts = ("true", "7", "9007199254740993", "1.0E-7", "", "2026-11-02", "2026-11-02 09:30:00.123456 UTC", "0.10")
        backend.answers(columns, texts, (None,) * len(texts))
        schema = {
            "flag": pl.Boolean,
            "small": pl.Int32,
            "number": pl.Int64,
            "ratio": pl.Float64,
            "text": pl.String,
            "day": pl.Date,
            "moment": pl.Datetime("us", "UTC"),
            "amount": pl.Decimal(38, 18),
        }
        moment = datetime(2026, 11, 2, 9, 30, 0, 123_456, tzinfo=UTC)
        row = (True, 7, 9_007_199_254_740_993, 1e-7, "", date(2026, 11, 2), moment, Decimal("0.10"))
        check(AthenaEvents(output=OUTPUT).query("SELECT 1 AS one", {}), schema, [row, (None,) * len(row)])

    def test_a_metric_is_asked_in_the_workgroup_and_the_database(self, backend: Backend) -> None:
        """In Athena's words, with the values in them."""
        backend.answers({"events": "bigint"}, ("3",))
        boto3.client("athena").create_work_group(Name="analysts")
        engine = AthenaEvents("analysts", database="shop", output=OUTPUT)
        assert overview(engine, RANGE)["events"].to_list() == [3]
        asked = backend.execution
        assert (asked.workgroup if isinstance(asked.workgroup, str) else asked.workgroup.name) == "analysts"
        assert asked.context == {"Database": "shop"}
        assert asked.config["OutputLocation"].startswith(OUTPUT)
        assert "FROM shop.events" in asked.query
        assert "'2026-11-02 00:00:00.000000 UTC' AS TIMESTAMP(6) WITH TIME ZONE" in asked.query

    @pytest.mark.usefixtures("backend")
    @pytest.mark.parametrize(
        ("state", "reason", "error", "said"),
        [
            ("FAILED", "SYNTAX_ERROR: line 1:8", AnalysisError, "Athena cannot run this query: SYNTAX_ERROR: line 1:8"),
            ("FAILED", "TABLE_NOT_FOUND: line 1", NoTable, "Athena sees no table events in clickstream: run"),
            ("CANCELLED", None, AnalysisError, "Athena cannot run this query: cancelled"),
        ],
    )
    def test_a_query_that_ends_otherwise_is_an_error(
        self, monkeypatch: pytest.MonkeyPatch, state: str, reason: str | None, error: Any, said: str
    ) -> None:
        """With Athena's reason."""
        engine = AthenaEvents(output=OUTPUT)
        status = {"State": state} | ({"StateChangeReason": reason} if reason else {})
        answer = {"QueryExecution": {"Status": status}}
        monkeypatch.setattr(engine._client, "get_query_execution", lambda **_: answer)
        with pytest.raises(error, match=said):
            engine.query("SELECT 1 AS one", {})

    def test_a_query_that_takes_too_long_is_stopped(self, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
        """There, too: it costs money."""
        engine = AthenaEvents(output=OUTPUT, timeout=0)
        answer = {"QueryExecution": {"Status": {"State": "RUNNING"}}}
        monkeypatch.setattr(engine._client, "get_query_execution", lambda **_: answer)
        with pytest.raises(AnalysisError, match="took more than 0 s"):
            engine.query("SELECT 1 AS one", {})
        assert backend.execution.status == "CANCELLED"

    @pytest.mark.usefixtures("backend")
    def test_further_pages_are_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of which only the first begins with the names."""
        engine = AthenaEvents(output=OUTPUT)
        metadata = {"ColumnInfo": [{"Name": "n", "Type": "bigint"}]}
        pages = [[["n"], ["1"]], [["2"], ["3"]]]
        results = [
            {
                "ResultSetMetadata": metadata,
                "Rows": [{"Data": [{"VarCharValue": text} for text in row]} for row in page],
            }
            for page in pages
        ]
        monkeypatch.setattr(engine, "_pages", lambda _execution: iter(results))
        assert engine.query("SELECT 1 AS one", {})["n"].to_list() == [1, 2, 3]

    def test_without_a_region_it_cannot_be_used(self, aws_environment: Any) -> None:
        """In one line."""
        aws_environment()
        with pytest.raises(AnalysisError, match="Athena cannot be used: You must specify a region"):
            AthenaEvents()

    def test_a_type_that_no_other_engine_gives_is_an_error(self, backend: Backend) -> None:
        """It names the type."""
        backend.answers({"list": "array"}, ("[1]",))
        with pytest.raises(AnalysisError, match="cannot have the type array"):
            AthenaEvents(output=OUTPUT).query("SELECT 1 AS one", {})
