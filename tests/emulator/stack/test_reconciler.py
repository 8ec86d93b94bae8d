"""The reconciler on the local stack, while no trigger runs and events keep coming; and the commands of its runbook."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import httpx2
import pytest

from chalicelib.projection.reconciler.reading import Place
from chalicelib.projection.reconciler.run import Reconciled, reconcile
from chalicelib.storage import RawStorage
from chalicelib.warehouse.client import Warehouse
from emulator.servers.environment import aws_environment
from tests.support.stack_process import ROOT, StackProcess

pytestmark = pytest.mark.stack

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
WRITTEN = re.findall(r"python -m analysis [^`#\n]*--stage prod[^`#\n]*", RUNBOOK)
# A local stack has no failure queue, and its warehouse is not empty.
ELSEWHERE = (" redrive ", " --rebuild ")
COMMANDS = sorted(
    {each.replace(" --stage prod", "").strip() for each in WRITTEN if not any(name in each for name in ELSEWHERE)}
)
# The statements that `ask` gets; what stands for a number or a name of the reader's own is replaced.
STATEMENTS = sorted({each.replace("PID", "0") for each in re.findall(r'ask "(SELECT [^"]*)"', RUNBOOK)})
COUNT = "SELECT count(*) FROM clickstream_hours WHERE complete AND objects = rows"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackProcess]:
    """Give a stack whose triggers are off."""
    stack = StackProcess(tmp_path_factory.mktemp("reconciler") / "home", "--headless").start()
    faults = {"triggersOff": True}
    assert httpx2.put(f"{stack.stack.web_url}/api/faults", json=faults, timeout=30).status_code == 200
    yield stack
    stack.clean_up()


@pytest.fixture
def run(stack: StackProcess) -> Iterator[Callable[[], Reconciled]]:
    """Give a function that reconciles the stack once; an object should have its row at once."""
    place = stack.stack
    client = boto3.client(
        "s3",
        endpoint_url=place.s3_url,
        aws_access_key_id=place.access_key,
        aws_secret_access_key=place.secret_key,
        region_name="us-east-1",
    )
    warehouse = Warehouse(place.dw_url)
    yield lambda: reconcile(Place(place.bucket, RawStorage(client), warehouse, settle=timedelta(-1)))
    warehouse.close()


class TestTriggersOff:
    def test_everything_is_found_and_projected_under_load(
        self, stack: StackProcess, run: Callable[[], Reconciled]
    ) -> None:
        """The metric is above 0 while events come that nobody projects, and 0 again; the hours are complete then."""
        stopping = threading.Event()
        stored: list[str] = []

        def load() -> None:
            while not stopping.is_set():
                response = stack.post(json.dumps({"eventName": "click"}))
                stored.append(response.json()["key"])

        metrics = []
        with ThreadPoolExecutor(4) as pool:
            loads = [pool.submit(load) for _ in range(4)]
            try:
                while len(stored) < 300:
                    metrics.append(run().missing)
            finally:
                stopping.set()
        for each in loads:
            each.result()
        assert sum(metrics) > 0
        while metrics[-1] != 0:
            metrics.append(run().missing)
        assert len(stack.event_ids()) == len(stored) == sum(metrics)
        assert stack.ask(COUNT) == stack.ask("SELECT count(*) FROM clickstream_hours")
        assert stack.ask("SELECT sum(objects)::int FROM clickstream_hours") == [(len(stored),)]


class TestRunbook:
    def test_its_commands_are_found(self) -> None:
        """Otherwise the next test would run nothing."""
        assert {command.split()[3] for command in COMMANDS} >= {"validate", "backfill", "ledger", "smoke", "retain"}

    @pytest.mark.parametrize("command", COMMANDS)
    def test_each_command_runs_in_the_local_stack(
        self, command: str, stack: StackProcess, run: Callable[[], Reconciled]
    ) -> None:
        """Without its stage, with what `env` says, for the day of today."""
        run()
        assert httpx2.put(f"{stack.stack.web_url}/api/faults", json={"triggersOff": False}, timeout=30).is_success
        said = subprocess.run(
            [sys.executable, "-m", "emulator", "env", "--home", str(stack.home.path), "--json"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        there: dict[str, Any] = json.loads(said.stdout)
        environment = os.environ | aws_environment(stack.stack) | {name: str(value) for name, value in there.items()}
        environment["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", command.replace("DAY", f"{datetime.now(UTC):%Y-%m-%d}")],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env=environment,
        )
        assert done.returncode in (0, 1), done.stderr
        assert done.stdout
        assert "Traceback" not in done.stderr
        if " validate" in command:
            assert re.search(r"The reconciler compared [12] hours?, last at .*: all are complete\.", done.stdout)

    @pytest.mark.parametrize("statement", STATEMENTS)
    def test_each_statement_is_one_of_postgresql(self, statement: str, stack: StackProcess) -> None:
        """The reader may not see some of it in AWS, but tables, columns and functions are there."""
        assert stack.ask(statement) is not None
