import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import boto3
import polars as pl
import psycopg
import pytest
from botocore.exceptions import ClientError
from polars.testing import assert_frame_equal

from analysis import AnalysisError, NoTable, WarehouseEvents
from analysis.checks.validation.warehouse.agreement import METRICS
from analysis.engines.data_api import session as module
from analysis.engines.data_api.url import DataApiUrl
from chalicelib.contract import COLUMNS, Column
from chalicelib.warehouse.schema import Schema
from tests.support.aws.data_api import MIB, DataApi, data_api
from tests.support.event_rows import RANGE, event, fill

pytestmark = pytest.mark.slow

CLUSTER = "arn:aws:rds:eu-central-1:123456789012:cluster:clickstream-dev"
SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:reader-AbCdEf"
URL = str(DataApiUrl("clickstream_dw", CLUSTER, SECRET))
EVENTS = [
    event(
        number * 40.0, name, client=f"c{number % 7}", session=f"s{number % 11}", product=f"p{number % 3}", price=number
    )
    for number in range(60)
    for name in ("page_view", "product_view", "add_to_cart_click", "checkout_complete")
]

# What psycopg reads of each, and what the Data API gives of it: texts, numbers, booleans, and lists of them.
VALUES = """
SELECT
    TIMESTAMPTZ '2026-11-24 09:30:00.12+02' AS moment, TIMESTAMPTZ '2026-11-24 00:00+00' AS midnight,
    DATE '2026-11-24' AS day, CAST('1.50' AS NUMERIC) AS amount, CAST(12345678901234567890 AS NUMERIC) AS large,
    CAST(9223372036854775807 AS BIGINT) AS most, CAST(-7 AS INTEGER) AS number, 0.1::float8 + 0.2 AS float,
    'NaN'::float8 AS no_number, true AS yes, false AS no, 'Ω '' \\ :name' AS text, '' AS empty,
    CAST(NULL AS TEXT) AS nothing, CAST(NULL AS BIGINT) AS no_count, CAST(NULL AS TIMESTAMPTZ) AS no_moment,
    CAST('7c9e6679-7425-40de-944b-e07fc1f90a04' AS UUID) AS id, CAST('{"a": [1, null]}' AS JSON) AS document,
    CAST('{"b": 2}' AS JSONB) AS binary_document, ARRAY['a', NULL, 'b,"c'] AS texts,
    ARRAY[1, NULL, 3]::BIGINT[] AS numbers,
    ARRAY[true, NULL] AS answers, CAST('{}' AS TEXT[]) AS no_texts,
    ARRAY[CAST('7c9e6679-7425-40de-944b-e07fc1f90a04' AS UUID)] AS ids
"""


@pytest.fixture
def service(
    new_database: Callable[[], AbstractContextManager[str]], aws_environment: Callable[..., None]
) -> Iterator[DataApi]:
    """Give a Data API over a filled warehouse."""
    with new_database() as url, data_api(CLUSTER, {SECRET: url}) as service:
        fill(url, EVENTS)
        aws_environment(
            AWS_ENDPOINT_URL_RDS_DATA=service.url, AWS_ACCESS_KEY_ID="somebody", AWS_SECRET_ACCESS_KEY="secret"
        )
        yield service


@pytest.fixture
def warehouse(service: DataApi) -> WarehouseEvents:
    """Give the warehouse through the Data API."""
    del service
    return WarehouseEvents(URL)


@pytest.fixture
def direct(service: DataApi) -> WarehouseEvents:
    """Give the same warehouse over a connection."""
    return WarehouseEvents(service.secrets[SECRET])


