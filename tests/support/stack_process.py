"""A whole stack in a child process, started as a user would, for the tests."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import psutil
import psycopg
from click.testing import CliRunner

from command_line.home import BUCKET, Home, Stack
from emulator.commands.reset import reset_command
from emulator.servers.ports import free_ports

__all__ = ["NO_STACK", "ROOT", "StackProcess", "emulator", "wait_for"]

ROOT = Path(__file__).parents[2]
START_SECONDS = 90
# The record of a stack that does not run.
NO_STACK = Stack(
    web_url="http://127.0.0.1:8080",
    ingest_url="http://127.0.0.1:8000",
    s3_url="http://127.0.0.1:9000",
    dw_url="postgresql://nobody@127.0.0.1:1/nowhere",
    is_own_dw=True,
    bucket=BUCKET,
    access_key="key",
    secret_key="secret",
)


def wait_for(question: Callable[[], object], seconds: float = 30) -> None:
    """Ask until the answer is true; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def emulator(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run one command of the emulator to its end."""
    command = [sys.executable, "-m", "emulator", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False, **options)


class StackProcess:
    """One `python -m emulator up` on a home of its own."""

    def __init__(self, home: Path, *more: str, **environment: str) -> None:
        self.home = Home(home)
        self._more = more
        self.ports = free_ports(3)
        self._environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DW_", "PG"))
        }
        self._environment |= environment
        self._log = home.parent / f"{home.name[:50]}.up.log"
        self._stdout = self._log.with_suffix(".stdout") if "--headless" in more else self._log
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def options(self) -> list[str | Path]:
        web, ingest, s3 = map(str, self.ports)
        return ["--home", self.home.path, "--web-port", web, "--ingest-port", ingest, "--s3-port", s3, *self._more]

    @property
    def stack(self) -> Stack:
        return self.home.read_stack()

    @property
    def bucket(self) -> Path:
        return self.home.s3 / BUCKET

    def start(self) -> "StackProcess":
        """Start it, and return when every part answers."""
        command = [sys.executable, "-m", "emulator", "up", *map(str, self.options)]
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._stdout.open("ab") as out, self._log.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=log, env=self._environment)
        wait_for(lambda: self._is_up() or self._has_ended(), START_SECONDS)
        assert not self._has_ended(), self.output()
        return self

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it with a signal; its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(60)

    def clean_up(self) -> None:
        """End it, whatever state it is in, and delete what it has stored, inside its home and elsewhere."""
        if not self._has_ended():
            self.stop()
        CliRunner().invoke(reset_command, ["--home", str(self.home.path), "--yes"])

    def tree(self) -> list[psutil.Process]:
        """Every process of the stack, the supervisor first."""
        assert self.process is not None
        supervisor = psutil.Process(self.process.pid)
        return [supervisor, *supervisor.children(recursive=True)]

    def kill_all(self) -> None:
        """`kill -9` every process at once."""
        processes = self.tree()
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        assert self.process is not None
        self.process.wait(30)
        psutil.wait_procs(processes, 30)

    def output(self) -> str:
        """Everything it printed so far; of a headless one, what went to stderr."""
        return self._log.read_text()

    def stdout(self) -> str:
        """What went to stdout."""
        return self._stdout.read_text()

    def health(self) -> dict[str, Any]:
        health: dict[str, Any] = httpx2.get(f"http://127.0.0.1:{self.ports[0]}/api/health", timeout=10).json()
        return health

    def post(self, body: bytes | str, content_type: str | None = "application/json") -> httpx2.Response:
        headers = {} if content_type is None else {"Content-Type": content_type}
        return httpx2.post(self.stack.endpoint, content=body, headers=headers, timeout=30)

    def ask(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Ask the warehouse; nothing while it has no table."""
        with psycopg.connect(self.stack.dw_url, autocommit=True) as connection:
            try:
                return connection.execute(query, parameters).fetchall()
            except psycopg.errors.UndefinedTable:
                return []

    def event_ids(self) -> list[str]:
        """The ids of all rows."""
        return [str(event_id) for (event_id,) in self.ask("SELECT event_id FROM clickstream_events")]

    def raw_keys(self) -> set[str]:
        """The keys of all raw objects, read from disk; what the reconciler remembers is no raw object."""
        keys = {str(path.relative_to(self.bucket)) for path in self.bucket.rglob("*.json")}
        return {key for key in keys if not key.startswith("reconciler/")}

    def wait_for_rows(self, event_ids: Iterable[str], seconds: float = 30) -> None:
        """Wait until the warehouse has all of them."""
        wanted = set(event_ids)
        wait_for(lambda: wanted <= set(self.event_ids()), seconds)

    def _is_up(self) -> bool:
        with suppress(httpx2.HTTPError, ValueError):
            ready = re.search(r"^(The stack is up|ready )", self.stdout(), re.MULTILINE)
            return bool(self.health()["healthy"]) and bool(ready)
        return False

    def _has_ended(self) -> bool:
        return self.process is None or self.process.poll() is not None
