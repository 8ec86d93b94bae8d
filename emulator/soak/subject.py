"""The stack under test: separate processes, which can be killed, frozen and started again."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from signal import SIGKILL, Signals
from typing import Any

import httpx2
import psutil

from command_line.errors import CommandError
from command_line.home import BUCKET, Home, Stack
from emulator.servers.processes import is_live, wait_until
from emulator.soak.clock import Clock
from emulator.soak.disks import SmallDisk

__all__ = ["PARTS", "STOP_SECONDS", "Subject"]

START_SECONDS = 120
HEALTHY_SECONDS = 600  # the projector may have a backlog
STOP_SECONDS = 180  # on a machine that is busy with other work, too
# No file is written straight to disk here, and an hour's directory may hold 100,000 objects.
S3_CACHE = "30"
ROOT = Path(__file__).parents[2]
# A word in the command line of each part's process.
PARTS = {"ingest": "emulator.servers.chalice_local", "s3": "rclone", "warehouse": "postgres"}


class Subject:
    """One `python -m emulator up --headless` on a home and three ports (page, ingest, S3).

    `disks` holds the small disks of its parts; see `emulator.soak.disks`.
    """

    def __init__(
        self,
        home: Home,
        ports: tuple[int, ...],
        s3_cache: str = S3_CACHE,
        disks: Mapping[str, SmallDisk] | None = None,
    ) -> None:
        self.home = home
        self.disks = disks or {}
        self._s3_cache = s3_cache
        self._web, self._ingest, self._s3 = map(str, ports)
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = home.path / "ready.txt"
        self._log = home.path / "up.log"
        self.clock = Clock(home.path.parent / "clock")
        self.starts = 0
        # What the faults notice: the soak fails if there is any.
        self.problems: list[str] = []
        self.erased: set[str] = set()  # ids of events that have to be nowhere at the end

    @property
    def stack(self) -> Stack:
        """The addresses of its parts."""
        return self.home.read_stack()

    @property
    def bucket(self) -> Path:
        """The directory of its raw bucket."""
        return self.home.s3 / BUCKET

    @property
    def web_port(self) -> int:
        """The port of the page's API."""
        return int(self._web)

    def command(self, home: Path) -> list[str]:
        """Return the command that starts a stack on a home, with the ports of this one."""
        ports = ["--web-port", self._web, "--ingest-port", self._ingest, "--s3-port", self._s3]
        options = ["--headless", "--s3-cache", self._s3_cache, "--home", str(home)]
        return [sys.executable, "-m", "emulator", "up", *options, *ports]

    def start(self, *, can_jump: bool = False) -> None:
        """Start the stack, also after a crash, and return when it is ready.

        Args:
            can_jump: Whether the library of clocks is loaded before its programs; see `clock_that_jumps`.

        Raises:
            CommandError: The stack does not start.
        """
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DW_", "PG"))}
        environment = inherited | (self.clock.environment() if can_jump else {})
        with self._ready.open("wb") as ready, self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(self.home.path),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=ready,
                stderr=log,
                env=environment,
            )
        self.starts += 1
        is_over = wait_until(lambda: bool(self._ready.read_bytes()) or not self.is_alive, START_SECONDS)
        if not is_over or not self.is_alive:
            raise CommandError(f"the stack does not start; its last lines:\n{self._tail()}")

    def stop(self) -> None:
        """Stop the stack in order, or by force if that takes too long."""
        if self._process is not None and self.is_alive:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
        self.kill(self.processes())

    @contextmanager
    def clock_that_jumps(self) -> Iterator[Clock]:
        """Restart the stack in order, with a clock that can jump while the block runs; set it right at the end.

        It is restarted without the library then: under load, threads of one process wait for each other in it, until
        the projector is slower than the events come. Raises CommandError.
        """
        self.stop()
        self.start(can_jump=True)
        try:
            with self.clock.stack_shifted() as clock:
                yield clock
        finally:
            self.stop()
            self.start()

    @property
    def is_alive(self) -> bool:
        """Whether its supervisor runs."""
        return self._process is not None and self._process.poll() is None

    def is_healthy(self) -> bool:
        """Return whether every part is healthy."""
        with suppress(httpx2.HTTPError):
            return httpx2.get(f"{self._api}/health", timeout=10, trust_env=False).status_code == 200
        return False

    @property
    def pending(self) -> int:
        """The number of objects that wait for the projector, as the stack reports it."""
        return int(self._projector()["pending"])

    @property
    def failing(self) -> int:
        """How many of them the projector has failed to project."""
        return int(self._projector()["failing"])

    def recover(self) -> None:
        """Wait until every part is healthy; start the stack again if it has ended. Raises CommandError."""

        def is_well() -> bool:
            if not self.is_alive:
                self.start()
            return self.is_healthy()

        if not wait_until(is_well, HEALTHY_SECONDS):
            raise CommandError(f"the stack does not recover; its last lines:\n{self._tail()}")

    def supervisor(self) -> psutil.Process:
        """Return the process that supervises all parts, and in which the projector runs."""
        assert self._process is not None  # noqa: S101  # it was started
        return psutil.Process(self._process.pid)

    def processes(self) -> list[psutil.Process]:
        """Return every running process of the stack, the supervisor first."""
        with suppress(psutil.NoSuchProcess, AssertionError):
            return [self.supervisor(), *self.supervisor().children(recursive=True)]
        return []

    def part(self, name: str) -> list[psutil.Process]:
        """Return the processes of one part, the parent of the others first; an empty list while it is down."""
        for child in self.supervisor().children():
            with suppress(psutil.NoSuchProcess):
                if PARTS[name] in " ".join(child.cmdline()):
                    return [child, *child.children(recursive=True)]
        return []

    def kill(self, processes: list[psutil.Process]) -> None:
        """Send SIGKILL to the processes, and wait until they have ended."""
        self.signal(SIGKILL, processes)
        self.have_ended(processes)

    @staticmethod
    def signal(number: Signals, processes: list[psutil.Process]) -> None:
        """Send a signal to the processes, in this order."""
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    @staticmethod
    def have_ended(processes: list[psutil.Process]) -> bool:
        """Wait until the processes have ended, but not for ever, and return whether they have."""
        return wait_until(lambda: not any(map(is_live, processes)), STOP_SECONDS)

    @contextmanager
    def frozen(self, processes: list[psutil.Process]) -> Iterator[None]:
        """Suspend the processes while the block runs, so that they seem to hang."""
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.suspend()
        try:
            yield
        finally:
            for process in reversed(processes):
                with suppress(psutil.NoSuchProcess):
                    process.resume()

    @contextmanager
    def switched(self, *switches: str) -> Iterator[None]:
        """Switch these faults of the stack's API on while the block runs."""
        self._switch(dict.fromkeys(switches, True))
        try:
            yield
        finally:
            self._switch(dict.fromkeys(switches, False))

    def _projector(self) -> dict[str, Any]:
        health = httpx2.get(f"{self._api}/health", timeout=30, trust_env=False).json()
        return dict(health["parts"]["projector"])

    def _switch(self, switches: dict[str, bool]) -> None:
        body: dict[str, Any] = httpx2.put(f"{self._api}/faults", json=switches, timeout=60, trust_env=False).json()
        if not body.items() >= switches.items():
            raise CommandError(f"the stack does not switch {', '.join(switches)}: {body.get('message', body)}")

    @property
    def _api(self) -> str:
        return f"http://127.0.0.1:{self._web}/api"

    def _tail(self) -> str:
        with suppress(OSError):
            return "\n".join(self._log.read_text(errors="replace").splitlines()[-20:])
        return ""
