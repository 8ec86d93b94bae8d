"""A part of the stack: the interface of every part, and the base classes of child processes and of threads."""

import threading
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

__all__ = ["Follower", "Part", "Server", "problem_of"]

READY_SECONDS = 30


class Part(Protocol):
    """One part of the stack."""

    name: str

    def start(self) -> None:
        """Start the part, and return when it answers. Raises CommandError."""

    def stop(self) -> None:
        """Stop the part; do nothing if it does not run."""

    def check(self) -> str | None:
        """Send the part a request; return None if it answers, else the problem in a few words."""

    @property
    def is_alive(self) -> bool:
        """Whether the part runs."""

    def last_lines(self) -> list[str]:
        """Return the end of the part's log."""


class Server(ABC):
    """A child process that serves on a port; subclasses give the command and a check whether it answers."""

    name: str

    def __init__(self, home: Home, command: list[str], environment: dict[str, str]) -> None:
        log = home.logs / f"{self.name}.log"
        self._child = Child(self.name, command, log, environment, record=home.record_of(self.name))

    def start(self) -> None:
        """Start the server, and return when it answers. Raises CommandError with its last log lines."""
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
        """The file of the server's output; each start begins a new one."""
        return self._child.log

    def _stranger(self) -> str | None:
        """Return the problem if another program answered in place of this server; None if this one did."""
        with suppress(psutil.Error):
            if any(
                connection.status == psutil.CONN_LISTEN
                for connection in psutil.Process(self._child.pid).net_connections("tcp")
            ):
                return None
        return "another program answers on its port"

    def stop(self) -> None:
        """Stop the server; do nothing if it does not run."""
        self._child.stop()

    @abstractmethod
    def check(self) -> str | None:
        """Send the server a request; return None if it answers, else the problem."""

    @property
    def is_alive(self) -> bool:
        """Whether the server's process runs."""
        return self._child.is_alive

    def last_lines(self) -> list[str]:
        """Return the last ten lines of the server's log."""
        return self._child.last_lines(10)


class Follower(ABC):
    """A thread of the stack's own process that follows files; subclasses say what it does until `_stopping` is set."""

    name: str

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to follow."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._follow, name=self.name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop; do nothing if it does not run."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def check(self) -> str | None:
        """Return None: what cannot be read now is read later."""
        return None

    def last_lines(self) -> list[str]:
        """Return no lines: it has no log."""
        return []

    @abstractmethod
    def _follow(self) -> None:
        """Work until `_stopping` is set."""


def problem_of(ask: Callable[[], object], *errors: type[Exception]) -> str | None:
    """Call `ask`; return None if it succeeds, else the first line of the error. Only `errors` are caught."""
    try:
        ask()
    except errors as error:
        return next(iter(str(error).splitlines()), type(error).__name__)
    return None
