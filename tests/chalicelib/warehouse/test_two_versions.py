"""One warehouse, and projectors of this code and of the next, which has a column and a step more."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from psycopg import conninfo

from analysis.commands.main import main
from chalicelib.contract import COLUMNS, Column
from chalicelib.errors import WarehouseUnavailable
from chalicelib.flatten import flatten
from chalicelib.warehouse.client import Warehouse
from chalicelib.warehouse.schema import SCHEMA, STEPS, Schema, Step
from tests.support.stack_process import ROOT

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 24, 22, tzinfo=UTC)
EVENTS = 200
# Whatever is derived from the contract is derived anew: flatten, the statements, the tables.
NEXT_CODE = """
from chalicelib import contract
contract.COLUMNS = (*contract.COLUMNS, contract.Column("utm_source", "TEXT", ("utm.source",)))
from chalicelib.warehouse import schema
schema.STEPS = (*schema.STEPS, schema.Step(4, "CREATE TABLE IF NOT EXISTS clickstream_campaigns (name TEXT);"))
schema.SCHEMA = schema.Schema(contract.COLUMNS, schema.STEPS)
"""
# The tables of that code.
NEXT = Schema((*COLUMNS, Column("utm_source", "TEXT", ("utm.source",))), (*STEPS, Step(4, "SELECT;")))
# Says "ready", waits for a line, and then projects events one by one, each by an invocation of its own.
PROJECT = """
import sys
from datetime import UTC, datetime
from chalicelib import log
from chalicelib.projection import projector
from chalicelib.storage import RawObject
from chalicelib.warehouse.client import Warehouse
from chalicelib.warehouse.schema import SCHEMA

url, name, events = sys.argv[1], sys.argv[2], int(sys.argv[3])

class Storage:
    def get(self, bucket, key):
        return RawObject(b'{"eventName": "%s", "utm": {"source": "mail"}}' % name.encode(), datetime.now(UTC))

warehouse = Warehouse(url, SCHEMA)
log.output = open("/dev/null", "w")
print("ready", flush=True)
sys.stdin.readline()
for number in range(events):
    record = {"s3": {"bucket": {"name": "raw"}, "object": {"key": f"events/2026/11/24/22/{name}-{number}.json"}}}
    (outcome,) = projector.handle({"Records": [record]}, Storage(), warehouse)
    assert outcome["outcome"] == "projected", outcome
print("done", flush=True)
"""
UPGRADE = """
import sys
from analysis.commands.main import main
main(["upgrade", "--dw", sys.argv[1], "--json"])
"""


def ask(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def change(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def run(code: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a Python of its own."""
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def begin(*projectors: subprocess.Popen[str]) -> None:
    """Let them begin together, once all are ready."""
    for each in projectors:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n", each.communicate()
    for each in projectors:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()


def finish(process: subprocess.Popen[str]) -> str:
    """Wait for its end, which has to be good; what it has said."""
    said, wrong = process.communicate(timeout=120)
    assert process.returncode == 0, wrong
    return said


@pytest.fixture
def filled(warehouse_url: str) -> str:
    """Give a warehouse that this code has filled."""
    warehouse = Warehouse(warehouse_url)
    for number in range(50):
        warehouse.insert(flatten(b'{"eventName": "before"}', f"events/before-{number}.json", NOW))
    warehouse.close()
    return warehouse_url


class TestBothAtOnce:
    @pytest.mark.parametrize("by", ["the command", "the projector"])
    def test_no_insert_fails_and_no_row_is_lost(self, by: str, filled: str) -> None:
        """Old and new projectors insert while the warehouse is upgraded; rows of the new ones have the column."""
        before = ask(filled, "SELECT * FROM clickstream_events ORDER BY event_id")
        olds = [run(PROJECT, filled, f"old-{n}", str(EVENTS)) for n in range(2)]
        news = [run(NEXT_CODE + PROJECT, filled, f"new-{n}", str(EVENTS)) for n in range(2)]
        if by == "the command":
            begin(*olds)
            upgraded = json.loads(finish(run(NEXT_CODE + UPGRADE, filled)))
            assert (upgraded["was"], upgraded["knows"]) == ("3.16", "4.17")
            begin(*news)
        else:
            begin(*olds, *news)
        for each in (*olds, *news):
            finish(each)
        query = "SELECT split_part(event_name, '-', 1), utm_source, count(*) FROM clickstream_events GROUP BY 1, 2"
        found = ask(filled, query)
        assert sorted(found) == [("before", None, 50), ("new", "mail", 2 * EVENTS), ("old", None, 2 * EVENTS)]
        kept = ", ".join(column.name for column in COLUMNS)
        assert ask(filled, f"SELECT {kept} FROM clickstream_events WHERE event_name = 'before' ORDER BY 1") == before
        assert ask(filled, "SELECT max(steps), max(columns) FROM clickstream_versions") == [(4, 17)]
        assert ask(filled, "SELECT count(*) FROM clickstream_campaigns") == [(0,)]


