"""A second stack on the ports or on the home of the first."""

import sys
from pathlib import Path

import pytest

from emulator.soak.faults import Fault, neighbours
from emulator.soak.faults.neighbours import start_on_same_home, start_on_same_ports
from emulator.soak.subject import Subject

pytestmark = pytest.mark.slow
FAULTS = (start_on_same_ports, start_on_same_home)


class TestSecondStack:
    @pytest.mark.parametrize("start", FAULTS)
    def test_it_ends_in_one_line_and_harms_nothing(self, subject: Subject, start: Fault) -> None:
        """The first one goes on with the same process."""
        first = subject.supervisor()
        start(subject, 1.0)
        assert subject.problems == []
        assert subject.supervisor() == first

    @pytest.mark.parametrize(
        ("program", "said"),
        [
            ("raise SystemExit(0)", "ended with 0, and said: ''"),
            ("import sys; print('one\\ntwo', file=sys.stderr); raise SystemExit(2)", "ended with 2, and said: 'one"),
        ],
    )
    def test_whatever_else_it_does_is_a_problem(
        self, subject: Subject, monkeypatch: pytest.MonkeyPatch, program: str, said: str
    ) -> None:
        """Another exit code, or more than a line."""

        def command(_home: Path) -> list[str]:
            return [sys.executable, "-c", program]

        monkeypatch.setattr(subject, "command", command)
        start_on_same_home(subject, 1.0)
        (problem,) = subject.problems
        assert said in problem

    def test_one_that_does_not_end_is_stopped(self, subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
        """And is a problem."""
        monkeypatch.setattr(neighbours, "END_SECONDS", 0.5)
        monkeypatch.setattr(subject, "command", lambda _home: [sys.executable, "-c", "import time; time.sleep(60)"])
        start_on_same_ports(subject, 1.0)
        (problem,) = subject.problems
        assert problem.endswith("has not ended after 0.5 s")
