"""The clocks of a soak: wall clocks jump at once, and monotonic clocks do not."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from emulator.shoppers.browser import Browser
from emulator.soak import clock as clock_module
from emulator.soak.clock import Clock, library

HOUR = timedelta(hours=1)
# Prints a time whenever it gets a line.
PROGRAM = """
import json, sys, time
from botocore.auth import get_current_datetime
for _ in sys.stdin:
    time.sleep(0.01)
    print(json.dumps([time.time(), time.monotonic(), get_current_datetime(False).timestamp()]), flush=True)
"""


class Program:
    """A program under a clock."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | environment,
        )

    def ahead(self) -> tuple[float, float, float]:
        """Give how far its wall clock, its monotonic clock and its signatures are ahead, in hours."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        wall, monotonic, signature = json.loads(self.process.stdout.readline())
        now = datetime.now(UTC).timestamp()
        return _hours(wall - now), _hours(monotonic - time.monotonic()), _hours(signature - now)


def _hours(seconds: float) -> float:
    return round(seconds / 3600, 1)


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    if library() is None:
        pytest.skip("libfaketime is not installed: see tests/system.sh")
    return Clock(tmp_path / "clock")


@pytest.fixture
def programs() -> Iterator[list[Program]]:
    """Collect programs, and end them."""
    started: list[Program] = []
    yield started
    for each in started:
        each.process.communicate()


class TestStack:
    def test_its_wall_clock_jumps_at_once(self, clock: Clock, programs: list[Program]) -> None:
        """Ahead, back, and right again; the monotonic clock stays, and so does the time of signatures for S3."""
        program = Program(clock.environment())
        programs.append(program)
        assert program.ahead() == (0, 0, 0)
        with clock.stack_shifted():
            for hours in (2, -72, 48):
                clock.shift_stack(hours * HOUR)
                assert program.ahead() == (hours, 0, 0)
        assert program.ahead() == (0, 0, 0)
        assert clock.furthest == 48 * HOUR
        assert clock.jumps == 4

    def test_another_program_can_have_a_clock_of_its_own(self, clock: Clock, programs: list[Program]) -> None:
        """Such as a validation after the time that the stack's clock showed."""
        clock.shift_stack(-HOUR)
        programs.append(Program(clock.environment(3 * HOUR)))
        assert programs[0].ahead() == (3, 0, 3)

    def test_without_the_library_nothing_is_set(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """So the stack starts all the same."""
        monkeypatch.setattr(clock_module, "LIBRARY", "nowhere.so")
        assert Clock(tmp_path / "clock").environment() == {}
        assert not (tmp_path / "clock").exists()


class TestBrowsers:
    def test_the_clocks_of_some_jump(self, tmp_path: Path) -> None:
        """Of the others they stay right; at the end all are."""
        clock, browsers = Clock(tmp_path), [Browser(f"shopper-{number}") for number in range(200)]

        def ahead() -> list[int]:
            return [round((clock.of(browser) - datetime.now(UTC)) / HOUR) for browser in browsers]

        with clock.browsers_shifted():
            clock.shift_browsers(-5 * HOUR)
            found = ahead()
        assert set(found) == {0, -5}
        assert 20 < found.count(-5) < 80
        assert set(ahead()) == {0}
