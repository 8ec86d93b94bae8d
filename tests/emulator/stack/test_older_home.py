"""A home as commit 4b2ace1 left it, with its warehouse, comes up; tests/older/README.md says what it holds."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx2
import psycopg
import pytest

from chalicelib.warehouse.schema import SCHEMA
from command_line.home import Home
from emulator.servers.postgres.server import Postgres
from tests.support.stack_process import ROOT, StackProcess, wait_for

pytestmark = pytest.mark.slow

OLDER = ROOT / "tests" / "older" / "4b2ace1"


@pytest.fixture
def older(tmp_path: Path) -> Iterator[StackProcess]:
    """Give a stack, which does not run yet, on that home; its database is loaded from the dump."""
    home = Home(shutil.copytree(OLDER / "home", tmp_path / "home"))
    home.create()
    postgres = Postgres(home)
    postgres.start()
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute((OLDER / "plain.sql").read_bytes())
    postgres.stop()
    stack = StackProcess(home.path, "--headless")
    yield stack
    stack.clean_up()


class TestOlderHome:
    def test_it_comes_up_with_its_events_and_takes_new_ones(self, older: StackProcess) -> None:
        """Its warehouse is upgraded as it starts, and its rows and rejects are as they were."""
        older.start()
        with psycopg.connect(older.stack.dw_url, autocommit=True) as connection:
            assert SCHEMA.version_of(connection) == SCHEMA.version
            names = "SELECT event_name FROM clickstream_events ORDER BY event_id"
            before = [("product_view",), ("page_view",), ("click",)]
            assert connection.execute(names).fetchall() == before
            httpx2.post(
                f"{older.stack.ingest_url}/clickstream", json={"eventId": "ffffffff-ffff-4fff-8fff-ffffffffffff"}
            )
            wait_for(lambda: connection.execute(names).fetchall() == [*before, ("unknown",)])
            assert connection.execute("SELECT reason, dismissed FROM clickstream_rejects").fetchall() == [
                ("the body is an array: send one JSON object", None)
            ]
