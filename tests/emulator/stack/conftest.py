"""What the tests of the whole stack share."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.stack_process import StackProcess


@pytest.fixture(autouse=True)
def hangup() -> Iterator[None]:
    """Let SIGHUP end a process, also if the tests themselves run under `nohup`."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def new_stack(tmp_path: Path) -> Iterator[Callable[..., StackProcess]]:
    """Give a function that makes a stack of its own, stopped at the end whatever happens."""
    stacks: list[StackProcess] = []

    def make(name: str = "home", *more: str, **environment: str) -> StackProcess:
        stacks.append(StackProcess(tmp_path / name, *more, **environment))
        return stacks[-1]

    yield make
    for stack in stacks:
        stack.clean_up()
