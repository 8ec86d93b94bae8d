"""A small stack under test, for faults that need one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from command_line.home import Home
from emulator.servers.ports import free_ports
from emulator.soak.home import temporary_subject
from emulator.soak.subject import Subject
from tests.support.stack_process import NO_STACK


@pytest.fixture(scope="package")
def running() -> Iterator[Subject]:
    with temporary_subject(2**28) as subject:
        subject.start()
        yield subject


@pytest.fixture
def subject(running: Subject) -> Subject:
    """Give a running stack in which no fault has noticed a problem."""
    running.problems.clear()
    return running


@pytest.fixture
def nothing(tmp_path: Path) -> Subject:
    """Give a stack that does not run."""
    home = Home(tmp_path / "home")
    home.create()
    home.write_stack(NO_STACK)
    return Subject(home, free_ports(3))
