import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from psycopg import conninfo

from chalicelib.contract import TABLE
from chalicelib.flatten import flatten
from chalicelib.warehouse.client import Warehouse
from chalicelib.warehouse.schema import SCHEMA
from chalicelib.warehouse.tables import REJECTS
from command_line.home import Home
from emulator.commands.seed import seed_command
from emulator.seed import run as runs
from emulator.seed import shards
from emulator.seed.answers.findings import CHECKS
from tests.support.contents import database_contents, directory_contents
from tests.support.samples import small_sample
from tests.support.seed_checks import NAMES
from tests.support.seed_checks import checks as checks_of
from tests.support.stack_process import NO_STACK

pytestmark = pytest.mark.slow

ONE_DAY = ("--days", "1", "--shoppers", "120")
SMALL = ("--days", "3", "--shoppers", "30", "--end", "2026-11-20T00")

NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # every object says when it was received

Seeding = Callable[..., tuple[dict[str, bytes], dict[str, Any], Result]]


@pytest.fixture
def seeding(tmp_path: Path) -> Seeding:
    """Run the command into a bucket of that name; give its objects, its answers, and the result."""

    def seed(name: str, *options: str) -> tuple[dict[str, bytes], dict[str, Any], Result]:
        bucket, answers = tmp_path / name, tmp_path / f"{name}.json"
        result = CliRunner().invoke(
            seed_command, [*SMALL, "--out", str(bucket), "--answers", str(answers), *options], catch_exceptions=False
        )
        assert result.exit_code == 0, result.output
        objects = {p.relative_to(bucket).as_posix(): p.read_bytes() for p in bucket.rglob("*") if p.is_file()}
        return objects, json.loads(answers.read_text()), result

    return seed