class TestSameAsOverAConnection:
    def test_every_type_is_read_as_psycopg_reads_it(self, warehouse: WarehouseEvents, direct: WarehouseEvents) -> None:
        """Times in UTC, decimals, big numbers, booleans, NULL, UUIDs, dates, JSON and arrays."""
        found = warehouse.query(VALUES, {})
        assert_frame_equal(found, direct.query(VALUES, {}))
        (row,) = found.rows(named=True)
        assert row["moment"] == datetime(2026, 11, 24, 7, 30, 0, 120_000, UTC)
        assert (row["day"], row["amount"], row["most"]) == (date(2026, 11, 24), Decimal("1.50"), 2**63 - 1)
        assert (row["yes"], row["nothing"], row["id"]) == (True, None, "7c9e6679-7425-40de-944b-e07fc1f90a04")
        assert (row["document"], row["texts"]) == ({"a": [1, None]}, ["a", None, 'b,"c'])

    def test_other_connections_of_the_process_keep_their_types(
        self, warehouse: WarehouseEvents, service: DataApi
    ) -> None:
        """The projector compares ids as UUIDs; it would take each row for one of an erased person otherwise."""
        warehouse.query(VALUES, {})
        with psycopg.connect(service.secrets[SECRET]) as connection:
            row = connection.execute("SELECT CAST('7c9e6679-7425-40de-944b-e07fc1f90a04' AS UUID)").fetchone()
        assert row == (UUID("7c9e6679-7425-40de-944b-e07fc1f90a04"),)

    @pytest.mark.parametrize(
        "value",
        [
            datetime(2026, 11, 24, 9, 30, 0, 123_456, UTC),
            date(2026, 11, 24),
            Decimal("1.50"),
            7,
            70_000,
            2**40,
            0.25,
            True,
            "Ω ' :x $y %",
            "",
            ["a", 'b"\\,{}', "NULL", ""],
            [1, 2],
        ],
    )
    def test_every_parameter_has_the_type_that_psycopg_gives_it(
        self, value: object, warehouse: WarehouseEvents, direct: WarehouseEvents
    ) -> None:
        """So that one SQL gives one result."""
        sql = "SELECT CAST($value AS TEXT) AS text, CAST(pg_typeof($value) AS TEXT) AS type"
        found, wanted = (engine.query(sql, {"value": value}) for engine in (warehouse, direct))
        assert found["text"].to_list() == wanted["text"].to_list()
        # To a connection, a text may still become any type; here it is one, so metrics cast it.
        assert found["type"].to_list() == wanted["type"].replace({"unknown": "text"}).to_list()

    def test_nothing_is_null(self, warehouse: WarehouseEvents) -> None:
        """As a parameter."""
        assert warehouse.query("SELECT CAST($value AS TEXT) AS text", {"value": None}).item() is None

    @pytest.mark.parametrize("metric", METRICS)
    def test_every_metric_is_the_same(self, metric: str, warehouse: WarehouseEvents, direct: WarehouseEvents) -> None:
        """Values, types, names and order."""
        assert_frame_equal(METRICS[metric](warehouse, RANGE), METRICS[metric](direct, RANGE))

    def test_the_decimals_of_prices_are_known(self, warehouse: WarehouseEvents, service: DataApi) -> None:
        """As the warehouse has recorded them."""
        with psycopg.connect(service.secrets[SECRET]) as connection:
            connection.execute("DROP TABLE clickstream_events")
            Schema(price_decimals=2).upgrade(connection)
        assert warehouse.price_decimals == 2

    def test_settings_of_the_user_change_nothing(self, warehouse: WarehouseEvents, service: DataApi) -> None:
        """Neither its zone nor its way of writing dates."""
        with psycopg.connect(service.secrets[SECRET], autocommit=True) as connection:
            for setting in ("timezone TO 'Asia/Tokyo'", "datestyle TO 'SQL, DMY'"):
                name = connection.info.dbname
                connection.execute(f'ALTER DATABASE "{name}" SET {setting}'.encode())
        found = warehouse.query("SELECT CAST(TIMESTAMPTZ '2026-11-24 00:00+00' AS TEXT) AS text", {})
        assert found.item() == "2026-11-24 00:00:00+00"


