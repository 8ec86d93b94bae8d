"""Clocks that jump: events go on to become rows, wherever the clock puts them."""

import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from emulator.posting.poster import Poster
from emulator.soak.clock import library
from emulator.soak.faults.clocks import AHEAD, BACK, jump_in_browsers, jump_in_stack
from emulator.soak.load import probe_event
from emulator.soak.subject import Subject
from tests.support.stack_process import wait_for

pytestmark = pytest.mark.slow


class TestJumpInStack:
    @pytest.mark.parametrize("shift", [AHEAD[1], BACK[1], AHEAD[2], BACK[2]], ids=str)
    def test_events_lie_in_the_hour_that_the_clock_shows(self, subject: Subject, shift: timedelta) -> None:
        """They are rows all the same, the stack stays healthy, and is started again with the right clock at the end."""
        if library() is None:
            pytest.skip("libfaketime is not installed: see tests/system.sh")
        thread = threading.Thread(target=jump_in_stack, args=([shift], subject, 2.0))
        jumps, starts = subject.clock.jumps, subject.starts
        with closing(Poster(subject.stack.endpoint, 1)) as poster:
            thread.start()
            wait_for(lambda: subject.clock.jumps > jumps)
            under, hour = poster.attempt(probe_event()), datetime.now(UTC) + shift
            assert subject.is_healthy()
            thread.join()
            after = poster.attempt(probe_event())
        hours = {f"{time:events/%Y/%m/%d/%H/}" for time in (hour - timedelta(minutes=1), hour)}
        assert str(under.key).startswith(tuple(hours))
        assert str(after.key).startswith(f"events/{datetime.now(UTC):%Y/%m/%d/}")
        wait_for(lambda: subject.pending == 0)
        assert subject.starts == starts + 2


class TestJumpInBrowsers:
    def test_it_leaves_the_stack_alone(self, nothing: Subject) -> None:
        """No clock is wrong afterwards."""
        jump_in_browsers(nothing, 0.01)
        assert nothing.clock.jumps == len(AHEAD) + len(BACK) + 1
        assert nothing.clock.furthest == timedelta(0)