class TestCommand:
    """`python -m emulator seed`."""

    def test_writes_again_what_it_wrote(self, seeding: Seeding) -> None:
        """The same seed into the same bucket changes nothing; another seed adds to it."""
        objects, answers, _ = seeding("bucket")
        again, same_answers, _ = seeding("bucket")
        assert (again, same_answers) == (objects, answers)
        more, _, _ = seeding("bucket", "--seed", "2")
        assert objects.items() < more.items()

    def test_bytes_depend_on_nothing_else(self, seeding: Seeding, tmp_path: Path) -> None:
        """Another process with another hash seed writes the same objects and answers."""
        objects, _, _ = seeding("here")
        command = [sys.executable, "-m", "emulator", "seed", *SMALL, "--out", str(tmp_path / "there")]
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PYTHONHASHSEED": "99"})
        there = tmp_path / "there"
        assert {p.relative_to(there).as_posix(): p.read_bytes() for p in there.rglob("*.json")} == objects
        assert (tmp_path / "seed-answers.json").read_bytes() == (tmp_path / "here.json").read_bytes()

    def test_processes_change_nothing(self, seeding: Seeding, monkeypatch: pytest.MonkeyPatch) -> None:
        """Several shards in several processes give what one gives."""
        objects, answers, _ = seeding("one")
        monkeypatch.setattr(shards, "SHOPPERS", 7)
        monkeypatch.setattr(runs, "FEW_PARTS", 1)
        assert seeding("several")[:2] == (objects, answers)

    def test_answers_describe_the_bucket(self, seeding: Seeding) -> None:
        """Its numbers by hour, its checks, and every metric for all events and both login states."""
        objects, answers, result = seeding("bucket")
        hours = {
            f"events/{entry['hour'][:13].replace('-', '/').replace('T', '/')}": entry for entry in answers["hours"]
        }
        found = [key.rpartition("/")[0] for key in objects]
        assert {hour: entry["objects"] for hour, entry in hours.items()} == {hour: found.count(hour) for hour in found}
        assert {name: findings for name, findings in answers["checks"].items() if findings} == checks_of(objects)
        choices = dict.fromkeys((entry["login_state"], entry["clock"]) for entry in answers["metrics"])
        states = [(state, "received") for state in (None, "logged_in", "anonymous")]
        assert list(choices) == [*states, (None, "occurred")]
        overview = answers["metrics"][0]
        assert overview["rows"][0][overview["columns"].index("events")] == answers["rows"]
        assert f"{answers['objects']:,} objects in " in result.stdout

    def test_clean(self, seeding: Seeding) -> None:
        """Every check is there, and finds nothing."""
        _, answers, _ = seeding("bucket", "--clean")
        assert not any(answers["checks"].values())
        assert (len(answers["checks"]), answers["clean"], answers["faults"]) == (len(CHECKS), True, {})

    def test_only_one_fault(self, seeding: Seeding) -> None:
        """It is planted in all shoppers that are not spared and whom it suits; another name is refused."""
        _, answers, _ = seeding("bucket", "--only", "late_events")
        assert answers["faults"].keys() == {"late_events"}
        assert {name for name, found in answers["checks"].items() if found} <= {"late_events", "moved_days"}
        result = CliRunner().invoke(seed_command, ["--only", "late"])
        assert (result.exit_code, "--only plants one of bad_discount_price," in result.output) == (2, True)

    def test_json_is_all_there_is_on_stdout(self, seeding: Seeding) -> None:
        """For machines to read."""
        objects, answers, result = seeding("bucket", "--json")
        report = json.loads(result.stdout)
        assert (report["objects"], report["loaded"]) == (len(objects), None)
        assert report["end"] == answers["end"] == "2026-11-20T00:00:00.000Z"

    def test_home_is_the_default(self, tmp_path: Path) -> None:
        """The bucket of the home's stack, and the answers beside it."""
        result = CliRunner().invoke(seed_command, [*SMALL, "--home", str(tmp_path / "home")])
        assert result.exit_code == 0
        assert (tmp_path / "home" / "seed-answers.json").exists()
        assert any((tmp_path / "home" / "s3" / "clickstream-s3-ingest" / "events").rglob("*.json"))

    @pytest.mark.parametrize(
        ("options", "problem"),
        [
            (("--end", "2999-01-01T00"), "Error: --end must be a full hour, and not in the future: a history is past"),
            (
                ("--end", "2026-11-01T00:30"),
                "Error: --end must be a full hour, and not in the future: a history is past",
            ),
            (("--dw", "postgresql://x@/y"), "Error: --dw names the warehouse of --load: give both"),
            (
                ("--load", "--dw", "nonsense"),
                "Error: DW_URL is not a PostgreSQL URL, as postgresql://user@host/database",
            ),
            (("--out", "/dev/null/bucket"), "Error: cannot write /dev/null/bucket: Not a directory"),
            (("--shoppers", "0"), "Error: Invalid value for '--shoppers': 0 is not in the range 1<=x<=1000000."),
        ],
    )
    def test_wrong_usage(self, tmp_path: Path, options: tuple[str, ...], problem: str) -> None:
        """Exit code 2, and one line that says what is wrong."""
        result = CliRunner().invoke(seed_command, [*SMALL, "--out", str(tmp_path / "bucket"), *options])
        assert (result.exit_code, result.stderr.splitlines()[-1]) == (2, problem)

    def test_ctrl_c_ends_all_processes(self, tmp_path: Path) -> None:
        """Exit code 130, without a trace of anything, and no answers that would not hold."""
        out = tmp_path / "bucket"
        command = [sys.executable, "-m", "emulator", "seed", "--days", "7", "--shoppers", "20000", "--out", str(out)]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, text=True
        ) as process:
            while not any(out.rglob("*.json")) and process.poll() is None:
                time.sleep(0.05)
            os.killpg(process.pid, signal.SIGINT)
            stdout, stderr = process.communicate()
        assert (process.returncode, stdout) == (130, "")
        assert "Traceback" not in stderr
        assert not (tmp_path / "seed-answers.json").exists()

    def test_help_teaches(self) -> None:
        """--help has an example to copy, and the exit codes."""
        text = CliRunner().invoke(seed_command, ["--help"]).stdout
        assert re.search(r"^ +python -m emulator seed --days 30 --shoppers 23000 --seed 7 --load$", text, re.MULTILINE)
        assert "Exit codes: 0" in text


