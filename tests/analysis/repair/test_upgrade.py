import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import psycopg
import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result
from psycopg import conninfo

import app as clickstream_app
from analysis.commands.main import main
from analysis.errors import AnalysisError, FunctionFailed
from analysis.repair import operations as module
from analysis.repair.upgrade import upgrade, upgrade_through
from chalicelib import log
from chalicelib.contract import COLUMNS, Column
from chalicelib.settings import Settings
from chalicelib.warehouse.schema import SCHEMA, Schema
from chalicelib.warehouse.tables import GUARD

pytestmark = pytest.mark.slow

KNOWN = str(SCHEMA.version)
NEWER = Schema((*COLUMNS, Column("utm_source", "TEXT", ("utm.source",))))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["upgrade", *arguments])


def tables(url: str) -> int:
    with psycopg.connect(url) as connection:
        (count,) = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() or (0,)
        return int(count)


class TestCommand:
    def test_a_dry_run_prints_what_would_run_and_changes_nothing(self, warehouse_url: str) -> None:
        """Exit code 1; it is all the SQL, so that an owner can run it by hand."""
        done = run("--dw", warehouse_url, "--dry-run")
        assert done.exit_code == 1
        assert done.stdout.startswith(
            f"The warehouse is at version 0.0, and the code knows {KNOWN}. This SQL would run:\n"
        )
        assert tables(warehouse_url) == 0
        with psycopg.connect(warehouse_url, autocommit=True) as connection:
            connection.execute(done.stdout.partition(":\n")[2].encode())
        assert run("--dw", warehouse_url, "--dry-run").exit_code == 0

    def test_it_upgrades_once(self, warehouse_url: str) -> None:
        """Exit code 0, also where there is nothing to do."""
        done = run("--dw", warehouse_url)
        assert (done.exit_code, tables(warehouse_url)) == (0, 7)
        assert done.stdout.startswith(f"The warehouse was at version 0.0, and is at {KNOWN} now. This SQL ran:\n")
        again = run("--dw", warehouse_url)
        assert (again.exit_code, again.stdout) == (0, f"The warehouse is at version {KNOWN}: nothing to do.\n")

    def test_as_json(self, warehouse_url: str) -> None:
        """For programs: both versions, and the SQL."""
        planned = json.loads(run("--dw", warehouse_url, "--dry-run", "--json").stdout)
        assert (planned["was"], planned["knows"], planned["is_newer"]) == ("0.0", KNOWN, False)
        assert json.loads(run("--dw", warehouse_url, "--json").stdout) == planned

    @pytest.mark.usefixtures("no_environment")
    def test_a_warehouse_has_to_be_named(self) -> None:
        """Where no stack runs; one of both ways to reach it."""
        assert "no warehouse here: name it with --dw or DW_URL" in run().stderr
        done = run("--dw", "postgresql://u@h/d", "--function", "f")
        assert (done.exit_code, "name one of --stage, --dw and --function" in done.stderr) == (2, True)

    def test_an_empty_name_of_a_function_is_refused(self, warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """As of a variable that is not set; the warehouse of DW_URL is not meant."""
        monkeypatch.setenv("DW_URL", warehouse_url)
        done = run("--function", "")
        assert (done.exit_code, "--function is empty" in done.stderr, tables(warehouse_url)) == (2, True, 0)

    def test_without_a_region(self, aws_environment: Callable[..., None]) -> None:
        """AWS is not found, which is said in one line."""
        aws_environment()
        done = run("--function", "clickstream-dev-operations")
        assert (done.exit_code, done.stderr) == (2, "Error: AWS does not answer: You must specify a region.\n")


class TestRefusal:
    def test_a_role_that_owns_nothing_is_refused(self, warehouse_url: str) -> None:
        """Exit code 2, with what to do, and nothing changed."""
        with psycopg.connect(warehouse_url, autocommit=True) as connection:
            connection.execute("DROP ROLE IF EXISTS visitor")
            connection.execute("CREATE ROLE visitor LOGIN")
        done = run("--dw", conninfo.make_conninfo(warehouse_url, user="visitor"))
        with psycopg.connect(warehouse_url, autocommit=True) as connection:
            connection.execute("DROP ROLE visitor")
        assert (done.exit_code, tables(warehouse_url)) == (2, 0)
        assert "permission denied for schema public: run 'python -m analysis upgrade' as the owner" in done.stderr

    def test_a_table_that_is_held_is_said(self, warehouse_url: str) -> None:
        """It gives up after five seconds, since inserts wait behind it."""
        with psycopg.connect(warehouse_url, autocommit=True) as connection:
            SCHEMA.upgrade(connection)
            connection.execute("ALTER TABLE clickstream_events DROP COLUMN context_product_url_path")
        with psycopg.connect(warehouse_url) as analyst:
            analyst.execute("SELECT * FROM clickstream_events")
            with pytest.raises(AnalysisError, match="another session holds a table, so run this again"):
                upgrade(warehouse_url, dry_run=False)
        assert len(upgrade(warehouse_url, dry_run=False).statements) == 1


class Context:
    """What Lambda tells a function about its invocation."""

    def get_remaining_time_in_millis(self) -> int:
        """Fifteen minutes."""
        return 900_000


@pytest.fixture
def deployed(warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the name of a function that is the deployed entry point, on a real PostgreSQL, in Lambda's place."""
    settings = Settings(dw_url=warehouse_url)
    monkeypatch.setattr(clickstream_app, "settings", settings)

    def invoke(_function: str, event: dict[str, Any], _region: str | None = None) -> Any:
        try:
            return json.loads(json.dumps(clickstream_app.operate(event, Context())))
        except Exception as error:
            raise FunctionFailed(str(error), type(error).__name__) from error

    monkeypatch.setattr(module, "invoke_function", invoke)
    monkeypatch.setattr(log, "output", StringIO())
    return "clickstream-dev-operations"


class TestThroughTheFunction:
    def test_it_does_the_same(self, deployed: str, warehouse_url: str) -> None:
        """For a warehouse that only the function reaches."""
        assert run("--function", deployed, "--dry-run").exit_code == 1
        assert tables(warehouse_url) == 0
        assert run("--function", deployed).exit_code == 0
        assert tables(warehouse_url) == 7
        assert run("--function", deployed).stdout == f"The warehouse is at version {KNOWN}: nothing to do.\n"

    def test_a_newer_warehouse_is_no_error(self, deployed: str, warehouse_url: str) -> None:
        """The projector was rolled back, and goes on."""
        with psycopg.connect(warehouse_url, autocommit=True) as connection:
            NEWER.upgrade(connection)
        done = run("--function", deployed)
        assert done.exit_code == 0
        assert f"The warehouse is at version {NEWER.version}, and the projector knows {KNOWN}" in done.stdout

    def test_lost_tombstones_are_said(self, deployed: str, warehouse_url: str) -> None:
        """No row gets in then, so that nothing to do would be wrong; a dry run says it too."""
        with psycopg.connect(warehouse_url, autocommit=True) as connection:
            SCHEMA.upgrade(connection)
            connection.execute(GUARD.encode())
            connection.execute("DROP TABLE clickstream_tombstones")
        for options in ((), ("--dry-run",)):
            done = run("--function", deployed, *options)
            assert (done.exit_code, "'python -m analysis backfill' brings them back" in done.stderr) == (2, True)

    def test_what_the_role_may_not_do_is_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """At once: another try would not help."""
        calls = []

        def invoke(_function: str, _event: dict[str, Any], _region: str | None = None) -> Any:
            calls.append(1)
            raise FunctionFailed("f: must be owner of table clickstream_events", "UpgradeRefused")

        monkeypatch.setattr(module, "invoke_function", invoke)
        done = run("--function", "f")
        assert (done.exit_code, done.stderr, len(calls)) == (
            2,
            "Error: f: must be owner of table clickstream_events\n",
            1,
        )

    def test_a_warehouse_that_sleeps_is_waited_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It takes a while to wake up; so are functions that are all busy."""
        _answer(monkeypatch, [_asleep, _busy, _asleep, _awake])
        assert upgrade_through("f", dry_run=False).knows == KNOWN

    def test_a_warehouse_that_stays_away_is_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """After six tries, by the function's reason."""
        _answer(monkeypatch, [_asleep] * module.TRIES)
        with pytest.raises(AnalysisError, match="connection timeout expired"):
            upgrade_through("f", dry_run=False)

    def test_another_function_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As the projector is, of an earlier version too: it gives a list."""
        _answer(monkeypatch, [list])
        with pytest.raises(AnalysisError, match="f is no operations function: deploy this version first"):
            upgrade_through("f", dry_run=True)


def _answer(monkeypatch: pytest.MonkeyPatch, answers: list[Callable[[], Any]]) -> None:
    """Let each invocation be answered by the next of these, without a pause."""
    left = iter(answers)
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(module, "invoke_function", lambda _function, _event, _region: next(left)())


def _asleep() -> Any:
    raise FunctionFailed("f: the warehouse failed: connection timeout expired", "WarehouseUnavailable")


def _busy() -> Any:
    refused = ClientError({"Error": {"Code": "TooManyRequestsException", "Message": "Rate Exceeded."}}, "Invoke")
    raise AnalysisError("AWS does not answer: TooManyRequestsException") from refused


def _awake() -> Any:
    return {"was": KNOWN, "knows": KNOWN, "isNewer": False, "statements": [], "users": []}
