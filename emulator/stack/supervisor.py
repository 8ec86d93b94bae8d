"""The supervisor: starts the parts in order, restarts a part that dies or does not answer, and stops all of them."""

import signal
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from types import FrameType

from command_line.errors import CommandError
from emulator.servers.part import Part
from emulator.servers.postgres.data import reason

__all__ = ["Supervisor", "back_off", "handlers_kept", "ignore_signals", "interruptible"]

POLL_SECONDS = 0.5
MAX_RESTARTS = 5
RESTART_WINDOW_SECONDS = 60
MOST_BACK_OFF_SECONDS = 15.0
# A part under heavy load, or a frozen one that goes on, may miss some checks.
CHECK_SECONDS = 5.0
SILENT_SECONDS = 15.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass
class _Watch:
    """How one part is supervised, and how it has fared."""

    is_vital: bool
    must_answer: bool
    lock: Lock = field(default_factory=Lock)  # held while the part is started, stopped or checked
    restarts: deque[float] = field(default_factory=deque)  # times of the last ones
    next_try: float = 0.0
    next_check: float = 0.0
    silent_since: float | None = None
    problem: str | None = None  # why the part does not run


class Supervisor:
    """Runs parts, in the order of `add`, until interrupted; `report` shows one line to the user."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self.parts: list[Part] = []
        self.down: set[str] = set()  # names of the parts that `take_down` stopped
        self._report = report
        self._watches: dict[str, _Watch] = {}
        self._stopping = Event()
        self._hopeless: SimpleQueue[CommandError] = SimpleQueue()

    def add(self, part: Part, *, is_vital: bool = True, must_answer: bool = False) -> None:
        """Start one more part, and supervise it from now on. Raises CommandError if it does not start.

        Args:
            part: The part.
            is_vital: Whether `run` ends when the part cannot be kept running; if not, it is tried again for ever.
            must_answer: Whether to restart the part if it runs, but does not answer for SILENT_SECONDS.
        """
        self.parts.append(part)
        self._watches[part.name] = _Watch(is_vital, must_answer)
        part.start()
        self._report(f"{part.name} is up")

    def run(self) -> None:
        """Restart every part that dies, for ever. Raises CommandError when a vital part dies too often."""
        for part in self.parts:
            # One thread each, since the start of one part may take minutes, and another may die meanwhile.
            Thread(target=self._keep, args=(part,), name=f"supervisor of {part.name}", daemon=True).start()
        while True:
            # A signal that comes just before a wait without a time limit would wait as well.
            with suppress(Empty):
                raise self._hopeless.get(timeout=POLL_SECONDS)

    def problem(self, part: Part) -> str | None:
        """Return why a part does not run; None if it runs."""
        if part.name in self.down:
            return "switched off"
        return None if part.is_alive else self._watches[part.name].problem or "not running"

    def take_down(self, name: str) -> None:
        """Stop one part, and do not restart it until `bring_up`. Raises CommandError if it does not stop."""
        with self._watches[name].lock:
            self._part(name).stop()
            self.down.add(name)
            self._report(f"{name} is switched off")

    def bring_up(self, name: str) -> None:
        """Start a part that was taken down, and supervise it again. Raises CommandError if it does not start."""
        with self._watches[name].lock:
            self._part(name).start()
            self.down.discard(name)
            self._report(f"{name} is switched on again")

    def stop(self) -> None:
        """Stop every part, the last one first; report a part that does not stop, and go on with the others."""
        self._stopping.set()
        for part in reversed(self.parts):
            lock = self._watches[part.name].lock
            while not lock.acquire(timeout=POLL_SECONDS):
                self._stop(part)  # what a restart has started by now, so that the restart ends
            try:
                self._stop(part)
            finally:
                lock.release()
        self.parts.clear()

    def _stop(self, part: Part) -> None:
        try:
            part.stop()
        except Exception as error:  # noqa: BLE001  # after any error, the other parts still have to be stopped
            self._report(f"{part.name} did not stop: {error}")

    def _part(self, name: str) -> Part:
        return next(part for part in self.parts if part.name == name)

    def _keep(self, part: Part) -> None:
        watch = self._watches[part.name]
        try:
            while not self._stopping.wait(POLL_SECONDS):
                with watch.lock:
                    if part.name in self.down or self._stopping.is_set():
                        watch.silent_since = None
                    elif not part.is_alive:
                        self._restart(part, watch, "died")
                    elif watch.must_answer and _is_silent(part, watch):
                        self._restart(part, watch, "does not answer")
        except CommandError as error:
            self._hopeless.put(error)

    def _restart(self, part: Part, watch: _Watch, why: str) -> None:
        now = time.monotonic()
        if now < watch.next_try:
            return
        while watch.restarts and now - watch.restarts[0] > RESTART_WINDOW_SECONDS:
            watch.restarts.popleft()
        lines = part.last_lines()
        tail = "\n".join(lines)
        if watch.is_vital and len(watch.restarts) >= MAX_RESTARTS:
            raise CommandError(f"{part.name} has died {MAX_RESTARTS + 1} times in a minute; its last lines:\n{tail}")
        watch.restarts.append(now)
        watch.silent_since = None
        self._report(f"{part.name} {why} and is started again; its last lines:\n{tail}")
        watch.problem = f"it {why}: {reason(lines)}"
        try:
            part.stop()
            part.start()
        except (CommandError, OSError) as error:
            watch.problem = str(error)
            self._report(f"{part.name} did not start: {error}")
        else:
            self._report(f"{part.name} runs again")
        if not watch.is_vital:
            watch.next_try = time.monotonic() + back_off(len(watch.restarts))


def back_off(restarts: int) -> float:
    """Return how many seconds after its last restart a part may be restarted again, after so many in a minute."""
    return min(2.0 ** (restarts - 1), MOST_BACK_OFF_SECONDS)


def _is_silent(part: Part, watch: _Watch) -> bool:
    """Check a part if it is time for that; return whether it has not answered for SILENT_SECONDS."""
    began = time.monotonic()
    if began < watch.next_check:
        return False
    watch.next_check = began + CHECK_SECONDS
    if part.check() is None:
        watch.silent_since = None
    elif watch.silent_since is None:
        watch.silent_since = began  # it was silent during the check, too, which may take seconds
    return watch.silent_since is not None and time.monotonic() - watch.silent_since >= SILENT_SECONDS


@contextmanager
def interruptible() -> Iterator[None]:
    """End the block without an error on Ctrl-C, SIGTERM or SIGHUP; not on a SIGHUP that `nohup` lets it ignore."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        # A second signal, as a closing terminal sends it, must not interrupt the shutdown.
        ignore_signals()
        raise KeyboardInterrupt

    # SIGINT even if it was ignored: a shell lets its background processes ignore it.
    for number in SIGNALS:
        if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, interrupt)
    with suppress(KeyboardInterrupt):
        yield


@contextmanager
def handlers_kept() -> Iterator[None]:
    """Set the handlers of these signals back at the end of the block: its caller's other work needs them."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ignore_signals() -> None:
    """Ignore Ctrl-C, SIGTERM and SIGHUP from now on, so that they do not interrupt the shutdown."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