class TestPages:
    MANY = "SELECT number, repeat('x', 200) || number AS text FROM generate_series(1, 15000) AS number"

    def test_a_large_result_is_whole_and_in_order(self, warehouse: WarehouseEvents, service: DataApi) -> None:
        """Though no response may have more than 1 MiB, and this has four times as much."""
        found = warehouse.query(self.MANY, {})
        assert found["number"].to_list() == [*range(1, 15_001)]
        fetched = [each["sql"] for name, each in service.requests if each.get("sql", "").startswith("FETCH")]
        assert 3 < len(fetched) < 30

    def test_it_is_of_one_moment(self, warehouse: WarehouseEvents, service: DataApi) -> None:
        """What is inserted between two pages is not in it."""
        with psycopg.connect(service.secrets[SECRET], autocommit=True) as connection:
            connection.execute("CREATE TABLE counted AS SELECT number FROM generate_series(1, 1000) AS number")
            answer = service.answer

            def insert(path: str, key: str, body: bytes) -> dict[str, Any]:
                done = answer(path, key, body)
                if b"FETCH" in body:
                    connection.execute("INSERT INTO counted VALUES (0)")
                return done

            service.answer = insert  # type: ignore[method-assign]
            assert warehouse.query("SELECT number FROM public.counted", {}).height == 1000

    def test_a_page_that_is_too_large_is_asked_for_again_in_smaller_ones(
        self, warehouse: WarehouseEvents, service: DataApi
    ) -> None:
        """From the first row on, since the service has ended the transaction."""
        service.most_bytes = 100_000
        found = warehouse.query("SELECT repeat('x', 20000) AS text, number FROM generate_series(1, 40) AS number", {})
        assert found["number"].to_list() == [*range(1, 41)]

    def test_a_row_that_is_too_large_is_an_error(self, warehouse: WarehouseEvents) -> None:
        """Which says how large it may be."""
        with pytest.raises(AnalysisError, match="larger than the Data API gives"):
            warehouse.query("SELECT repeat('x', 70000) AS text", {})


class TestReadOnly:
    @pytest.mark.parametrize(
        "sql",
        [
            "DELETE FROM public.clickstream_events RETURNING event_name",
            "WITH gone AS (DELETE FROM public.clickstream_events RETURNING 1) SELECT count(*) FROM gone",
            "SELECT 1; DELETE FROM public.clickstream_events",
            "SELECT 1; COMMIT",
            "SELECT nextval('public.numbers')",
        ],
    )
    def test_nothing_can_be_written(self, sql: str, warehouse: WarehouseEvents, service: DataApi) -> None:
        """Though the user of the secret might write."""
        with psycopg.connect(service.secrets[SECRET]) as connection:
            connection.execute("CREATE SEQUENCE numbers")
        with pytest.raises(AnalysisError):
            warehouse.query(sql, {})
        with psycopg.connect(service.secrets[SECRET]) as connection:
            assert connection.execute("SELECT count(*) FROM clickstream_events").fetchone() == (len(EVENTS),)

    def test_no_transaction_is_left_open(self, warehouse: WarehouseEvents, service: DataApi) -> None:
        """After a query, nor after an error."""
        warehouse.query("SELECT 1 AS one", {})
        with pytest.raises(AnalysisError):
            warehouse.query("SELECT 1 / 0 AS none", {})
        assert service.transactions == {}


