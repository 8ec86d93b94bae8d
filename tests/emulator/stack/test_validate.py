"""`python -m analysis validate` on a living stack."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from emulator.shoppers.browser import Browser
from emulator.shoppers.visit import Step
from tests.support.stack_process import ROOT, StackProcess, wait_for

pytestmark = pytest.mark.stack

RATE = 30  # events per second
TIMES = 4
SETTLE = 5.0  # seconds; shorter than by default, so that the test does not wait for minutes


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackProcess]:
    """Give one running stack."""
    stack = StackProcess(tmp_path_factory.mktemp("validate") / "home").start()
    yield stack
    stack.clean_up()


@pytest.fixture
def load(up: StackProcess) -> Iterator[subprocess.Popen[bytes]]:
    """Let shoppers click all the time."""
    command = [sys.executable, "-m", "emulator", "shoppers", "--home", str(up.home.path), "--rate", str(RATE)]
    process = subprocess.Popen([*command, "--sessions", "100000"], cwd=ROOT, stderr=subprocess.DEVNULL)
    yield process
    process.send_signal(signal.SIGINT)
    process.wait(60)


def validated(up: StackProcess, settle: float) -> dict[str, Any]:
    """The report of a validation, as a monitor runs it."""
    where = ["--source", str(up.bucket), "--dw", up.stack.dw_url, "--settle", str(settle)]
    command = [sys.executable, "-m", "analysis", "validate", "--json", *where]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    report: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if report["passed"] else 1), done.stderr
    return report


def findings(report: dict[str, Any]) -> dict[str, int]:
    """How much each check found."""
    return {check["name"]: len(check["findings"]) for check in report["checks"] if check["findings"]}


def lose_an_event(up: StackProcess) -> None:
    """Let a browser send the first and the third event of a tab; the second never arrives."""
    session = Browser("unlucky").open_session()
    for number in range(3):
        event = session.event(Step("page_view", {}, 0, f"http://127.0.0.1:8080/{number}", "", None))
        if number != 1:
            assert up.post(json.dumps(event)).status_code == 200


class TestLivingStack:
    @pytest.mark.usefixtures("load")
    def test_no_false_alarm_under_load(self, up: StackProcess) -> None:
        """However often it runs; what is too young is counted, and judged the next time."""
        judged = [0]
        wait_for(lambda: len(up.raw_keys()) > RATE * SETTLE * 2, 120)
        for _ in range(TIMES):
            report = validated(up, SETTLE)
            assert findings(report) == {}
            (rows, young) = (sum(hour[name] for hour in report["hours"]) for name in ("rows", "not_yet_judged"))
            assert young > 0
            judged.append(rows)
        assert judged == sorted(set(judged))

    def test_three_faults_are_three_findings(self, up: StackProcess) -> None:
        """After the load: one deleted object, one altered row and one lost event."""
        wait_for(lambda: len(up.raw_keys()) == len(up.event_ids()), 120)
        lose_an_event(up)
        wait_for(lambda: len(up.raw_keys()) == len(up.event_ids()), 120)
        deleted, altered, *_ = sorted(up.raw_keys())[RATE:]
        event_id = json.loads((up.bucket / altered).read_bytes())["eventId"]
        (up.bucket / deleted).unlink()
        with psycopg.connect(up.stack.dw_url) as connection:
            connection.execute("UPDATE clickstream_events SET event_name = 'nonsense' WHERE event_id = %s", [event_id])
        report = validated(up, 0)
        assert findings(report) == {"rows_without_object": 1, "altered_rows": 1, "lost_events": 1}
        by_name = {check["name"]: check["findings"] for check in report["checks"]}
        assert by_name["altered_rows"] == [{"event_id": event_id, "key": altered, "columns": "event_name"}]
