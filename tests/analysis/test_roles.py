"""What a role is set to changes nothing, and a role that only reads is enough to look."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from psycopg import conninfo

from analysis import AnalysisError, Range, WarehouseEvents
from analysis.checks.trace import follow
from analysis.checks.validation.run import validate
from analysis.checks.validation.warehouse.agreement import METRICS
from analysis.commands.main import main
from analysis.repair.backfill.run import Backfilled, backfill
from analysis.repair.erase.person import Person
from analysis.repair.erase.run import Place, erase, search
from analysis.repair.rejects import rejects
from chalicelib.contract import COLUMNS
from chalicelib.flatten import flatten
from chalicelib.warehouse.client import Warehouse
from tests.support.raw_objects import START, Objects

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_environment")]

END = START + timedelta(hours=1)
HOURS = ["events/2026/11/25/09/"]
SPAN = ("--start", "2026-11-25T09:00Z", "--end", "2026-11-25T10:00Z")
ROWS = f"SELECT {', '.join(column.name for column in COLUMNS)} FROM clickstream_events ORDER BY event_id"

# Each of these changes how text or numbers are written or read, or which objects a name means.
HOSTILE = {
    "datestyle": "'SQL, DMY'",
    "extra_float_digits": "-15",
    "client_encoding": "'LATIN1'",
    "timezone": "'Asia/Kathmandu'",
    "search_path": "evil, pg_catalog, public",
    "standard_conforming_strings": "off",
    "bytea_output": "escape",
    "intervalstyle": "iso_8601",
    "default_transaction_isolation": "serializable",
    "transform_null_equals": "on",
}
EVIL = """
CREATE SCHEMA evil;
CREATE TABLE evil.received (key INT);
CREATE TABLE evil.clickstream_events (event_id INT);
CREATE FUNCTION evil.date_trunc(TEXT, TIMESTAMPTZ) RETURNS TIMESTAMPTZ LANGUAGE SQL AS 'SELECT TIMESTAMPTZ ''epoch''';
CREATE FUNCTION evil.md5(TEXT) RETURNS TEXT LANGUAGE SQL AS $$SELECT ''::TEXT$$;
GRANT ALL ON SCHEMA evil, public TO hostile;
GRANT ALL ON ALL TABLES IN SCHEMA evil TO hostile
"""


def change(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def ask(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, options="-c timezone=UTC") as connection:
        return connection.execute(query.encode()).fetchall()


def a_role(url: str, name: str, settings: dict[str, str]) -> Iterator[str]:
    """Make a role with these settings, give the URL with it, and drop it."""
    change(
        url, f"CREATE ROLE {name} LOGIN", *(f"ALTER ROLE {name} SET {key} = {value}" for key, value in settings.items())
    )
    yield conninfo.make_conninfo(url, user=name)
    change(url, f"DROP OWNED BY {name} CASCADE", f"DROP ROLE {name}")


@pytest.fixture
def hostile_url(warehouse_url: str) -> Iterator[str]:
    """Give the URL of an empty warehouse with a role whose settings are hostile."""
    for url in a_role(warehouse_url, "hostile", HOSTILE):
        change(warehouse_url, EVIL)
        yield url


@pytest.fixture
def reader_url(warehouse_url: str) -> Iterator[str]:
    """Give the URL of the same warehouse with a role that may only read what is there when a test asks for it."""
    for url in a_role(warehouse_url, "reader", {"default_transaction_read_only": "on"}):
        database = conninfo.conninfo_to_dict(warehouse_url)["dbname"]
        change(
            warehouse_url,
            f"REVOKE ALL ON DATABASE {database} FROM PUBLIC",
            f"GRANT CONNECT ON DATABASE {database} TO reader",
            "REVOKE ALL ON SCHEMA public FROM PUBLIC",
            "GRANT USAGE ON SCHEMA public TO reader",
        )
        yield url


@pytest.fixture
def objects() -> Objects:
    """Give events with text of every kind, with averages that have many digits, and an object that is not an event."""
    objects = Objects()
    names = ["Vi\u1ec7t Nam \\ 'x'", "caf\xe9\n\t", "100 %", "\U0001f6d2"]
    for number in range(9):
        product = {
            "id": f"p{number % 4}",
            "name": names[number % 4],
            "category": names[number % 3],
            "price": 7 + number,
        }
        name = "product_view" if number % 3 else "checkout_complete"
        objects.add(number**2 + 0.123, eventName=name, clientId=f"client-{number % 2}", product=product)
    objects.put("[1]")
    return objects


@pytest.fixture
def bucket(objects: Objects, tmp_path: Path) -> Path:
    """Give a bucket of these."""
    return objects.write(tmp_path / "shop-raw")


class TestSettingsOfARole:
    def test_projecting_stores_the_same_rows(self, objects: Objects, hostile_url: str, warehouse_url: str) -> None:
        """Also the first event, with which the tables are made."""
        warehouse = Warehouse(f"{hostile_url} client_encoding=LATIN1")
        expected = []
        for key, body in list(objects.bodies.items())[:-1]:
            row = flatten(body, key, START)
            assert warehouse.insert(row)
            assert not warehouse.insert(row)
            expected.append(row)
        warehouse.reject("shop-raw", "events/Vi\u1ec7t.json", "not JSON")
        warehouse.close()
        assert ask(warehouse_url, ROWS) == sorted(expected)
        assert ask(warehouse_url, "SELECT key FROM clickstream_rejects") == [("events/Vi\u1ec7t.json",)]

    def test_every_metric_is_the_same(self, bucket: Path, hostile_url: str, warehouse_url: str) -> None:
        """Hours, averages and names."""
        backfill(bucket, warehouse_url, HOURS)
        change(warehouse_url, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO hostile")
        within = Range(START, END)
        for name, metric in METRICS.items():
            expected = metric(WarehouseEvents(warehouse_url), within)
            assert metric(WarehouseEvents(hostile_url), within).equals(expected), name

    def test_own_sql_gives_the_same(self, hostile_url: str, warehouse_url: str) -> None:
        """Times, dates, floats, text, and functions that another schema shadows."""
        sql = """
        SELECT CAST(1 AS DOUBLE PRECISION) / 3 AS third, 'Vi\u1ec7t' AS name, DATE '2026-11-02' AS day,
            TIMESTAMPTZ '2026-11-02 09:00:00.123456+07' AS at, md5('a\\b') AS digest,
            date_trunc('day', TIMESTAMPTZ '2026-11-02 23:00:00+00') AS midnight
        """
        found = WarehouseEvents(hostile_url).query(sql, {})
        assert found.equals(WarehouseEvents(warehouse_url).query(sql, {}))
        assert found["third"].item() == 1 / 3
        assert found["at"].item() == datetime(2026, 11, 2, 2, 0, 0, 123456, UTC)

    def test_backfill_inserts_the_same_rows(
        self,
        bucket: Path,
        hostile_url: str,
        warehouse_url: str,
        new_database: Callable[[], AbstractContextManager[str]],
    ) -> None:
        """And validation finds no difference."""
        assert backfill(bucket, hostile_url, HOURS, dry_run=False) == Backfilled(1, 10, added=9, rejected=1)
        with new_database() as other_url:
            backfill(bucket, other_url, HOURS)
            assert ask(warehouse_url, ROWS) == ask(other_url, ROWS)
            checks = [validate(bucket, url, START, END).as_frame() for url in (hostile_url, other_url)]
        assert checks[0].equals(checks[1])

    def test_repair_and_trace_read_and_write_the_same(self, bucket: Path, objects: Objects, hostile_url: str) -> None:
        """A reject's time is in UTC; an erased person has no row."""
        backfill(bucket, hostile_url, HOURS)
        (reject,) = rejects(hostile_url, bucket)
        assert abs(reject.first_seen - datetime.now(UTC)) < timedelta(minutes=5)
        assert reject.first_seen.utcoffset() == timedelta()
        traced = follow(bucket, hostile_url, next(iter(objects.bodies)), START, END)
        assert [each["is_row"] for each in traced.deliveries] == [True]
        place, person = Place(bucket, hostile_url), Person(["client-1"], [])
        assert search(place, person).rows == 4
        assert erase(place, person, search(place, person), mentions=False).is_nothing
        assert ask(hostile_url, "SELECT count(*) FROM public.clickstream_events") == [(5,)]


