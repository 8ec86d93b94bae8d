"""The soak: its account sees what is wrong, and a stack that is broken every way loses nothing."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from signal import SIGABRT
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
from emulator.soak import clock
from emulator.soak.account import Account, account
from emulator.soak.clock import library
from emulator.soak.faults import FAULTS, OF_WAREHOUSE, missing
from emulator.soak.faults.clocks import STACK_AHEAD, STACK_BACK
from emulator.soak.faults.disks import DISK_FULL
from emulator.soak.load import Acknowledged, digest, probe_event
from emulator.soak.output import as_json, show
from emulator.soak.rebuild import Rebuilt, rebuild
from emulator.soak.run import Plan, Soak
from emulator.soak.subject import Subject
from emulator.soak.waits import NO_FAULT, OF_REFUSED, Wait
from tests.support.stack_process import NO_STACK, ROOT

pytestmark = pytest.mark.slow

# The limit. Some minutes are usual: what hangs is restarted only after it has not answered for 15 s.
SOAK_SECONDS = 1200


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

    def test_an_erased_event_that_came_back_is_named(self, stored: Stored) -> None:
        """One that stays away is counted."""
        came_back, gone = probe_event()["eventId"], probe_event()["eventId"]
        stored.add(probe_event() | {"eventId": came_back})
        stored.project()
        del stored.acknowledged[came_back]
        stored.subject.erased |= {came_back, gone}
        found = stored.account()
        assert (found.erased, found.came_back) == (2, [came_back])
        assert not found.is_balanced

    def test_tombstones_are_no_events(self, stored: Stored) -> None:
        """They lie in the same bucket."""
        path = stored.subject.bucket / "erasures/key.json"
        path.parent.mkdir()
        path.write_text(f'{{"key": "{"0" * 64}"}}')
        assert stored.account().objects == 3
        assert rebuild(stored.subject).rows == 3

    def test_findings_of_a_wrong_clock_are_expected_once_one_has_jumped(self, stored: Stored) -> None:
        """They are named apart, and the account is balanced."""
        wrong = iso_milliseconds(stored.now - timedelta(days=2))
        stored.add(probe_event() | {"eventTimestamp": wrong})
        stored.project()
        assert stored.account().findings == ["clock_skew"]
        with stored.subject.clock.browsers_shifted():
            stored.subject.clock.shift_browsers(timedelta(days=-2))
        found = stored.account()
        assert (found.findings, found.expected_findings) == ([], ["clock_skew"])
        assert found.is_balanced

    def test_other_findings_stay_findings(self, stored: Stored) -> None:
        """Also after a jump."""
        with stored.subject.clock.browsers_shifted():
            pass
        stored.ask(f"DELETE FROM clickstream_events WHERE event_id = '{min(stored.acknowledged)}'")
        assert stored.account().findings == ["missing_rows"]

    @pytest.mark.parametrize("days", [-3, 2])
    def test_the_hours_of_a_jumped_clock_are_validated(self, stored: Stored, days: int) -> None:
        """Also hours that have not come yet."""
        if library() is None:
            pytest.skip("libfaketime is not installed: see tests/system.sh")
        stored.subject.clock.shift_stack(timedelta(days=days))
        event = probe_event()
        stored.add(event, seconds=timedelta(days=days).total_seconds())
        assert stored.account().findings == ["missing_rows"]


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


class TestFaults:
    def test_those_of_the_warehouse_are_faults(self) -> None:
        """By their names."""
        assert FAULTS.keys() > OF_WAREHOUSE

    def test_what_a_machine_lacks_is_named(self) -> None:
        """Small disks; all else every machine can have."""
        assert missing(DISK_FULL[0], has_disks=True) is None
        assert "Only root, on Linux" in str(missing(DISK_FULL[0], has_disks=False))
        assert missing("S3 killed", has_disks=False) is None


class TestOutput:
    def test_what_is_wrong_is_named(self, capsys: pytest.CaptureFixture[str]) -> None:
        """And what was done is counted, by kind of fault."""
        from rich.console import Console

        result = Soak(1, sent=3, recoveries={"S3 killed": [1.0, 3.0]})
        assert as_json(result)["passed"]
        result.account.not_in_raw.append("an-id")
        result.refused = 2
        result.problems.append("backfill ended with 1")
        result.account.expected_findings.append("clock_skew")
        result.waits = {
            "S3 killed": Wait(3, 0.2, 4.5),
            "PostgreSQL killed": Wait(2, 5.0, 9.5),
            NO_FAULT: Wait(8, 0.1, 0.3),
        }
        show(result, Console(width=100))
        said = capsys.readouterr().out
        assert "not in raw: an-id" in said
        assert "refused: 2" in said
        assert "\nbackfill ended with 1\n" in said
        assert re.search("true of clocks that jumped, so expected .* clock_skew ", said)
        assert "expected findings: " not in said
        assert re.search(r"S3 killed +│ +3 │ +0.2 │ +4.5 │", said)
        assert "failed" in said
        figures = as_json(result)
        assert (figures["faults"], figures["median_recovery"], figures["longest_recovery"]) == (2, 2.0, 3.0)
        # While PostgreSQL itself is the fault, an event may wait for as long as that lasts.
        assert (figures["longest_healthy_wait"], figures["longest_wait"]) == (4.5, 9.5)
        assert figures["waits"]["S3 killed"] == {"events": 3, "median": 0.2, "longest": 4.5}
        assert not figures["passed"]

    def test_a_problem_under_a_fault_fails_the_soak(self) -> None:
        """Even if nothing was lost."""
        assert Soak(1).is_passed
        assert not Soak(1, problems=["the first stack was harmed"]).is_passed


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
    def test_a_fault_that_this_machine_cannot_have_is_left_out_in_one_line(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Here the clocks of the stack, without the library."""
        monkeypatch.setattr(clock, "LIBRARY", "nowhere.so")
        done = CliRunner().invoke(main, ["soak", "--fault", STACK_AHEAD])
        assert done.exit_code == 2
        assert done.stderr.splitlines() == [
            f"Left out: {STACK_AHEAD}. They need libfaketime: install Debian's package faketime.",
            "Error: no fault is left to inject: name another one with --fault",
        ]

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
        """Each kind once, under load: what was acknowledged is in raw, and in the warehouse once; validate is clean.

        All but the stack's clock, which has tests of its own. A soak that hangs says where each of its threads is.
        """
        kinds = [kind for kind in FAULTS if kind not in (STACK_AHEAD, STACK_BACK)]
        options = ["--events", "300", "--rate", "20", "--json", *(word for kind in kinds for word in ("--fault", kind))]
        soaking = subprocess.Popen(
            [sys.executable, "-m", "emulator", "soak", *options],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"TMPDIR": str(tmp_path), "PYTHONFAULTHANDLER": "1"},
        )
        try:
            stdout, stderr = soaking.communicate(timeout=SOAK_SECONDS)
        except subprocess.TimeoutExpired:
            soaking.send_signal(SIGABRT)
            stdout, stderr = soaking.communicate()
        assert soaking.returncode == 0, stdout + stderr
        result = json.loads(stdout)
        assert result["passed"]
        left_out = {kind for names in re.findall(r"Left out: ([^.]*)", stderr) for kind in names.split(", ")}
        assert result["recoveries"].keys() == set(kinds) - left_out
        assert result["waits"].keys() - {NO_FAULT, OF_REFUSED} <= FAULTS.keys()
        assert sum(wait["events"] for wait in result["waits"].values()) == result["acknowledged"]
        assert result["faults"] == len(result["recoveries"])
        assert result["acknowledged"] == result["sent"] == result["account"]["rows"] == result["rebuilt"]["rows"] >= 300
        assert [*tmp_path.iterdir()] == []
