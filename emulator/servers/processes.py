"""Child processes of the local stack: starts them with a log, stops them reliably, finds them again after a crash."""

import json
import os
import pwd
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGTERM, Signals
from typing import NamedTuple

import psutil

from command_line.errors import CommandError

__all__ = ["Child", "User", "is_live", "stop_orphan", "wait_until"]

TAIL_BYTES = 64 * 1024
POLL_SECONDS = 0.05
CLOCK_TICK = 0.02


class User(NamedTuple):
    """An operating-system user to run a child process as; only root can do that."""

    uid: int
    gid: int
    name: str

    @classmethod
    def of(cls, entry: pwd.struct_passwd) -> "User":
        """Make the user of an entry of the password database."""
        return cls(entry.pw_uid, entry.pw_gid, entry.pw_name)


@dataclass(eq=False)
class Child:
    """One child process, in its own session so that Ctrl-C reaches only the supervisor.

    Attributes:
        name: Its name in messages.
        command: Program and arguments.
        log: File of its output.
        env: Its environment; None: the environment of this process.
        user: User to run it as; None: the user of this process.
        cwd: Its working directory; None: that of this process.
        record: File in which `start` notes the process, so that `stop_orphan` finds it in a later run.
    """

    name: str
    command: Sequence[str | Path]
    log: Path
    env: Mapping[str, str] | None = None
    user: User | None = None
    cwd: Path | None = None
    record: Path | None = None
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    def start(self) -> None:
        """Start the program; do nothing while it is running. The log of the last start is kept as `<log>.1`.

        Raises:
            CommandError: The program is missing or cannot run, or the log or the record cannot be written.
        """
        if self.is_alive:
            return
        try:
            self._rotate()
            self._process = self._spawn()
            self._write_record()
        except OSError as error:
            self.stop()
            culprit = error.filename or os.fspath(self.command[0])
            raise CommandError(f"cannot start {self.name}: {culprit}: {error.strerror}") from error

    def stop(self, first_signal: Signals = SIGTERM, timeout: float = 10, then: Sequence[Signals] = ()) -> None:
        """Send signals until the process ends, then reap it.

        Args:
            first_signal: The first signal.
            timeout: Seconds to wait after each signal.
            then: Signals to send after the first; SIGKILL is always the last.

        Raises:
            CommandError: Even SIGKILL does not end the process.
        """
        if self._process is None:
            return
        if not any(self._ends_on(number, timeout) for number in (first_signal, *then, SIGKILL)):
            raise CommandError(f"{self.name} (process {self.pid}) does not end, even on SIGKILL")
        if self.record is not None:
            self.record.unlink(missing_ok=True)

    @property
    def is_alive(self) -> bool:
        """Whether the process has started and not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The process id of the last start; None before the first."""
        return None if self._process is None else self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code of the process, negative for a signal; None before the start and while it runs."""
        return None if self._process is None else self._process.poll()

    def last_lines(self, n: int = 20) -> list[str]:
        """Return the last `n` lines of the log; an empty list if there is no log."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - TAIL_BYTES))
                return file.read().decode(errors="replace").splitlines()[-n:] if n > 0 else []
        except OSError:
            return []

    def _rotate(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            self.log.replace(self.log.with_name(f"{self.log.name}.1"))

    def _spawn(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.env,
                cwd=self.cwd,
                close_fds=True,
                start_new_session=True,
                user=self.user.uid if self.user else None,
                group=self.user.gid if self.user else None,
                extra_groups=[] if self.user else None,  # else the child would keep root's groups
            )

    def _write_record(self) -> None:
        if self.record is not None and self._process is not None:
            identity = _Identity.of(psutil.Process(self._process.pid))
            self.record.parent.mkdir(parents=True, exist_ok=True)
            partial = self.record.with_name(f"{self.record.name}.partial")
            partial.write_text(json.dumps(identity._asdict()))
            partial.replace(self.record)

    def _ends_on(self, number: Signals, timeout: float) -> bool:
        assert self._process is not None  # noqa: S101 - the type checker cannot see that stop() asked
        self._process.send_signal(number)
        # A frozen process takes the signal only then; and one whose children are frozen would wait for them.
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self._process.pid).children(recursive=True):
                with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                    child.send_signal(SIGCONT)
        self._process.send_signal(SIGCONT)
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True


class _Identity(NamedTuple):
    """The identity of a process, which tells it from a later process with the same pid."""

    pid: int
    create_time: float
    boot_time: float

    @classmethod
    def of(cls, process: psutil.Process) -> "_Identity":
        return cls(process.pid, process.create_time(), psutil.boot_time())

    def is_same(self, other: "_Identity") -> bool:
        # Clock adjustments move the boot time, and Linux derives creation times from it; the difference stays.
        wall = abs(self.create_time - other.create_time)
        uptime = abs((self.create_time - self.boot_time) - (other.create_time - other.boot_time))
        return self.pid == other.pid and min(wall, uptime) < CLOCK_TICK


def stop_orphan(record: Path, timeout: float = 10) -> bool:
    """Stop the process that an earlier run left behind, with SIGTERM and then SIGKILL.

    Another process that has got the same pid since is left alone.

    Args:
        record: The record that `Child.start` wrote.
        timeout: Seconds to wait after each signal.

    Returns:
        Whether such a process was running.

    Raises:
        CommandError: The process cannot be stopped.
    """
    process = _recorded(record)
    try:
        stopped = process is None or any(_ends_on(process, number, timeout) for number in (SIGTERM, SIGKILL))
    except psutil.AccessDenied as error:
        raise CommandError(f"process {error.pid} of an earlier run belongs to another user: stop it first") from error
    if not stopped:
        raise CommandError(f"a process of an earlier run does not end, even on SIGKILL: {record} names it")
    record.unlink(missing_ok=True)
    return process is not None


def is_live(process: psutil.Process) -> bool:
    """Return whether the process still runs; a zombie, which only waits for its parent, does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until(condition: Callable[[], bool], timeout: float) -> bool:
    """Wait at most `timeout` seconds for the condition, and return whether it was met."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _recorded(record: Path) -> psutil.Process | None:
    """Return the live process that the record names; None if it has ended."""
    try:
        identity = _Identity(**json.loads(record.read_text()))
        process = psutil.Process(identity.pid)
        return process if is_live(process) and identity.is_same(_Identity.of(process)) else None
    except (OSError, ValueError, TypeError, psutil.NoSuchProcess):
        return None


def _ends_on(process: psutil.Process, number: Signals, timeout: float) -> bool:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)
        process.send_signal(SIGCONT)  # as above
    return wait_until(lambda: not is_live(process), timeout)
