"""Deliveries: objects offered to the projector wait in a queue, are delivered, and kept if that fails."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from emulator.triggers.notification import File, object_created
from emulator.triggers.queue import DeliveryQueue, TriggerFaults

__all__ = ["Deliveries", "Observer"]

PAUSE_SECONDS = 0.5


class Observer(Protocol):
    """Whoever wants to know what becomes of each object; called by several threads."""

    def stored(self, file: File) -> None:
        """The object is there, and will be delivered."""

    def delivered(self, file: File) -> None:
        """The projector is given the object now."""

    def projected(self, file: File, outcome: str, reason: str | None) -> None:
        """What the projector made of it: one of its outcomes, or `failed`."""


class Deliveries:
    """Delivers each offered object to `project` as an S3 event; what fails waits until it is offered again.

    `project` is the projector Lambda: it returns the outcome of every object, and raises if it has to be retried.
    `exists` tells whether an object that S3 did not find is there all the same.
    """

    def __init__(
        self,
        bucket: str,
        project: Callable[[dict[str, Any]], list[dict[str, Any]]],
        exists: Callable[[str], bool],
        observer: Observer | None = None,
    ) -> None:
        self._bucket = bucket
        self._project = project
        self._exists = exists
        self._observer = observer
        self._lock = threading.Lock()
        self._queue = DeliveryQueue()
        self._pending: dict[str, File] = {}
        self._failed: dict[str, tuple[File, str]] = {}  # and why
        self._done: dict[str, int] = {}

    @property
    def last_error(self) -> str | None:
        """Why the object that failed last did; None if none waits to be tried again."""
        with self._lock:
            return next((error for _, error in reversed(self._failed.values())), None)

    @property
    def pending(self) -> int:
        """How many objects wait, those that failed included."""
        return len(self._pending) + len(self._failed)

    def is_new(self, file: File) -> bool:
        """Whether the object, as it is now, is neither waiting nor delivered."""
        waiting = self._pending.get(file.key)
        return self._done.get(file.key) != file.changed and (waiting is None or waiting.changed != file.changed)

    def offer(self, files: Iterable[File]) -> None:
        """Queue those that are new."""
        for file in files:
            with self._lock:
                if not self.is_new(file):
                    continue
                is_first = self._failed.pop(file.key, None) is None
                self._pending[file.key] = file
            if self._observer:
                self._observer.stored(file)
            self._queue.put(file, is_first=is_first)

    def offer_failed(self) -> None:
        """Queue once more what failed."""
        with self._lock:
            failed = [file for file, _ in self._failed.values()]
        self.offer(failed)

    def mark_done(self, files: Iterable[File]) -> None:
        """Note objects that the warehouse knows already."""
        with self._lock:
            for file in files:
                self._done[file.key] = file.changed
                self._failed.pop(file.key, None)

    def run(self, stopping: threading.Event) -> None:
        """Deliver until `stopping` is set and `wake` was called, once for each thread that runs this."""
        while not stopping.is_set():
            file = self._queue.get()
            if file is None:
                continue
            try:
                is_delivered = self._deliver(file)
            finally:
                self._queue.done()
            if not is_delivered:
                # Whatever is down needs a moment; a thousand failures a second would only fill the log.
                stopping.wait(PAUSE_SECONDS)

    def wake(self) -> None:
        """Let `run` look at `stopping`."""
        self._queue.wake()

    def misbehave(self, faults: TriggerFaults) -> None:
        """Deliver with these faults from now on."""
        self._queue.misbehave(faults)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Deliver nothing while the block runs, and forget every object at its end. Raises CommandError."""
        with self._queue.held():
            yield
            with self._lock:
                for known in (self._pending, self._failed, self._done):
                    known.clear()

    def _deliver(self, file: File) -> bool:
        if self._observer:
            self._observer.delivered(file)
        try:
            (outcome,) = self._project(object_created(self._bucket, file.key, file.size))
            error = self._error(outcome)
        except Exception as raised:  # noqa: BLE001  # as Lambda does: whatever the function raises means "retry"
            # The cause says what failed; around it, the function only says how many objects did.
            outcome, error = {}, str(raised.__cause__ or raised) or type(raised).__name__
        with self._lock:
            self._pending.pop(file.key, None)
            if error is None:
                self._done[file.key] = file.changed
                self._failed.pop(file.key, None)
            elif self._done.get(file.key) != file.changed:  # else only its second delivery failed
                self._failed[file.key] = file, error
        if self._observer:
            self._observer.projected(
                file, outcome["outcome"] if error is None else "failed", error or outcome.get("reason")
            )
        return error is None

    def _error(self, outcome: dict[str, Any]) -> str | None:
        """A file put on disk by hand is unknown to the S3 server for up to a second: no reason to pass it over."""
        if outcome["outcome"] == "gone" and self._exists(outcome["key"]):
            return f"the S3 server does not see {outcome['key']} yet"
        return None
