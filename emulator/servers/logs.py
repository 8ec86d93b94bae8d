"""Keeps the logs of a running stack small: moves the content of a long log to `<log>.1`."""

import shutil
from contextlib import suppress
from pathlib import Path

from emulator.servers.part import Follower

__all__ = ["MOST_BYTES", "Logs"]

MOST_BYTES = 10_000_000
POLL_SECONDS = 1.0


class Logs(Follower):
    """Watches the size of every log in a directory; a part.

    A server keeps its log open, and always writes at its end. So the content is copied, and the same file emptied.
    """

    name = "logs"

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self._directory = directory

    def _follow(self) -> None:
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
