"""Slow readers of the page's API: others get their answers."""

from contextlib import ExitStack

import pytest

from emulator.servers.processes import wait_until
from emulator.soak.faults import readers
from emulator.soak.faults.readers import READERS, STREAM, WAIT, read_slowly, reading
from emulator.soak.subject import Subject

pytestmark = pytest.mark.slow


class TestReadSlowly:
    def test_others_are_answered(self, subject: Subject) -> None:
        """And afterwards there is room for others."""
        read_slowly(subject, 2.0)
        assert subject.problems == []

    def test_an_api_that_does_not_answer_is_a_problem(self, nothing: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
        """Meanwhile, and afterwards."""
        monkeypatch.setattr(readers, "ANSWER_SECONDS", 0.1)
        monkeypatch.setattr(readers, "FREE_SECONDS", 0.1)
        read_slowly(nothing, 0.5)
        assert nothing.problems == [
            f"{2 * READERS} slow readers keep the API from answering",
            "the API has no room for a reader after slow ones have gone",
        ]


class TestReading:
    @pytest.mark.parametrize("path", [STREAM, WAIT])
    def test_the_stack_limits_how_many_there_are(self, subject: Subject, path: str) -> None:
        """The others get a 503, so the fault does reach the limit."""
        with ExitStack() as stack:
            connections = [stack.enter_context(reading(subject, path)) for _ in range(READERS + 5)]

            def some_are_refused() -> bool:
                for each in connections:
                    try:
                        if b" 503 " in each.recv(64):
                            return True
                    except BlockingIOError:
                        continue
                return False

            assert wait_until(some_are_refused, 30)
