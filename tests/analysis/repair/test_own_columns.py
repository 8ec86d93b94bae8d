"""What analysts add to the warehouse: columns of their own, views and indexes, beside everything that we do with it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from analysis.checks.trace import follow
from analysis.checks.validation.run import validate
from analysis.commands.main import main
from analysis.repair.backfill.run import Backfilled, backfill
from analysis.repair.rejects import dismiss, rejects, retry
from chalicelib.contract import COLUMNS, Column
from chalicelib.flatten import flatten
from chalicelib.warehouse.client import Warehouse
from chalicelib.warehouse.schema import SCHEMA, Schema
from tests.support.raw_objects import START, Objects

pytestmark = pytest.mark.slow

HOURS = ["events/2026/11/25/09/"]
END = START + timedelta(hours=1)
ALTER = "ALTER TABLE clickstream_events "

own = pytest.mark.parametrize(
    "statement",
    [
        ALTER + "ADD loaded_at timestamptz NOT NULL DEFAULT now()",
        ALTER + "ADD number BIGSERIAL",
        ALTER + "ADD number BIGINT GENERATED ALWAYS AS IDENTITY",
        ALTER + "ADD is_known BOOLEAN NOT NULL GENERATED ALWAYS AS (user_id IS NOT NULL) STORED",
        ALTER + "ADD key TEXT",
        ALTER + "ADD bucket TEXT NOT NULL DEFAULT 'shop-raw', ADD position INT, ADD reason TEXT",
        "CREATE VIEW clicks AS SELECT * FROM clickstream_events WHERE event_name = 'click'",
        "CREATE UNIQUE INDEX own ON clickstream_events (client_id, event_id) INCLUDE (event_name)",
    ],
    ids=["default", "bigserial", "identity", "generated", "key", "names of ours", "view", "index"],
)


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    """Give a bucket with five events and one object that is no event."""
    objects = Objects()
    for _ in range(5):
        objects.add()
    objects.put("no event")
    return objects.write(tmp_path / "shop-raw")


@pytest.fixture
def url(warehouse_url: str) -> str:
    """Give a warehouse with all tables, and no row."""
    with psycopg.connect(warehouse_url, autocommit=True) as connection:
        SCHEMA.upgrade(connection)
    return warehouse_url


@pytest.fixture
def project(url: str, bucket: Path) -> Callable[[], list[bool]]:
    """Give a function that inserts every event of the bucket one by one, as the projector does."""

    def run() -> list[bool]:
        warehouse = Warehouse(url)
        keys = [path.relative_to(bucket).as_posix() for path in sorted(bucket.rglob("*.json"))]
        events = [(key, body) for key in keys if (body := (bucket / key).read_bytes()).startswith(b"{")]
        inserted = [warehouse.insert(flatten(body, key, START)) for key, body in events]
        warehouse.close()
        return inserted

    return run


def change(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def ask(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


@own
class TestBesideWhatAnalystsAdd:
    def test_the_projector(self, statement: str, url: str, project: Callable[[], list[bool]]) -> None:
        """It inserts, and knows what is there."""
        change(url, statement)
        assert project() == [True] * 5
        assert project() == [False] * 5

    def test_backfill(self, statement: str, bucket: Path, url: str) -> None:
        """Plain, dry and over all of raw."""
        change(url, statement)
        assert backfill(bucket, url, HOURS, dry_run=True) == Backfilled(1, 6, added=5, rejected=1)
        assert backfill(bucket, url, HOURS) == Backfilled(1, 6, added=5, rejected=1)
        change(url, "TRUNCATE clickstream_events")
        assert backfill(bucket, url, HOURS, rebuild=True) == Backfilled(1, 6, added=5, rejected=1)

    def test_rejects(self, statement: str, bucket: Path, url: str) -> None:
        """Another try, and a dismissal."""
        change(url, statement)
        backfill(bucket, url, HOURS)
        (reject,) = rejects(url, bucket)
        (bucket / reject.key).write_text('{"eventName": "click"}')
        assert retry(url, bucket, [reject.key]).recovered == [reject.key]
        (bucket / reject.key).write_text("no event")
        retry(url, bucket, [reject.key])
        dismiss(url, bucket, reject.key, "a test")
        assert [each.dismissed for each in rejects(url, bucket)] == ["a test"]

    def test_validate_and_trace(
        self, statement: str, bucket: Path, url: str, project: Callable[[], list[bool]]
    ) -> None:
        """Rows are compared by the contract's columns."""
        change(url, statement)
        project()
        report = validate(bucket, url, START, END)
        compared = {check.name: check.findings for check in report.checks}
        names = ("missing_rows", "rows_without_object", "raw_and_warehouse_differ")
        assert [compared[name] for name in names] == [[], [], []]
        ((event_id,), *_) = ask(url, "SELECT event_id::TEXT FROM clickstream_events")
        found = follow(bucket, url, event_id, START, END)
        assert [each["is_row"] for each in found.deliveries] == [True]

    def test_erase(self, statement: str, bucket: Path, url: str, project: Callable[[], list[bool]]) -> None:
        """The rows go, and stay away."""
        change(url, statement)
        project()
        where = ["--source", str(bucket), "--dw", url]
        done = CliRunner().invoke(main, ["erase", "--client-id", "c", "--yes", *where])
        assert done.exit_code == 0, done.output
        warehouse = Warehouse(url)
        assert not warehouse.insert(flatten(b'{"clientId": "c"}', "events/late.json", START))
        warehouse.close()
        assert ask(url, "SELECT count(*) FROM clickstream_events") == [(0,)]

    def test_upgrade(self, statement: str, url: str, project: Callable[[], list[bool]]) -> None:
        """A new column of the contract comes after theirs, which keep their values."""
        change(url, statement)
        project()
        before = ask(url, "SELECT * FROM clickstream_events ORDER BY event_id")
        schema = Schema((*COLUMNS, Column("utm_source", "TEXT", ("utm.source",))))
        with psycopg.connect(url, autocommit=True) as connection:
            schema.upgrade(connection)
        after = ask(url, "SELECT * FROM clickstream_events ORDER BY event_id")
        assert after == [(*row, None) for row in before]
