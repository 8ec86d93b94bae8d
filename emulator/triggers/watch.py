"""S3 triggers: every object that appears in the bucket's directory is delivered to the projector, at least once.

The watcher is quick, but can miss files in directories just created; the sweep finds whatever it missed, and offers
again what failed. Nothing depends on the watcher but speed.
"""

import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from watchfiles import Change, watch

from chalicelib.keys import PREFIX, SUFFIX
from emulator.servers.s3 import UPLOAD
from emulator.triggers.deliver import Deliveries, Observer
from emulator.triggers.notification import File
from emulator.triggers.queue import TriggerFaults

__all__ = ["Triggers"]

SWEEP_SECONDS = 2.0
SWEEP_PAUSE = 9  # times as long as the sweep before it took
MOST_PAUSE_SECONDS = 10.0
STOP_SECONDS = 3
# A directory's time is too coarse to trust just after a change: another file may follow within the same tick.
SETTLED_NANOSECONDS = 2_000_000_000
CHUNK = 1000
# Short times, since a shopper's click should be a row within a second.
WATCH: dict[str, Any] = {"watch_filter": None, "step": 10, "debounce": 100, "ignore_permission_denied": True}
# While one waits for the warehouse to write to disk, the other reads the next object; more would only fight for the
# interpreter.
DELIVERERS = 2


class _Listing(NamedTuple):
    """What a directory held when it was last swept."""

    changed: int
    folders: list[str]


class Triggers:
    """Watches one bucket's directory and delivers its objects, until stopped; a part of the stack.

    `project` is the projector Lambda. `known` answers which of some objects the warehouse knows already: the sweep
    asks it about every object that was not delivered since the start. `observer` is told what becomes of each.
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
        self._above = f"{directory}{os.sep}"
        self._known = known
        self._deliveries = Deliveries(directory.name, project, lambda key: (directory / key).exists(), observer)
        self._stopping = threading.Event()
        self._sweeping = threading.Lock()
        self._swept: dict[str, _Listing] = {}
        self._sweep_error: str | None = None
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start delivering, watching and sweeping; the first sweep compares what is there with the warehouse."""
        self._stopping.clear()
        for target in (*[self._deliver] * DELIVERERS, self._watch, self._sweep):
            thread = threading.Thread(target=target, name=target.__name__.strip("_"), daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Finish the delivery under way, and stop; what still waits is found again at the next start."""
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

    def check(self) -> str | None:
        """Whether objects reach the warehouse: None, or what failed last."""
        return self._sweep_error or self._deliveries.last_error

    def last_lines(self) -> list[str]:
        """What failed last."""
        problem = self.check()
        return [] if problem is None else [problem]

    def sweep(self) -> None:
        """Offer every object that is neither delivered nor waiting nor known to the warehouse, and what failed."""
        try:
            with self._sweeping:
                for files in self._changed(str(self._directory / PREFIX)):
                    new = [file for file in files if self._deliveries.is_new(file)]
                    for start in range(0, len(new), CHUNK):
                        chunk = new[start : start + CHUNK]
                        self._deliveries.mark_done(self._known(chunk))
                        self._deliveries.offer(chunk)
        finally:
            self._deliveries.offer_failed()

    def misbehave(self, faults: TriggerFaults) -> None:
        """Deliver with these faults from now on."""
        self._deliveries.misbehave(faults)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Deliver nothing while the block runs, and know no object at its end. Raises CommandError."""
        with self._deliveries.held():
            yield
        # A sweep under way may have listed what has just been forgotten: from here on, all is listed anew.
        with self._sweeping:
            self._swept.clear()

    def _deliver(self) -> None:
        self._deliveries.run(self._stopping)

    def _watch(self) -> None:
        while not self._stopping.is_set():
            try:
                for changes in watch(self._directory, **WATCH, stop_event=self._stopping):
                    paths = {Path(name) for change, name in changes if change is not Change.deleted}
                    self._deliveries.offer(file for path in paths for file in self._files(path))
            except Exception as error:  # noqa: BLE001  # such as too many watches: the sweep does without
                with suppress(OSError, ValueError):  # a closed terminal
                    print(f"projector: watching failed, objects wait for the sweep: {error}", flush=True)
                self._stopping.wait(SWEEP_SECONDS)

    def _sweep(self) -> None:
        due = 0.0
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                if began >= due:
                    self.sweep()
                    self._sweep_error = None
                    # With a hundred thousand objects in an hour it takes long, and keeps the deliveries waiting.
                    ended = time.monotonic()
                    due = ended + min(SWEEP_PAUSE * (ended - began), MOST_PAUSE_SECONDS)
                else:
                    self._deliveries.offer_failed()  # what failed is not to wait for that
            except Exception as error:  # noqa: BLE001  # the warehouse may be away: the next sweep finds the same
                self._sweep_error = f"sweep: {error or type(error).__name__}"
            self._stopping.wait(SWEEP_SECONDS)

    def _changed(self, directory: str) -> Iterator[list[File]]:
        """The objects of each directory, from `directory` down, that changed since it was last swept."""
        listing = self._swept.get(directory)
        try:
            changed = os.stat(directory).st_mtime_ns
            is_new = listing is None or listing.changed != changed
            # Asked before listing: whatever comes afterwards must find the directory changed.
            is_settled = time.time_ns() - changed > SETTLED_NANOSECONDS
            entries = list(os.scandir(directory)) if is_new else []
        except OSError:
            return  # gone, or closed to us: its neighbours are not to wait for it
        if listing is None or is_new:
            listing = _Listing(changed, sorted(entry.path for entry in entries if entry.is_dir(follow_symlinks=False)))
            yield [file for entry in entries for file in self._file(entry.path)]
            if is_settled:
                self._swept[directory] = listing
        for folder in listing.folders:
            yield from self._changed(folder)

    def _files(self, path: Path) -> Iterator[File]:
        """The object at a path; at a directory, all below it, since events in a new one may have been missed."""
        if path.is_dir():
            for folder, _, names in os.walk(path):
                for name in names:
                    yield from self._file(os.path.join(folder, name))
        else:
            yield from self._file(str(path))

    def _file(self, path: str) -> Iterator[File]:
        """The object at a path; nothing if S3 would send no notification for it."""
        key = path.removeprefix(self._above)  # quicker than relpath, by most of the time that a sweep takes
        if not key.startswith(PREFIX) or not key.endswith(SUFFIX) or f"/{UPLOAD}" in key:
            return
        try:
            key.encode()
            status = os.stat(path)
        except (OSError, UnicodeEncodeError):
            return  # gone, closed to us, or with a name that no S3 key can have
        if stat.S_ISREG(status.st_mode):
            # The time of change, not of modification: a copy may keep the latter.
            yield File(key, status.st_size, status.st_ctime_ns)