class TestLoad:
    """`--load` into a real PostgreSQL."""

    def test_loads_what_the_projector_would(self, seeding: Seeding, warehouse_url: str) -> None:
        """Exactly one row per event id, of the first received; rejects are named; once more changes nothing."""
        objects, answers, _ = seeding("bucket", *ONE_DAY, "--load", "--dw", warehouse_url)
        corrupt = {finding["key"] for finding in answers["checks"]["rejects"]}
        assert corrupt
        received: list[dict[str, Any]] = [
            dict(zip(NAMES, flatten(objects[key], key, NEVER), strict=True)) for key in objects.keys() - corrupt
        ]
        first: dict[Any, dict[str, Any]] = {}
        for row in sorted(received, key=lambda row: row["event_timestamp"]):
            first.setdefault(row["event_id"], row)
        with psycopg.connect(warehouse_url) as connection:
            rows = [dict(zip(NAMES, row, strict=True)) for row in connection.execute(f"SELECT * FROM {TABLE}")]
            rejects = list(connection.execute(f"SELECT bucket, key, reason FROM {REJECTS}"))
        assert {row["event_id"]: row for row in rows} == first
        assert len(rows) == answers["rows"]
        assert {key for _, key, _ in rejects} == corrupt
        assert all(bucket == "bucket" and reason.startswith("the body ") for bucket, _, reason in rejects)
        _, _, again = seeding("bucket", *ONE_DAY, "--load", "--dw", warehouse_url, "--json")
        assert json.loads(again.stdout)["loaded"] == {"rows": 0, "rejects": 0}

    def test_rows_of_others_stay(self, seeding: Seeding, warehouse_url: str) -> None:
        """A row that the projector has made is kept, and the others are added to its table."""
        objects, _, _ = seeding("bucket", "--clean")
        key, body = next(iter(objects.items()))
        warehouse = Warehouse(warehouse_url)
        assert warehouse.insert(flatten(body, key, NEVER))
        warehouse.close()
        _, answers, result = seeding("bucket", "--clean", "--load", "--dw", warehouse_url, "--json")
        assert json.loads(result.stdout)["loaded"] == {"rows": answers["rows"] - 1, "rejects": 0}

    def test_columns_of_others_stay(self, seeding: Seeding, warehouse_url: str) -> None:
        """An analyst's column, although it has a name of ours, is filled by its own rule; the rest is loaded."""
        with psycopg.connect(warehouse_url, autocommit=True) as connection:
            SCHEMA.upgrade(connection)
            connection.execute(f"ALTER TABLE {TABLE} ADD position BIGINT GENERATED ALWAYS AS IDENTITY")
        _, answers, result = seeding("bucket", "--load", "--dw", warehouse_url, "--json")
        assert json.loads(result.stdout)["loaded"]["rows"] == answers["rows"]

    def test_the_warehouse_of_another_home_is_left_alone(
        self,
        tmp_path: Path,
        warehouse_url: str,
        new_database: Callable[[], AbstractContextManager[str]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """`DW_URL`, as `env` of another stack sets it, does not count; it says which warehouse it loads."""
        home = Home(tmp_path / "home")
        home.create()
        with new_database() as own_url:
            home.write_stack(replace(NO_STACK, dw_url=own_url))
            monkeypatch.setenv("DW_URL", warehouse_url)
            result = CliRunner().invoke(seed_command, [*SMALL, "--home", str(home.path), "--load"])
            assert result.exit_code == 0, result.output
            assert "DW_URL is not used: the warehouse is that of the home's stack" in result.stderr
            assert f"The history goes into the warehouse {own_url} (of the home's stack)" in result.stderr
            with psycopg.connect(own_url) as connection:
                (rows,) = connection.execute(f"SELECT count(*) FROM {TABLE}").fetchone() or ()
            assert f"The warehouse has {rows:,} more rows" in result.stdout
            assert rows > 0
        with psycopg.connect(warehouse_url) as connection:
            assert connection.execute("SELECT to_regclass(%s)", (TABLE,)).fetchone() == (None,)

    def test_the_warehouse_that_is_named_is_said_without_its_password(
        self, seeding: Seeding, warehouse_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As the one given by `--dw`; `DW_URL` then needs no word."""
        monkeypatch.setenv("DW_URL", "postgresql://u@127.0.0.1:1/another")
        named = conninfo.make_conninfo(warehouse_url, password="hidden")
        _, answers, result = seeding("bucket", "--load", "--dw", named)
        assert "(given by --dw)" in result.stderr
        assert "hidden" not in result.output
        assert "DW_URL" not in result.stderr
        assert f"The warehouse has {answers['rows']:,} more rows" in result.stdout

    def test_without_a_stack_and_a_name_nothing_is_written(
        self, tmp_path: Path, warehouse_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Not even with `DW_URL`; the error says what to do."""
        monkeypatch.setenv("DW_URL", warehouse_url)
        result = CliRunner().invoke(seed_command, [*SMALL, "--home", str(tmp_path / "home"), "--load"])
        assert result.exit_code == 2
        assert len(result.stderr.splitlines()) == 1
        assert not (tmp_path / "home").exists()

    def test_a_sample_in_the_bucket_is_not_loaded_elsewhere(self, tmp_path: Path, warehouse_url: str) -> None:
        """Its objects may be in the same hours; nothing is written then."""
        home = tmp_path / "home"
        small_sample(home, shoppers=5)
        before = database_contents(warehouse_url), directory_contents(home)
        result = CliRunner().invoke(
            seed_command, [*SMALL, "--home", str(home), "--load", "--dw", warehouse_url], catch_exceptions=False
        )
        assert result.exit_code == 2
        assert "includes a sample, which must not reach a warehouse that is not its stack's own" in result.stderr
        assert (database_contents(warehouse_url), directory_contents(home)) == before
