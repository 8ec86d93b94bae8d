"""Faults of the servers reach the processes that they name, and no others."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from signal import SIGCONT
from threading import Thread

import psutil
import pytest

from command_line.errors import CommandError
from command_line.home import Home
from emulator.servers.processes import is_live, wait_until
from emulator.soak.faults import FAULTS
from emulator.soak.subject import Subject

# The tree of a stack, by command line: PostgreSQL has a child process.
TREE = """
(exec -a "python -m emulator.servers.chalice_local" sleep 600) &
(exec -a rclone sleep 600) &
(exec -a postgres bash -c 'sleep 600 & wait') &
wait
"""
# One that never ends on SIGTERM.
STUBBORN = f"trap '' TERM\n{TREE}"


class Tree(Subject):
    """A subject whose processes only sleep."""

    def __init__(self, home: Home, script: str = TREE) -> None:
        """Start the processes."""
        super().__init__(home, (1, 2, 3))
        self._process = self._popen = subprocess.Popen(["bash", "-c", script])
        assert wait_until(lambda: len(self.processes()) == 5 and all(map(self.part, ("ingest", "s3", "warehouse"))), 10)
        assert wait_until(lambda: len(self.part("warehouse")) == 2, 10)
        # Noted, so that `states` finds them when they have ended.
        parts = {name: self.part(name) for name in ("ingest", "s3", "warehouse")}
        self.known = {"supervisor": [self.supervisor()], **parts}

    def states(self) -> dict[str, list[bool | None]]:
        """Give for each process whether it is stopped, by its part; None if it has ended."""
        return {name: [_is_stopped(each) for each in processes] for name, processes in self.known.items()}

    def fell(self) -> None:
        """End all of them."""
        processes = [each for processes in self.known.values() for each in processes]
        self.signal(SIGCONT, processes)
        self.kill(processes)
        self._popen.wait(10)


def _is_stopped(process: psutil.Process) -> bool | None:
    return process.status() == psutil.STATUS_STOPPED if is_live(process) else None


RUNNING: dict[str, list[bool | None]] = {
    "supervisor": [False],
    "ingest": [False],
    "s3": [False],
    "warehouse": [False, False],
}


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    """Give the processes of a stack."""
    tree = Tree(Home(tmp_path / "home"))
    yield tree
    tree.fell()


class TestFrozen:
    @pytest.mark.parametrize(
        ("kind", "frozen"),
        [
            ("ingest frozen", {"ingest": [True]}),
            ("S3 frozen", {"s3": [True]}),
            ("PostgreSQL frozen", {"warehouse": [True, True]}),
            ("postmaster frozen", {"warehouse": [True, False]}),
        ],
    )
    def test_one_part_is_suspended_for_good(self, tree: Tree, kind: str, frozen: dict[str, list[bool | None]]) -> None:
        """All its processes, or only PostgreSQL's parent; the fault does not resume them."""
        FAULTS[kind](tree, 0.1)
        assert wait_until(lambda: tree.states() == RUNNING | frozen, 5), tree.states()


class TestTerminated:
    @pytest.mark.parametrize(
        ("kind", "ended"),
        [
            ("ingest terminated", {"ingest": [None]}),
            ("S3 terminated", {"s3": [None]}),
            ("PostgreSQL terminated", {"warehouse": [None, None]}),
            ("postmaster terminated", {"warehouse": [None, False]}),
        ],
    )
    def test_one_part_gets_sigterm(self, tree: Tree, kind: str, ended: dict[str, list[bool | None]]) -> None:
        """All its processes, or only PostgreSQL's parent."""
        FAULTS[kind](tree, 0.1)
        assert wait_until(lambda: tree.states() == RUNNING | ended, 5), tree.states()

    def test_a_stack_that_does_not_end_is_an_error(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """SIGTERM to the supervisor has to end every process."""
        monkeypatch.setattr("emulator.soak.subject.STOP_SECONDS", 0.3)
        tree = Tree(Home(tmp_path / "home"), STUBBORN)
        try:
            with pytest.raises(CommandError, match="SIGTERM does not end the stack"):
                FAULTS["supervisor terminated"](tree, 0.1)
        finally:
            tree.fell()


class TestSlow:
    def test_the_supervisor_is_suspended_and_resumed(self, tree: Tree) -> None:
        """The servers go on."""
        began = time.monotonic()
        fault = Thread(target=FAULTS["supervisor slow"], args=(tree, 1.0))
        fault.start()
        assert wait_until(lambda: tree.states() == RUNNING | {"supervisor": [True]}, 1.0)
        fault.join()
        assert time.monotonic() - began >= 1.0
        assert wait_until(lambda: tree.states() == RUNNING, 5)