class TestErrors:
    def test_a_query_that_takes_too_long_is_given_up(self, service: DataApi) -> None:
        """PostgreSQL ends it before the service would."""
        del service
        with pytest.raises(AnalysisError, match=r"more than 0\.05 s: choose a shorter range"):
            WarehouseEvents(URL, timeout=0.05).query("SELECT CAST(pg_sleep(10) AS TEXT) AS text", {})

    def test_no_query_waits_longer_than_the_service(self, warehouse: WarehouseEvents, service: DataApi) -> None:
        """45 s; if PostgreSQL has not ended it, the service does, and says less."""
        service.seconds = 0.2
        with pytest.raises(AnalysisError, match="took more than 44 s"):
            warehouse.query("SELECT CAST(pg_sleep(10) AS TEXT) AS text", {})

    def test_an_empty_warehouse_is_an_error(self, warehouse: WarehouseEvents, service: DataApi) -> None:
        """As over a connection."""
        with psycopg.connect(service.secrets[SECRET]) as connection:
            connection.execute("DROP TABLE clickstream_events")
        with pytest.raises(NoTable, match="no event has been projected yet"):
            warehouse.query("SELECT * FROM public.clickstream_events", {})

    def test_a_column_that_is_missing_is_named(self, warehouse: WarehouseEvents) -> None:
        """With what to do."""
        with pytest.raises(AnalysisError, match=r'"nothing" does not exist: .* run .python -m analysis upgrade'):
            warehouse.query("SELECT nothing FROM public.clickstream_events", {})

    def test_a_newer_warehouse_is_refused(self, warehouse: WarehouseEvents, service: DataApi) -> None:
        """Before the first query."""
        newer = Schema((*COLUMNS, Column("utm_source", "TEXT", ("utm.source",))))
        with psycopg.connect(service.secrets[SECRET]) as connection:
            newer.upgrade(connection)
        with pytest.raises(AnalysisError, match="update the code"):
            warehouse.query("SELECT 1 AS one", {})

    def test_a_type_that_the_service_does_not_have_is_named(self, warehouse: WarehouseEvents) -> None:
        """So that the query can cast it."""
        with pytest.raises(AnalysisError, match="unsupported data type INTERVAL"):
            warehouse.query("SELECT INTERVAL '1 day' AS long", {})

    def test_whoever_may_not_is_told_what_is_missing(self, warehouse: WarehouseEvents, service: DataApi) -> None:
        """By action and resource."""
        service.may = lambda _key, action, _resource: action != "secretsmanager:GetSecretValue"
        with pytest.raises(AnalysisError, match=r"AccessDeniedException: .*secretsmanager:GetSecretValue on .*reader-"):
            warehouse.query("SELECT 1 AS one", {})

    def test_a_cluster_that_sleeps_is_waited_for(
        self, warehouse: WarehouseEvents, service: DataApi, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The request that finds it paused wakes it up."""
        monkeypatch.setattr(module, "WAKING_PAUSE", 0.01)
        service.resuming = 3
        assert warehouse.query("SELECT 1 AS one", {}).item() == 1

    def test_a_service_that_fails_once_is_asked_again(self, warehouse: WarehouseEvents, service: DataApi) -> None:
        """The whole query: a page that was given and got lost must not be missing."""
        service.failing = ["InternalServerErrorException", "ServiceUnavailableError"]
        assert warehouse.query("SELECT count(*) AS rows FROM public.clickstream_events", {}).item() == len(EVENTS)

    def test_a_service_that_fails_every_time_is_an_error(self, warehouse: WarehouseEvents, service: DataApi) -> None:
        """In one line."""
        service.failing = ["InternalServerErrorException"] * 3
        with pytest.raises(AnalysisError, match="does not answer: InternalServerErrorException"):
            warehouse.query("SELECT 1 AS one", {})

    @pytest.mark.parametrize(
        "url", ["rds-data://", "rds-data://db", "rds-data://db?cluster=arn:aws:rds:r:1:c&secret=x"]
    )
    def test_a_url_that_lacks_a_part_is_an_error(self, url: str) -> None:
        """It says how one is written."""
        with pytest.raises(AnalysisError, match=r"is written rds-data://clickstream_dw\?cluster=arn"):
            WarehouseEvents(url)


class TestDouble:
    """The double itself is as strict as the service."""

    @pytest.fixture
    def execute(self, service: DataApi) -> Callable[..., Any]:
        """Give ExecuteStatement with boto3's own client."""
        del service
        client = boto3.client("rds-data", region_name="eu-central-1")
        return lambda sql, **more: client.execute_statement(resourceArn=CLUSTER, secretArn=SECRET, sql=sql, **more)

    def test_a_text_is_no_uuid_unless_its_hint_says_so(self, execute: Callable[..., Any]) -> None:
        """The same holds for a time, a date, a number and JSON."""
        one = {"name": "id", "value": {"stringValue": "7c9e6679-7425-40de-944b-e07fc1f90a04"}}
        sql = "SELECT event_id FROM public.clickstream_events WHERE event_id = :id"
        with pytest.raises(ClientError, match=r"operator does not exist: uuid = text.*SQLState: 42883"):
            execute(sql, parameters=[one])
        assert execute(sql, parameters=[one | {"typeHint": "UUID"}])["records"] == []

    @pytest.mark.parametrize(
        ("hint", "value", "found"),
        [
            ("DATE", "2026-11-24", "date"),
            ("TIMESTAMP", "2026-11-24 09:30:00.123", "timestamp without time zone"),
            ("TIME", "09:30:00", "time without time zone"),
            ("DECIMAL", "1.50", "numeric"),
            ("JSON", "{}", "jsonb"),
        ],
    )
    def test_hints_give_types(self, hint: str, value: str, found: str, execute: Callable[..., Any]) -> None:
        """In the formats that the service takes."""
        parameter = {"name": "x", "value": {"stringValue": value}, "typeHint": hint}
        done = execute("SELECT CAST(pg_typeof(:x) AS TEXT)", parameters=[parameter])
        assert done["records"] == [[{"stringValue": found}]]

    def test_arrays_are_no_parameters(self, execute: Callable[..., Any]) -> None:
        """As the service's model says."""
        array = {"name": "x", "value": {"arrayValue": {"stringValues": ["a"]}}}
        with pytest.raises(ClientError, match="Array parameters are not supported"):
            execute("SELECT :x", parameters=[array])

    def test_one_json_text_is_all_that_records_as_json_give(self, execute: Callable[..., Any]) -> None:
        """No records, and no metadata."""
        done = execute(
            "SELECT 1 AS one, 'a' AS text, NULL AS nothing", formatRecordsAs="JSON", includeResultMetadata=True
        )
        assert json.loads(done["formattedRecords"]) == [{"one": 1, "text": "a", "nothing": None}]
        assert not {"records", "columnMetadata"} & done.keys()

    def test_numbers_come_as_it_is_asked(self, execute: Callable[..., Any]) -> None:
        """Decimals as text unless somebody asks otherwise."""
        sql = "SELECT CAST(1.5 AS NUMERIC), CAST(7 AS BIGINT)"
        options = {"decimalReturnType": "DOUBLE_OR_LONG", "longReturnType": "STRING"}
        assert execute(sql)["records"] == [[{"stringValue": "1.5"}, {"longValue": 7}]]
        assert execute(sql, resultSetOptions=options)["records"] == [[{"doubleValue": 1.5}, {"stringValue": "7"}]]

    def test_a_result_above_its_limit_is_an_error(self, execute: Callable[..., Any]) -> None:
        """1 MiB; a row may have 64 KiB."""
        with pytest.raises(ClientError, match="more than the allowed response size limit"):
            execute(f"SELECT repeat('x', 1024) FROM generate_series(1, {MIB // 1024})")

    def test_a_statement_of_two_is_an_error(self, execute: Callable[..., Any]) -> None:
        """Clusters of today take one at a time."""
        with pytest.raises(ClientError, match="cannot insert multiple commands"):
            execute("SELECT 1; SELECT 2")

    def test_a_transaction_that_is_over_is_not_found(self, execute: Callable[..., Any]) -> None:
        """Nor is one that never was."""
        with pytest.raises(ClientError, match="TransactionNotFoundException"):
            execute("SELECT 1", transactionId="nothing")

    def test_metadata_names_the_types(self, warehouse: WarehouseEvents, execute: Callable[..., Any]) -> None:
        """Of arrays, that of their elements too."""
        del warehouse
        done = execute("SELECT 1::bigint AS one, ARRAY['a'] AS texts", includeResultMetadata=True)
        assert [(each["label"], each["typeName"]) for each in done["columnMetadata"]] == [
            ("one", "int8"),
            ("texts", "_text"),
        ]
        assert done["records"][0][1] == {"arrayValue": {"stringValues": ["a"]}}


def test_the_frame_of_no_rows_has_its_types(warehouse: WarehouseEvents) -> None:
    """An empty result is one of the same columns."""
    found = warehouse.query("SELECT event_timestamp, event_id FROM public.clickstream_events WHERE false", {})
    assert found.schema == {"event_timestamp": pl.Datetime("us", "UTC"), "event_id": pl.String()}
