"""Delivers offered objects to the projector, several at once, and delivers those again whose delivery failed."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

from emulator.triggers.notification import File, objects_created
from emulator.triggers.queue import Delivery, DeliveryQueue, TriggerFaults

__all__ = ["BATCH", "Deliveries", "Observer"]

# More objects in one notification share a transaction, and so a wait for the disk. A new event may have to wait for a
# whole batch of a backlog, so one should take less than a second.
BATCH = 100
# Whatever is down needs time to recover; a thousand failures a second would only fill the log.
PAUSE_SECONDS = 0.5
# The wait for the next try doubles with each failure: of an object that is refused, up to a minute. An object that only
# met a warehouse that is down is tried again soon.
FIRST_SECONDS = 0.5
MOST_SECONDS = 60.0
MOST_SECONDS_DOWN = 2.0
# Kinds of errors that are not the object's fault; see `chalicelib.errors`.
DOWN = ("WarehouseUnavailable", "CredentialsUnavailable")


class _Failure(NamedTuple):
    """A failed delivery: its object, how many of its deliveries failed, and the reason of the last failure."""

    file: File
    tries: int
    reason: str
    refused: bool


class Observer(Protocol):
    """Is told about each step of each object; several threads call it."""

    def stored(self, file: File) -> None:
        """Note that the object is stored, and will be delivered."""

    def delivered(self, file: File) -> None:
        """Note that the projector gets the object now."""

    def projected(self, file: File, outcome: str, reason: str | None) -> None:
        """Note the projector's outcome for the object, or `failed`, and the reason."""


