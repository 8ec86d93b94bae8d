"""Keeps the logs of a running stack small: moves the content of a long log to `<log>.1`."""

import shutil
import threading
from contextlib import suppress
from pathlib import Path

__all__ = ["MOST_BYTES", "Logs"]

MOST_BYTES = 10_000_000
POLL_SECONDS = 1.0


class Logs:
    """Watches the size of every log in a directory; a part.

    A server keeps its log open, and always writes at its end. So the content is copied, and the same file emptied.
    """

    name = "logs"

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to watch."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._watch, name=self.name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    @property
    def is_alive(self) -> bool:
        """Whether it watches."""
        return self._thread is not None and self._thread.is_alive()

    def check(self) -> str | None:
        """Return None: a log that cannot be moved only stays long."""
        return None

    def last_lines(self) -> list[str]:
        """Return no lines: it has no log."""
        return []

    def _watch(self) -> None:
        while not self._stopping.wait(POLL_SECONDS):
            for log in self._directory.glob("*.log"):
                with suppress(OSError):  # such as a full disk, on which no log grows either
                    if log.stat().st_size > MOST_BYTES:
                        _move(log)


def _move(log: Path) -> None:
    earlier = log.with_name(f"{log.name}.1")
    partial = earlier.with_name(f"{earlier.name}.partial")
    try:
        with log.open("r+b") as file, partial.open("wb") as copy:
            shutil.copyfileobj(file, copy)
            copy.flush()
            partial.replace(earlier)
            shutil.copyfileobj(file, copy)  # what was written meanwhile
            file.truncate(0)
    finally:
        partial.unlink(missing_ok=True)
