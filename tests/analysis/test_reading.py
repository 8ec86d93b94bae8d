"""Reading never writes: neither into raw, nor into a warehouse, nor into a home."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from analysis import AnalysisError, WarehouseEvents
from analysis.commands.main import main
from chalicelib.flatten import flatten
from chalicelib.warehouse.client import Warehouse
from tests.support.contents import database_contents, directory_contents
from tests.support.raw_objects import Objects

SPAN = ("--start", "2026-11-25T09", "--end", "2026-11-25T10")

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_environment")]


@pytest.fixture
def objects() -> Objects:
    """Give three events and an object that is not one."""
    objects = Objects()
    for _ in range(3):
        objects.add()
    objects.put("not an event")
    return objects


@pytest.fixture(params=["empty", "filled"])
def foreign_url(request: pytest.FixtureRequest, objects: Objects, warehouse_url: str) -> str:
    """Give somebody's database: without any table, and with a row and a reject of these objects."""
    if request.param == "filled":
        key, *_, last = objects.bodies
        warehouse = Warehouse(warehouse_url)
        warehouse.insert(flatten(objects.bodies[key], key, datetime.now(UTC)))
        warehouse.reject("bucket", last, "not JSON")
        warehouse.close()
    return warehouse_url


class TestCommands:
    @pytest.mark.parametrize(
        "command",
        [
            ("validate", *SPAN),
            ("report", *SPAN, "--out", "report.html"),
            ("trace", "ID", *SPAN),
            ("ledger", *SPAN),
            ("rejects",),
            ("rejects", "list", "--every"),
            ("rejects", "show", "KEY"),
        ],
        ids=" ".join,
    )
    def test_a_command_that_reads_changes_nothing(
        self,
        command: tuple[str, ...],
        objects: Objects,
        foreign_url: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """In a warehouse that `DW_URL` names, in the bucket, and where the local stack would be."""
        bucket = objects.write(tmp_path / "bucket")
        key = next(iter(objects.bodies))
        before = database_contents(foreign_url), directory_contents(bucket)
        monkeypatch.setenv("DW_URL", foreign_url)
        monkeypatch.chdir(tmp_path)
        takes_source = command != ("rejects",)
        arguments = [key if word in ("ID", "KEY") else word for word in command]
        if takes_source:
            arguments += ["--source", str(bucket)]
        else:
            monkeypatch.setenv("CLICKSTREAM_HOME", str(tmp_path / "home"))
            bucket = objects.write(tmp_path / "home" / "s3" / "clickstream-s3-ingest")
        result = CliRunner().invoke(main, arguments)
        # Without a table there is nothing to compare, which is said.
        assert result.exit_code in (0, 1) or "has no table" in result.stderr, result.output
        assert (database_contents(foreign_url), directory_contents(bucket)) == before
        assert not (tmp_path / "no-stack").exists()


class TestWarehouseEvents:
    @pytest.mark.parametrize(
        "sql",
        [
            "CREATE TABLE mine (id INT)",
            "INSERT INTO clickstream_rejects (bucket, key, reason) VALUES ('b', 'k', 'r') RETURNING key",
            "SET TRANSACTION READ WRITE",
            "COMMIT; CREATE TABLE mine (id INT)",
            "SELECT 1; COMMIT; CREATE TABLE mine (id INT)",
            "COMMIT",
        ],
    )
    def test_no_query_can_write(self, sql: str, warehouse_url: str) -> None:
        """Its transactions are read-only, and a query is one statement."""
        warehouse = Warehouse(warehouse_url)
        warehouse.reject("b", "one", "r")
        warehouse.close()
        before = database_contents(warehouse_url)
        with pytest.raises(AnalysisError):
            WarehouseEvents(warehouse_url).query(sql, {})
        assert database_contents(warehouse_url) == before
