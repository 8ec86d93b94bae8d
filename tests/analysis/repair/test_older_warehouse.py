"""Warehouses as commit 4b2ace1 made them, brought to this version; tests/older/README.md says what they hold."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from analysis.commands.main import main
from analysis.repair.backfill.run import backfill
from analysis.repair.rejects import dismiss, rejects
from chalicelib.flatten import flatten
from chalicelib.warehouse.client import Warehouse
from chalicelib.warehouse.schema import SCHEMA
from tests.support.stack_process import ROOT

pytestmark = pytest.mark.slow

OLDER = ROOT / "tests" / "older" / "4b2ace1"
BUCKET = OLDER / "home" / "s3" / "clickstream-s3-ingest"
HOUR = "events/2026/11/30/09/"
REJECT = f"{HOUR}event-00000000-0000-4000-8000-000000000001.json"
NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
REJECTS = "SELECT bucket, key, reason, first_seen FROM clickstream_rejects"
# Columns, indexes and functions, without those of PostgreSQL itself.
SHAPE = (
    """
    SELECT table_name, column_name, data_type, is_nullable, column_default
    FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, ordinal_position
    """,
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
    """
    SELECT proname, prosrc, prosecdef, proconfig, proacl
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1
    """,
)
EVENTS = "SELECT * FROM clickstream_events ORDER BY event_id"

every = pytest.mark.parametrize("older_url", ["plain", "dismissed", "tombstones"], indirect=True)


@pytest.fixture
def older_url(warehouse_url: str, request: pytest.FixtureRequest) -> str:
    """Give a database with one of the older warehouses."""
    with psycopg.connect(warehouse_url, autocommit=True) as connection:
        connection.execute((OLDER / f"{request.param}.sql").read_bytes())
    return warehouse_url


def ask(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def shape(url: str) -> list[list[tuple[Any, ...]]]:
    return [ask(url, query) for query in SHAPE]


def insert(url: str, body: bytes) -> bool:
    warehouse = Warehouse(url)
    inserted = warehouse.insert(flatten(body, f"{HOUR}event-new.json", NOW))
    warehouse.close()
    return inserted


@every
class TestUpgrade:
    def test_rows_and_rejects_stay_as_they_are(self, older_url: str) -> None:
        """And it is at this version afterwards."""
        before = ask(older_url, EVENTS), ask(older_url, REJECTS)
        dismissed = [each.dismissed for each in rejects(older_url, BUCKET)]
        done = CliRunner().invoke(main, ["upgrade", "--dw", older_url])
        assert done.exit_code == 0, done.output
        assert (ask(older_url, EVENTS), ask(older_url, REJECTS)) == before
        assert [each.dismissed for each in rejects(older_url, BUCKET)] == dismissed
        with psycopg.connect(older_url) as connection:
            assert SCHEMA.version_of(connection) == SCHEMA.version
            assert SCHEMA.pending(connection) == []

    def test_it_has_what_a_new_one_has(self, older_url: str, new_database: Any) -> None:
        """The same columns with the same types, in the same order, and the same indexes and functions."""
        with new_database() as new_url:
            for url in (older_url, new_url):
                with psycopg.connect(url, autocommit=True) as connection:
                    SCHEMA.upgrade(connection)
            assert shape(older_url) == shape(new_url)

    def test_it_goes_on_taking_rows_before_and_after(self, older_url: str) -> None:
        """The projector's own columns are there; who was erased stays out."""
        assert insert(older_url, b'{"eventId": "before", "clientId": "client-3"}')
        assert ask(older_url, "SELECT to_regclass('clickstream_versions')") == [(None,)]
        with psycopg.connect(older_url, autocommit=True) as connection:
            SCHEMA.upgrade(connection)
        assert insert(older_url, b'{"eventId": "after", "clientId": "client-3"}')
        was_erased = ask(older_url, "SELECT count(*) FROM clickstream_tombstones") == [(1,)]
        assert insert(older_url, b'{"eventId": "late", "clientId": "client-2"}') != was_erased

    def test_reading_changes_nothing(self, older_url: str) -> None:
        """Neither tables nor columns are added by whoever only looks."""
        before = shape(older_url)
        where = ["--source", str(BUCKET), "--dw", older_url]
        hours = ["--start", "2026-11-30T09:00Z", "--end", "2026-11-30T10:00Z"]
        for command in (
            ["rejects", "list", *where],
            ["validate", *where, *hours],
            ["trace", "7c9e6679-7425-40de-944b-e07fc1f90a01", *where, *hours],
            ["backfill", "--dry-run", *where, *hours],
            ["erase", "--client-id", "client-1", "--dry-run", *where],
            ["upgrade", "--dry-run", "--dw", older_url],
        ):
            done = CliRunner().invoke(main, command)
            assert done.exit_code in (0, 1), done.output
            assert shape(older_url) == before

    def test_commands_that_write_upgrade_it(self, older_url: str, tmp_path: Path) -> None:
        """As they make the tables of an empty one; what is there is known."""
        bucket = shutil.copytree(BUCKET, tmp_path / BUCKET.name)
        (bucket / HOUR / "event-new.json").write_text('{"eventId": "new", "clientId": "client-3"}')
        assert backfill(bucket, older_url, [HOUR]).added == 1
        dismiss(older_url, bucket, REJECT, "seen")
        assert [each.dismissed for each in rejects(older_url, bucket)] == ["seen"]
        with psycopg.connect(older_url) as connection:
            assert SCHEMA.version_of(connection) == SCHEMA.version
