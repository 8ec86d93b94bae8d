"""The S3 trigger: delivers every object that appears in the bucket's directory to the projector, at least once.

The watcher is quick, but can miss files in directories just created. The sweep finds those. Without the watcher,
delivery would be slower but still complete.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from watchfiles import Change, watch

from emulator.triggers.deliver import Deliveries, Observer
from emulator.triggers.notification import File, object_at
from emulator.triggers.queue import TriggerFaults
from emulator.triggers.sweep import SWEEP_SECONDS, Sweep

__all__ = ["Triggers"]

STOP_SECONDS = 3
# Short times, since a shopper's click should be a row within a second.
WATCH: dict[str, Any] = {"watch_filter": None, "step": 10, "debounce": 100, "ignore_permission_denied": True}
NOT_UTF8 = "Unable to decode path"  # how the watcher refuses a file name that is not UTF-8
# While one waits for the warehouse to write to disk, the other reads the next object; more would only compete for the
# interpreter.
DELIVERERS = 2


class Triggers:
    """Watches one bucket's directory and delivers its objects until stopped; a part of the stack.

    Args:
        directory: The bucket's directory.
        project: The projector Lambda.
        known: Returns which of the given objects the warehouse knows already; see `Sweep`.
        observer: Is told the outcome of each object.
    """

    name = "projector"

    def __init__(
        self,
        directory: Path,
        project: Callable[[dict[str, Any]], list[dict[str, Any]]],
        known: Callable[[list[File]], list[File]],
        observer: Observer | None = None,
    ) -> None:
        self._directory = directory
        self._observer = observer
        self._deliveries = Deliveries(directory.name, project, lambda key: (directory / key).exists(), observer)
        self._sweeper = Sweep(directory, known, self._deliveries)
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start delivering, watching and sweeping; the first sweep compares the stored objects with the warehouse."""
        self._stopping.clear()
        for target in (*[self._deliver] * DELIVERERS, self._watch, self._sweep):
            thread = threading.Thread(target=target, name=target.__name__.strip("_"), daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Finish the delivery under way, and stop; the next start finds the objects that still wait."""
        self._stopping.set()
        for _ in range(DELIVERERS):
            self._deliveries.wake()
        deadline = time.monotonic() + STOP_SECONDS
        while self._threads:
            self._threads.pop().join(max(0, deadline - time.monotonic()))

    @property
    def is_alive(self) -> bool:
        """Whether all of its threads run."""
        return bool(self._threads) and all(thread.is_alive() for thread in self._threads)

    @property
    def pending(self) -> int:
        """How many objects wait to be projected."""
        return self._deliveries.pending

    @property
    def failing(self) -> int:
        """How many of them the projector has failed to project."""
        return self._deliveries.failing

    def check(self) -> str | None:
        """Return the last failure of the sweep or of a delivery; None if objects reach the warehouse."""
        return self._sweeper.last_error or self._deliveries.problem

    def last_lines(self) -> list[str]:
        """Return the last failure as a list of at most one line."""
        problem = self.check()
        return [] if problem is None else [problem]

    def sweep(self) -> None:
        """Sweep once, now."""
        self._sweeper.once()

    def projected(self, key: str, outcome: str) -> None:
        """Note that somebody else has given the projector an object, and what became of it."""
        file = object_at(str(self._directory), str(self._directory / key))
        if file is None or outcome not in ("projected", "rejected", "erased"):
            return  # a delivery of its own tells
        self._deliveries.mark_done([file])
        if self._observer:
            self._observer.projected(file, outcome, None)

    def misbehave(self, faults: TriggerFaults) -> None:
        """Deliver with these faults from now on."""
        self._deliveries.misbehave(faults)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Deliver nothing while the block runs, and forget every object at its end. Raises CommandError."""
        with self._deliveries.held():
            yield
        # A sweep under way may have listed objects that have just been forgotten: the next one lists all anew.
        self._sweeper.forget()

    def _deliver(self) -> None:
        self._deliveries.run(self._stopping)

    def _sweep(self) -> None:
        self._sweeper.run(self._stopping)

    def _watch(self) -> None:
        while not self._stopping.is_set():
            try:
                for changes in watch(self._directory, **WATCH, stop_event=self._stopping):
                    paths = {Path(name) for change, name in changes if change is not Change.deleted}
                    self._deliveries.offer(file for path in paths for file in self._files(path))
            except Exception as error:  # noqa: BLE001  # such as too many watches: the sweep still finds the objects
                if NOT_UTF8 in str(error):
                    continue  # no object has such a name, and the others shall not wait
                with suppress(OSError, ValueError):  # the terminal is closed
                    message = f"projector: watching failed, so objects wait for the sweep: {error}"
                    print(message, file=sys.stderr, flush=True)  # stdout of a headless stack is one line
                self._stopping.wait(SWEEP_SECONDS)

    def _files(self, path: Path) -> Iterator[File]:
        """Yield the object at a path; at a directory, all below it, since events in a new one may have been missed."""
        paths: Iterator[str] = iter([str(path)])
        if path.is_dir():
            paths = (os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names)
        for each in paths:
            file = object_at(str(self._directory), each)
            if file is not None:
                yield file