class Deliveries:
    """Delivers each offered object to the projector as an S3 notification; a failed one again, later and later.

    An object that the warehouse refuses waits longer after each try, and stands back behind new objects. While the
    warehouse is down, one object at a time tries whether it is back.

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
        self._failed: dict[str, _Failure] = {}
        self._done: dict[str, int] = {}
        self._is_down = False

    @property
    def problem(self) -> str | None:
        """How many objects have failed, and the reason of the latest failure; None if none of them has."""
        with self._lock:
            count, last = len(self._failed), next(reversed(self._failed.values()), None)
        if last is None:
            return None
        return last.reason if count == 1 else f"{count:,} objects failed, and are tried again; the last: {last.reason}"

    @property
    def pending(self) -> int:
        """How many objects wait, including failed deliveries."""
        return len(self._pending) + len(self._failed)

    @property
    def failing(self) -> int:
        """How many objects wait whose delivery failed."""
        return len(self._failed)

    def is_new(self, file: File) -> bool:
        """Return whether this version of the object is neither waiting nor delivered."""
        waiting, failed = self._pending.get(file.key), self._failed.get(file.key)
        versions = (self._done.get(file.key), waiting and waiting.changed, failed and failed.file.changed)
        return file.changed not in versions

    def offer(self, files: Iterable[File]) -> None:
        """Queue the new objects among these."""
        for file in files:
            with self._lock:
                if not self.is_new(file):
                    continue
                self._failed.pop(file.key, None)
                self._pending[file.key] = file
            if self._observer:
                self._observer.stored(file)
            self._queue.put(Delivery(file))

    def mark_done(self, files: Iterable[File]) -> None:
        """Note that the warehouse knows these objects already."""
        with self._lock:
            for file in files:
                self._done[file.key] = file.changed
                self._failed.pop(file.key, None)

    def run(self, stopping: threading.Event) -> None:
        """Deliver until `stopping` is set; call `wake` once for each thread that runs this."""
        while not stopping.is_set():
            deliveries = self._queue.get(1 if self._is_down else BATCH)
            if not deliveries:
                continue
            try:
                self._deliver([delivery for delivery in deliveries if self._is_due(delivery)])
            finally:
                self._queue.done(deliveries)

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
                self._pending.clear()
                self._failed.clear()
                self._done.clear()

    def _is_due(self, delivery: Delivery) -> bool:
        """Return whether a delivery is a first one, or the next one of an object that still waits for it."""
        failure = self._failed.get(delivery.file.key)
        return not delivery.tries or (failure is not None and failure[:2] == delivery[:2])

    def _deliver(self, deliveries: Sequence[Delivery]) -> None:
        if not deliveries:
            return
        for delivery in deliveries:
            if self._observer:
                self._observer.delivered(delivery.file)
        outcomes = self._outcomes([delivery.file for delivery in deliveries])
        recovered = set()
        for delivery, outcome in zip(deliveries, outcomes, strict=True):
            error = self._error(outcome)
            if error is None:
                recovered.add(self._succeeded(delivery))
            else:
                self._fail(delivery, error, is_down=outcome.get("kind") in DOWN)
            if self._observer:
                state = outcome["outcome"] if error is None else "failed"
                self._observer.projected(delivery.file, state, error or outcome.get("reason"))
        self._hurry(recovered - {None})

    def _outcomes(self, files: Sequence[File]) -> Sequence[Mapping[str, Any]]:
        """Deliver objects in one notification, and return the outcome of each; if it fails as a whole, one by one."""
        try:
            return self._project(objects_created(self._bucket, files))
        except Exception as raised:  # noqa: BLE001  # as Lambda does: whatever the function raises means "retry"
            outcomes: Sequence[Mapping[str, Any]] = getattr(raised, "outcomes", ())
            if len(outcomes) == len(files):
                return outcomes
            if len(files) > 1:
                return [outcome for file in files for outcome in self._outcomes([file])]
            return [{"outcome": "failed", "error": str(raised.__cause__ or raised) or type(raised).__name__}]

    def _error(self, outcome: Mapping[str, Any]) -> str | None:
        """Return why the object has to be delivered again; None if it has not.

        The S3 server may not see a file that was put on disk by hand for a second; the projector then says `gone`.
        """
        if outcome["outcome"] == "failed":
            return str(outcome["error"])
        if outcome["outcome"] == "gone" and self._exists(outcome["key"]):
            return f"the S3 server does not see {outcome['key']} yet"
        return None

    def _succeeded(self, delivery: Delivery) -> str | None:
        """Note that an object is projected; return the reason for which it was refused before, if it was."""
        self._is_down = False
        with self._lock:
            self._pending.pop(delivery.file.key, None)
            self._done[delivery.file.key] = delivery.file.changed
            failure = self._failed.pop(delivery.file.key, None)
        return failure.reason if failure is not None and failure.refused else None

    def _fail(self, delivery: Delivery, reason: str, *, is_down: bool) -> None:
        """Note that an object failed, and queue its next delivery; none if another delivery of it did that already."""
        file, tries = delivery.file, delivery.tries + 1
        if is_down:
            self._is_down = True
            self._queue.pause(PAUSE_SECONDS)
        with self._lock:
            self._pending.pop(file.key, None)
            known = self._failed.get(file.key)
            if self._done.get(file.key) == file.changed:
                return  # a second delivery failed, which is harmless
            if known is not None and known.file == file and known.tries >= tries:
                return
            self._failed.pop(file.key, None)  # the latest failure is last
            self._failed[file.key] = _Failure(file, tries, reason, refused=not is_down)
        most = MOST_SECONDS_DOWN if is_down else MOST_SECONDS
        delay = min(FIRST_SECONDS * 2.0 ** min(delivery.tries, 16), most)
        self._queue.put(Delivery(file, tries, refused=not is_down), delay)

    def _hurry(self, reasons: Iterable[str | None]) -> None:
        """Deliver at once what was refused for one of these reasons, which is gone by now, such as a constraint."""
        for reason in reasons:
            with self._lock:
                failures = [each for each in self._failed.values() if each.refused and each.reason == reason]
                for each in failures:
                    self._failed[each.file.key] = each._replace(tries=each.tries + 1)
            for each in failures:
                self._queue.put(Delivery(each.file, each.tries + 1, refused=True))