class TestReader:
    @pytest.mark.parametrize(
        ("command", "code"),
        [
            (("backfill", "--dry-run", *SPAN), 1),
            (("erase", "--client-id", "client-1", "--dry-run"), 1),
            (("erase", "--again", "--dry-run"), 0),
            (("upgrade", "--dry-run"), 0),
            (("rejects", "list"), 1),
            (("validate", *SPAN), 1),
            (("trace", "KEY", *SPAN), 0),
        ],
        ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else "",
    )
    def test_a_role_that_only_selects_is_enough_to_look(
        self,
        command: tuple[str, ...],
        code: int,
        bucket: Path,
        objects: Objects,
        warehouse_url: str,
        reader_url: str,
    ) -> None:
        """It needs no right to temporary tables either, and is told what the owner is told."""
        backfill(bucket, warehouse_url, HOURS)
        place, person = Place(bucket, warehouse_url), Person(["nobody"], [])
        erase(place, person, search(place, person), mentions=False)
        late = objects.add(700.0, clientId="client-1")
        objects.write(bucket)
        change(warehouse_url, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
        arguments = [
            late if word == "KEY" and code else next(iter(objects.bodies)) if word == "KEY" else word
            for word in command
        ]
        source = () if command[0] == "upgrade" else ("--source", str(bucket))
        said = []
        for url in (reader_url, warehouse_url):
            result = CliRunner().invoke(main, [*arguments, *source, "--dw", url, "--json"])
            assert result.exit_code == code, result.output
            said.append(json.loads(result.stdout))
            if command[0] == "validate":
                said[-1].pop("judged_until")  # each validation ends at its own instant
        assert said[0] == said[1]

    def test_an_old_warehouse_can_be_looked_at(self, warehouse_url: str, reader_url: str) -> None:
        """The dry run of an upgrade names what is missing."""
        change(warehouse_url, "CREATE TABLE clickstream_events (event_id UUID PRIMARY KEY)")
        result = CliRunner().invoke(main, ["upgrade", "--dry-run", "--dw", reader_url])
        assert result.exit_code == 1
        assert "ADD COLUMN IF NOT EXISTS event_timestamp" in result.stdout

    def test_to_erase_it_must_own_the_tables(self, bucket: Path, warehouse_url: str, reader_url: str) -> None:
        """The error says which role to take, and nothing is deleted."""
        backfill(bucket, warehouse_url, HOURS)
        change(
            warehouse_url,
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO reader",
            "ALTER ROLE reader RESET default_transaction_read_only",
        )
        place, person = Place(bucket, reader_url), Person(["client-1"], [])
        found = search(place, person)
        with pytest.raises(
            AnalysisError, match=r"permission denied .*: name another role in --dw, the owner of the tables"
        ):
            erase(place, person, found, mentions=False)
        assert len(search(place, person).own) == len(found.own) == 4
