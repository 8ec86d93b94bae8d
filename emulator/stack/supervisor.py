"""The whole stack: starts every part in order, restarts one that dies, and stops all of them."""

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
    """Runs parts, in the order of `add`, until interrupted; `report` takes one line for the user to read."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self.parts: list[Part] = []
        self.down: set[str] = set()  # those that are stopped on purpose
        self._lock = RLock()
        self._report = report
        self._restarts: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=MAX_RESTARTS))

    def add(self, part: Part) -> None:
        """Start one more part, and keep it running from now on. Raises CommandError if it does not start."""
        self.parts.append(part)
        part.start()
        self._report(f"{part.name} is up")

    def run(self) -> None:
        """Watch over the parts for ever. Raises CommandError when one cannot be kept running."""
        while True:
            time.sleep(POLL_SECONDS)
            for part in self.parts:
                with self._lock:
                    if part.name not in self.down and not part.is_alive:
                        self._restart(part)

    def take_down(self, name: str) -> None:
        """Stop one part, and leave it stopped until `bring_up`. Raises CommandError if it does not stop."""
        with self._lock:
            self._part(name).stop()
            self.down.add(name)
            self._report(f"{name} is switched off")

    def bring_up(self, name: str) -> None:
        """Start a part that was taken down, and keep it running again. Raises CommandError if it does not start."""
        with self._lock:
            self._part(name).start()
            self.down.discard(name)
            self._report(f"{name} is switched on again")

    def stop(self) -> None:
        """Stop every part, the last first; one that does not stop is reported, and does not keep the others."""
        for part in reversed(self.parts):
            try:
                part.stop()
            except Exception as error:  # noqa: BLE001  # whatever it is, the others have to be stopped too
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
    """Let Ctrl-C, SIGTERM and SIGHUP end the block, without an error."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        # A second signal, such as a closing terminal sends, must not interrupt the stopping.
        ignore_signals()
        raise KeyboardInterrupt

    # SIGINT as well: what a shell starts in the background inherits that it is ignored.
    for number in SIGNALS:
        signal.signal(number, interrupt)
    with suppress(KeyboardInterrupt):
        yield


def ignore_signals() -> None:
    """From here on, Ctrl-C and its like do nothing: what is being stopped is stopped in order."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
