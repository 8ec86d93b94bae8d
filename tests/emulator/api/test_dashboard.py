import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from starlette.testclient import TestClient

from emulator.api.running import Running
from emulator.stack.beginning import Beginning
from emulator.stack.reset import Reset
from tests.support.raw_objects import Objects
from tests.support.running import client, running, store

DAY = "start=2026-11-25&end=2026-11-26&compare=none&zone=UTC"


def post(stack: Running) -> str:
    """Store one event of that day; its key."""
    objects = Objects()
    key = objects.add()
    store(stack, key, objects.bodies[key])
    return key


def sessions(http: TestClient) -> object:
    """What the dashboard says of a day."""
    answer = http.get(f"/dashboard/api/view?{DAY}")
    shown = {line["panel"]: line for line in map(json.loads, answer.text.splitlines()) if "panel" in line}
    assert "content" in shown["sessions"], shown["sessions"]
    return shown["sessions"]["content"]["value"]


@dataclass
class Resets:
    """A reset that only has a time."""

    at: Beginning | None = None


class TestDashboard:
    def test_it_shows_the_events_of_the_stack(self, tmp_path: Path) -> None:
        """And links to the other pages."""
        stack = running(tmp_path / "s3")
        post(stack)
        http = client(stack)
        assert sessions(http) == 1
        head = json.loads(http.get(f"/dashboard/api/view?{DAY}").text.splitlines()[0])["head"]
        assert head["tabs"] == {"shop": "/", "pipeline": "/pipeline"}

    def test_a_reset_leaves_nothing_on_the_screen(self, tmp_path: Path) -> None:
        """Not even of a day that is over, which is kept otherwise."""
        stack = running(tmp_path / "s3")
        vars(stack)["reset"] = cast("Reset", Resets())
        key = post(stack)
        http = client(stack)
        assert sessions(http) == 1
        (stack.bucket / key).unlink()
        assert sessions(http) == 1
        vars(stack.reset)["at"] = Beginning(datetime.now(UTC))
        assert sessions(http) == 0

    def test_the_stack_starts_without_its_libraries(self) -> None:
        """They take longer to import than the rest of the stack."""
        script = "import sys, emulator.stack.run; print({'altair', 'duckdb', 'vl_convert'} & set(sys.modules))"
        found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert found.stdout == "set()\n"
