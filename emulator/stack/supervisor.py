"""The supervisor: starts the parts in order, restarts a part that dies, and stops all of them."""

import signal
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import RLock
from types import FrameType

from command_line.errors import CommandError
from emulator.servers.part import Part

__all__ = ["Supervisor", "ignore_signals", "interruptible"]

POLL_SECONDS = 0.5
MAX_RESTARTS = 5
RESTART_WINDOW_SECONDS = 60
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Supervisor:
    """Runs parts, in the order of `add`, until interrupted; `report` shows one line to the user."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self.parts: list[Part] = []
        self.down: set[str] = set()  # names of the parts that `take_down` stopped
        self._lock = RLock()
        self._report = report
        self._restarts: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=MAX_RESTARTS))

    def add(self, part: Part) -> None:
        """Start one more part, and supervise it from now on. Raises CommandError if it does not start."""
        self.parts.append(part)
        part.start()
        self._report(f"{part.name} is up")

    def run(self) -> None:
        """Restart every part that dies, for ever. Raises CommandError when a part dies too often."""
        while True:
            time.sleep(POLL_SECONDS)
            for part in self.parts:
                with self._lock:
                    if part.name not in self.down and not part.is_alive:
                        self._restart(part)

    def take_down(self, name: str) -> None:
        """Stop one part, and do not restart it until `bring_up`. Raises CommandError if it does not stop."""
        with self._lock:
            self._part(name).stop()
            self.down.add(name)
            self._report(f"{name} is switched off")

    def bring_up(self, name: str) -> None:
        """Start a part that was taken down, and supervise it again. Raises CommandError if it does not start."""
        with self._lock:
            self._part(name).start()
            self.down.discard(name)
            self._report(f"{name} is switched on again")

    def stop(self) -> None:
        """Stop every part, the last one first; report a part that does not stop, and go on with the others."""
        for part in reversed(self.parts):
            try:
                part.stop()
            except Exception as error:  # noqa: BLE001  # after any error, the other parts still have to be stopped
                self._report(f"{part.name} did not stop: {error}")
        self.parts.clear()

    def _part(self, name: str) -> Part:
        return next(part for part in self.parts if part.name == name)

    def _restart(self, part: Part) -> None:
        restarts = self._restarts[part.name]
        tail = "\n".join(part.last_lines())
        if len(restarts) == MAX_RESTARTS and time.monotonic() - restarts[0] < RESTART_WINDOW_SECONDS:
            raise CommandError(f"{part.name} has died {MAX_RESTARTS + 1} times in a minute; its last lines:\n{tail}")
        restarts.append(time.monotonic())
        self._report(f"{part.name} died and is started again; its last lines:\n{tail}")
        try:
            part.stop()
            part.start()
        except (CommandError, OSError) as error:
            self._report(f"{part.name} did not start: {error}")
        else:
            self._report(f"{part.name} runs again")


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


def ignore_signals() -> None:
    """Ignore Ctrl-C, SIGTERM and SIGHUP from now on, so that they do not interrupt the shutdown."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
