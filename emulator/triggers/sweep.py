"""The sweep: finds every stored object that still has to be delivered, whatever the watcher missed."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from chalicelib.keys import PREFIX
from emulator.triggers.deliver import Deliveries
from emulator.triggers.notification import File, object_at

__all__ = ["SWEEP_SECONDS", "Sweep"]

SWEEP_SECONDS = 2.0
SWEEP_PAUSE = 9  # times as long as the sweep before it took
MOST_PAUSE_SECONDS = 10.0
# A directory's time is too coarse to trust just after a change: another file may follow within the same tick.
SETTLED_NANOSECONDS = 2_000_000_000
CHUNK = 1000


class _Listing(NamedTuple):
    """A directory as it was last swept: its time of change and its subdirectories, the newest hour first."""

    changed: int
    folders: list[str]


class Sweep:
    """Offers the objects of one bucket's directory to `deliveries`, again and again.

    Args:
        bucket: The bucket's directory.
        known: Returns which of the given objects the warehouse knows already. The sweep asks it about every object
            that was not delivered since the start.
        deliveries: Delivers what is offered.
    """

    def __init__(self, bucket: Path, known: Callable[[list[File]], list[File]], deliveries: Deliveries) -> None:
        self._bucket = str(bucket)
        self._known = known
        self._deliveries = deliveries
        self._lock = threading.Lock()
        self._swept: dict[str, _Listing] = {}
        self.last_error: str | None = None  # why the last sweep of `run` failed

    def run(self, stopping: threading.Event) -> None:
        """Sweep every SWEEP_SECONDS until `stopping` is set."""
        due = 0.0
        while not stopping.is_set():
            began = time.monotonic()
            try:
                if began >= due:
                    self.once()
                    self.last_error = None
                    # With 100,000 objects in an hour a sweep takes long, and keeps the deliveries waiting.
                    ended = time.monotonic()
                    due = ended + min(SWEEP_PAUSE * (ended - began), MOST_PAUSE_SECONDS)
            except Exception as error:  # noqa: BLE001  # the warehouse may be away: the next sweep finds the same
                self.last_error = f"sweep: {error or type(error).__name__}"
            stopping.wait(SWEEP_SECONDS)

    def once(self) -> None:
        """Offer every object that is not delivered, not waiting and not in the warehouse; the newest hour first."""
        with self._lock:
            for files in self._changed(os.path.join(self._bucket, PREFIX)):
                new = [file for file in files if self._deliveries.is_new(file)]
                for start in range(0, len(new), CHUNK):
                    chunk = new[start : start + CHUNK]
                    self._deliveries.mark_done(self._known(chunk))
                    self._deliveries.offer(chunk)

    def forget(self) -> None:
        """List every directory anew in the next sweep; waits for a sweep under way."""
        with self._lock:
            self._swept.clear()

    def _changed(self, directory: str) -> Iterator[list[File]]:
        """Yield the objects of each directory, from `directory` down, that changed since it was last swept."""
        listing = self._swept.get(directory)
        try:
            changed = os.stat(directory).st_mtime_ns
            is_new = listing is None or listing.changed != changed
            # Asked before listing: whatever comes afterwards must find the directory changed.
            is_settled = time.time_ns() - changed > SETTLED_NANOSECONDS
            entries = list(os.scandir(directory)) if is_new else []
        except OSError:
            return  # deleted or not readable: the sweep goes on with the other directories
        if listing is None or is_new:
            folders = sorted((entry.path for entry in entries if entry.is_dir(follow_symlinks=False)), reverse=True)
            listing = _Listing(changed, folders)
            files = (object_at(self._bucket, entry.path) for entry in entries)
            yield [file for file in files if file is not None]
            if is_settled:
                self._swept[directory] = listing
        for folder in listing.folders:
            yield from self._changed(folder)