class TestNewerWarehouse:
    @pytest.fixture
    def newer(self, filled: str) -> str:
        """Give a warehouse that the next code has upgraded."""
        with psycopg.connect(filled, autocommit=True) as connection:
            NEXT.upgrade(connection)
        return filled

    def test_a_rollback_is_no_outage(self, newer: str) -> None:
        """The projector of the older code inserts, rejects and knows what is there; it does not upgrade."""
        warehouse = Warehouse(newer)
        row = flatten(b'{"eventName": "old"}', "events/old.json", NOW)
        assert warehouse.insert(row)
        assert warehouse.insert_all([row]) == ["already_known"]
        warehouse.reject("raw", "events/old.json", "no reason")
        warehouse.close()
        with psycopg.connect(newer) as connection:
            assert SCHEMA.upgrade(connection).statements == []
        assert ask(newer, "SELECT max(steps), max(columns) FROM clickstream_versions") == [(4, 17)]

    @pytest.mark.parametrize(
        "command",
        [
            "backfill",
            "backfill --dry-run",
            "rejects list",
            "rejects retry --all",
            "rejects dismiss events/a.json --reason no",
            "erase --client-id a --dry-run",
            "validate",
            "trace 7c9e6679-7425-40de-944b-e07fc1f90a04",
            "upgrade",
        ],
    )
    def test_commands_refuse_it_by_name(self, command: str, newer: str, tmp_path: Path) -> None:
        """With exit code 2, and nothing else said; a report that reads the warehouse does as `validate`."""
        (tmp_path / "events").mkdir()
        where = [] if command == "upgrade" else ["--source", str(tmp_path)]
        done = CliRunner().invoke(main, [*command.split(), "--dw", newer, *where])
        assert done.exit_code == 2, done.output
        assert done.output == "Error: the warehouse is at version 4.17, this code knows 3.16: update the code\n"


class TestWithoutTheRightToAlter:
    @pytest.fixture
    def limited_url(self, filled: str) -> Iterator[str]:
        """Give the warehouse as a role that may only insert."""
        change(filled, "DROP ROLE IF EXISTS inserter")
        change(filled, "CREATE ROLE inserter LOGIN")
        change(filled, "GRANT INSERT, SELECT (event_id) ON clickstream_events TO inserter")
        yield conninfo.make_conninfo(filled, user="inserter")
        change(filled, "DROP OWNED BY inserter")
        change(filled, "DROP ROLE inserter")

    def test_a_missing_column_names_the_command(self, limited_url: str) -> None:
        """Each insert fails once, and says what to do; after that is done they go through."""
        warehouse = Warehouse(limited_url, NEXT)
        row = (*flatten(b"{}", "events/a.json", NOW), "mail")
        for _ in range(2):
            with pytest.raises(
                WarehouseUnavailable, match=r"utm_source.*run 'python -m analysis upgrade' as the owner"
            ):
                warehouse.insert(row)
        owner = conninfo.make_conninfo(limited_url, user="clickstream")
        with psycopg.connect(owner, autocommit=True) as connection:
            NEXT.upgrade(connection)
        assert warehouse.insert(row)
        warehouse.close()

    def test_columns_that_are_there_need_no_upgrade(self, limited_url: str) -> None:
        """A step that was not applied, or a version that was not written, stops no insert."""
        owner = conninfo.make_conninfo(limited_url, user="clickstream")
        change(owner, "DROP TABLE clickstream_versions, clickstream_tombstones, clickstream_rejects")
        warehouse = Warehouse(limited_url)
        assert warehouse.insert(flatten(b"{}", "events/a.json", NOW))
        warehouse.close()
