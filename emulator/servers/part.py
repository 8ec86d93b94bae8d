"""A part of the stack: what each has in common, and the base of those that are servers of others."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import psutil

from command_line.errors import CommandError
from command_line.home import Home
from emulator.servers.processes import Child

__all__ = ["Part", "Server", "problem_of"]

READY_SECONDS = 30


class Part(Protocol):
    """One part of the stack."""

    name: str

    def start(self) -> None:
        """Start it, and return when it really answers. Raises CommandError."""

    def stop(self) -> None:
        """Stop it; does nothing if it does not run."""

    def check(self) -> str | None:
        """Ask it something: None if it answers, else what is wrong in a few words."""

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""

    def last_lines(self) -> list[str]:
        """The end of its log."""


class Server(ABC):
    """A child process that serves on a port; subclasses say which, and how to see that it answers."""

    name: str

    def __init__(self, home: Home, command: list[str], environment: dict[str, str]) -> None:
        log = home.logs / f"{self.name}.log"
        self._child = Child(self.name, command, log, environment, record=home.record_of(self.name))

    def start(self) -> None:
        """Start it, and return when it really answers. Raises CommandError with its last log lines."""
        self._child.start()
        deadline = time.monotonic() + READY_SECONDS
        while (problem := self.check() or self._stranger()) is not None:
            if not self._child.is_alive or time.monotonic() > deadline:
                lines = "\n".join(self.last_lines())
                self._child.stop()
                raise CommandError(f"{self.name} did not start: {problem}; the end of {self._child.log}:\n{lines}")
            time.sleep(0.05)

    @property
    def log(self) -> Path:
        """Where its output goes; begun anew at each start."""
        return self._child.log

    def _stranger(self) -> str | None:
        """What is wrong if it was not this server that answered."""
        with suppress(psutil.Error):
            if any(
                connection.status == psutil.CONN_LISTEN
                for connection in psutil.Process(self._child.pid).net_connections("tcp")
            ):
                return None
        return "another program answers on its port"

    def stop(self) -> None:
        """Stop it; does nothing if it does not run."""
        self._child.stop()

    @abstractmethod
    def check(self) -> str | None:
        """Ask it something: None if it answers, else what is wrong."""

    @property
    def is_alive(self) -> bool:
        """Whether its process runs."""
        return self._child.is_alive

    def last_lines(self) -> list[str]:
        """The end of its log."""
        return self._child.last_lines(10)


def problem_of(ask: Callable[[], object], *errors: type[Exception]) -> str | None:
    """Ask something: None if it answers, else the first line of the error; only `errors` are caught."""
    try:
        ask()
    except errors as error:
        return next(iter(str(error).splitlines()), type(error).__name__)
    return None
