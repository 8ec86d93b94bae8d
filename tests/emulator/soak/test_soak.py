"""The soak: its account sees what is wrong, and a stack that is broken every way loses nothing."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from click.testing import CliRunner

from analysis.repair.backfill.run import backfill
from chalicelib.envelope import IngestMetadata, envelope, iso_milliseconds
from chalicelib.flatten import flatten
from chalicelib.keys import object_key
from chalicelib.warehouse.client import Warehouse
from command_line.home import Home
from emulator.commands.main import main
from emulator.posting.response import Response
from emulator.shoppers.browser import Event
from emulator.soak.account import Account, account
from emulator.soak.faults import FAULTS
from emulator.soak.faults.disks import DISK_FULL
from emulator.soak.load import Acknowledged, digest, probe_event
from emulator.soak.output import as_json, show
from emulator.soak.rebuild import Rebuilt, rebuild
from emulator.soak.run import Plan, Soak
from emulator.soak.subject import Subject
from tests.support.stack_process import NO_STACK, ROOT

pytestmark = pytest.mark.slow

# The limit. Some minutes are usual: what hangs is restarted only after it has not answered for 15 s.
SOAK_SECONDS = 540


class Stored:
    """A stack that stands still: events in its raw bucket, and their rows in a warehouse."""

    def __init__(self, home: Home, dw_url: str) -> None:
        home.create()
        home.write_stack(replace(NO_STACK, dw_url=dw_url))
        # Of the test, not of its import: clients' clocks are compared with it.
        self.now = datetime.now(UTC).replace(microsecond=0)
        self.subject = Subject(home, (1, 2, 3))
        self.acknowledged: dict[str, Acknowledged] = {}

    def add(self, event: Event | None = None, seconds: float = 0.0) -> str:
        """Store an event, note that it was acknowledged, and give its key."""
        event = event or probe_event()
        received_at = self.now + timedelta(seconds=seconds)
        key = object_key(received_at, uuid4())
        metadata = dict.fromkeys(IngestMetadata.__annotations__) | {"receivedAt": iso_milliseconds(received_at)}
        body = envelope(json.dumps(event).encode(), metadata)  # type: ignore[arg-type]  # all nine are there
        path = self.subject.bucket / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        self.acknowledged[event["eventId"]] = Acknowledged(key, digest(event))
        return key

    def project(self) -> None:
        """Make rows of all of them."""
        backfill(self.subject.bucket, self.subject.stack.dw_url, [f"{self.now:events/%Y/%m/%d/%H/}"])

    def account(self) -> Account:
        return account(self.subject, self.acknowledged, self.now, self.now)

    def ask(self, query: str) -> None:
        with psycopg.connect(self.subject.stack.dw_url, autocommit=True) as connection:
            connection.execute(query.encode())


@pytest.fixture
def stored(tmp_path: Path, warehouse_url: str) -> Stored:
    """Give three events, all of which are rows."""
    stored = Stored(Home(tmp_path / "home"), warehouse_url)
    for _ in range(3):
        stored.add()
    stored.project()
    return stored


class TestAccount:
    def test_all_is_there(self, stored: Stored) -> None:
        """Also what was stored without an answer, and what was stored twice."""
        event = probe_event()
        stored.add(event)
        stored.add(event)
        stored.project()
        stored.acknowledged.popitem()
        found = stored.account()
        assert found.is_balanced, found
        assert (found.objects, found.repeated_objects, found.rows) == (5, 1, 4)

    def test_an_object_that_is_lost_is_named(self, stored: Stored) -> None:
        """Its row is there, without an object."""
        event_id, known = next(iter(stored.acknowledged.items()))
        (stored.subject.bucket / known.key).unlink()
        found = stored.account()
        assert (found.not_in_raw, found.from_nowhere) == ([event_id], [event_id])
        assert found.findings == ["rows_without_object"]
        assert not found.is_balanced

    def test_an_object_that_is_altered_is_named(self, stored: Stored) -> None:
        """By any member."""
        event_id, known = next(iter(stored.acknowledged.items()))
        path = stored.subject.bucket / known.key
        path.write_bytes(path.read_bytes().replace(b'"page_view"', b'"page_View"'))
        assert stored.account().altered == [event_id]

    def test_a_row_that_is_lost_is_named(self, stored: Stored) -> None:
        """Validation finds it too."""
        stored.ask(f"DELETE FROM clickstream_events WHERE event_id = '{min(stored.acknowledged)}'")
        found = stored.account()
        assert found.not_in_warehouse == [min(stored.acknowledged)]
        assert "missing_rows" in found.findings


class TestRebuild:
    def test_the_same_comes_back(self, stored: Stored) -> None:
        """Of an event that is in raw twice the first received, whichever was projected before."""
        event = probe_event()
        late = stored.add(event | {"userId": "late"}, seconds=9)
        warehouse = Warehouse(stored.subject.stack.dw_url)
        warehouse.insert(flatten((stored.subject.bucket / late).read_bytes(), late, stored.now))
        warehouse.close()
        stored.add(event | {"userId": "early"})
        rebuilt = rebuild(stored.subject)
        assert rebuilt == Rebuilt(rows=4, of_repeated_events=1)
        assert rebuilt.is_same

    def test_what_is_other_than_before_is_named(self, stored: Stored) -> None:
        """A row that had been changed, and one that had no object."""
        changed, gone = sorted(stored.acknowledged)[:2]
        stored.ask(f"UPDATE clickstream_events SET user_id = 'x' WHERE event_id = '{changed}'")
        (stored.subject.bucket / stored.acknowledged[gone].key).unlink()
        rebuilt = rebuild(stored.subject)
        assert (rebuilt.other_rows, rebuilt.other_ids, rebuilt.is_same) == ([changed], [gone], False)


class TestPlan:
    def test_each_kind_comes_before_one_comes_again(self) -> None:
        """In an order that the seed decides."""
        kinds = [kind for kind, _ in Plan(1, 1, 2 * len(FAULTS) + 3, seed=5).order()]
        assert sorted(kinds[: len(FAULTS)]) == sorted(kinds[len(FAULTS) : 2 * len(FAULTS)]) == sorted(FAULTS)
        assert len(kinds) == 2 * len(FAULTS) + 3
        assert [*Plan(1, 1, 9, seed=5).order()] == [*Plan(1, 1, 9, seed=5).order()] != [*Plan(1, 1, 9, seed=6).order()]


class TestOutput:
    def test_what_is_wrong_is_named(self, capsys: pytest.CaptureFixture[str]) -> None:
        """And what was done is counted, by kind of fault."""
        from rich.console import Console

        result = Soak(1, sent=3, recoveries={"S3 killed": [1.0, 3.0]})
        assert as_json(result)["passed"]
        result.account.not_in_raw.append("an-id")
        result.refused = 2
        show(result, Console(width=100))
        said = capsys.readouterr().out
        assert "not in raw: an-id" in said
        assert "refused: 2" in said
        assert "failed" in said
        figures = as_json(result)
        assert (figures["faults"], figures["median_recovery"], figures["longest_recovery"]) == (2, 2.0, 3.0)
        assert not figures["passed"]


class TestLoad:
    def test_a_digest_tells_events_apart(self) -> None:
        """By every member, in whatever order."""
        event = probe_event()
        assert digest(event) == digest(dict(reversed(event.items())))
        assert digest(event) != digest(event | {"seq": 2})

    def test_what_was_acknowledged_is_remembered(self) -> None:
        """With the key that the answer names."""
        from emulator.soak.load import Load

        load, event = Load("http://127.0.0.1:1/clickstream", 1, 1, 1), probe_event()
        load.remember(event, Response(200, "events/k"))
        assert load.acknowledged == {event["eventId"]: Acknowledged("events/k", digest(event))}


class TestCommand:
    def test_an_unknown_fault_is_named(self) -> None:
        """It names the ones that there are."""
        done = CliRunner().invoke(main, ["soak", "--fault", "earthquake"])
        assert done.exit_code == 2
        assert "unknown fault 'earthquake'; choose from: ingest killed" in " ".join(
            done.stderr.replace("│", "").split()
        )

    def test_without_permission_to_mount_full_disks_are_left_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is said which, and why."""
        monkeypatch.setattr("emulator.soak.disks._mounts", lambda *_: False)
        done = CliRunner().invoke(main, ["soak", "--fault", "WAL disk full", "--fault", "S3 disk full"])
        assert done.exit_code == 2
        assert "Left out: WAL disk full, S3 disk full. Only root, on Linux" in done.stderr
        assert "no fault is left to inject: name another one with --fault" in done.stderr

    @pytest.mark.timeout(SOAK_SECONDS + 20)
    def test_every_fault_and_nothing_is_lost(self, tmp_path: Path) -> None:
        """Each kind once, under load: what was acknowledged is in raw, and in the warehouse once; validate is clean."""
        options = ["--events", "300", "--rate", "20", "--json"]
        environment = os.environ | {"TMPDIR": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-m", "emulator", "soak", *options],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=SOAK_SECONDS,
            env=environment,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        result = json.loads(done.stdout)
        assert result["passed"]
        left_out = {*DISK_FULL} if "Left out:" in done.stderr else set()
        assert result["recoveries"].keys() == FAULTS.keys() - left_out
        assert result["faults"] == len(result["recoveries"])
        assert result["acknowledged"] == result["sent"] == result["account"]["rows"] == result["rebuilt"]["rows"] >= 300
        assert [*tmp_path.iterdir()] == []
