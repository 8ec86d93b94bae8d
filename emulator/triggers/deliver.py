"""Delivers offered objects to the projector, and keeps those whose delivery failed until they are offered again."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from emulator.triggers.notification import File, object_created
from emulator.triggers.queue import DeliveryQueue, TriggerFaults

__all__ = ["Deliveries", "Observer"]

PAUSE_SECONDS = 0.5


class Observer(Protocol):
    """Is told about each step of each object; several threads call it."""

    def stored(self, file: File) -> None:
        """Note that the object is stored, and will be delivered."""

    def delivered(self, file: File) -> None:
        """Note that the projector gets the object now."""

    def projected(self, file: File, outcome: str, reason: str | None) -> None:
        """Note the projector's outcome for the object, or `failed`, and the reason."""


class Deliveries:
    """Delivers each offered object to the projector as an S3 notification; a failed one waits to be offered again.

    Args:
        bucket: Name of the bucket.
        project: The projector Lambda. It returns the outcome of every object, and raises if the notification has to
            be delivered again.
        exists: Tells whether a file of this key is on disk, for objects that the S3 server does not see yet.
        observer: Is told about each step of each object.
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
        self._failed: dict[str, tuple[File, str]] = {}  # with the reason
        self._done: dict[str, int] = {}

    @property
    def last_error(self) -> str | None:
        """The reason of the latest failed delivery; None if no failed delivery waits for a retry."""
        with self._lock:
            return next((error for _, error in reversed(self._failed.values())), None)

    @property
    def pending(self) -> int:
        """How many objects wait, including failed deliveries."""
        return len(self._pending) + len(self._failed)

    def is_new(self, file: File) -> bool:
        """Return whether this version of the object is neither waiting nor delivered."""
        waiting = self._pending.get(file.key)
        return self._done.get(file.key) != file.changed and (waiting is None or waiting.changed != file.changed)

    def offer(self, files: Iterable[File]) -> None:
        """Queue the new objects among these."""
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
        """Queue the failed deliveries once more."""
        with self._lock:
            failed = [file for file, _ in self._failed.values()]
        self.offer(failed)

    def mark_done(self, files: Iterable[File]) -> None:
        """Note that the warehouse knows these objects already."""
        with self._lock:
            for file in files:
                self._done[file.key] = file.changed
                self._failed.pop(file.key, None)

    def run(self, stopping: threading.Event) -> None:
        """Deliver until `stopping` is set; call `wake` once for each thread that runs this."""
        while not stopping.is_set():
            file = self._queue.get()
            if file is None:
                continue
            try:
                is_delivered = self._deliver(file)
            finally:
                self._queue.done()
            if not is_delivered:
                # Whatever is down needs time to recover; a thousand failures a second would only fill the log.
                stopping.wait(PAUSE_SECONDS)

    def wake(self) -> None:
        """Wake one thread in `run`, so that it sees that `stopping` is set."""
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
            # The cause is the reason; the exception around it only counts the failed objects.
            outcome, error = {}, str(raised.__cause__ or raised) or type(raised).__name__
        with self._lock:
            self._pending.pop(file.key, None)
            if error is None:
                self._done[file.key] = file.changed
                self._failed.pop(file.key, None)
            elif self._done.get(file.key) != file.changed:  # otherwise a second delivery failed, which is harmless
                self._failed[file.key] = file, error
        if self._observer:
            self._observer.projected(
                file, outcome["outcome"] if error is None else "failed", error or outcome.get("reason")
            )
        return error is None

    def _error(self, outcome: dict[str, Any]) -> str | None:
        """Return why the object has to be delivered again; None if it has not.

        The S3 server may not see a file that was put on disk by hand for a second; the projector then says `gone`.
        """
        if outcome["outcome"] == "gone" and self._exists(outcome["key"]):
            return f"the S3 server does not see {outcome['key']} yet"
        return None
