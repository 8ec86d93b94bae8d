"""Lets the traces forget people as soon as they are erased, whoever runs `python -m analysis erase`, and wherever."""

import threading
from contextlib import suppress
from pathlib import Path

from analysis.errors import AnalysisError
from analysis.raw.source import open_source
from analysis.raw.tombstones import read_tombstones
from emulator.traces.traces import Traces

__all__ = ["Erasures"]

POLL_SECONDS = 1.0


class Erasures:
    """Follows the tombstones in the bucket's directory; a part."""

    name = "erasures"

    def __init__(self, bucket: Path, traces: Traces) -> None:
        self._bucket = bucket
        self._traces = traces
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Read the tombstones once, and then follow them."""
        self._stopping.clear()
        self._read()
        self._thread = threading.Thread(target=self._follow, name=self.name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop reading."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    @property
    def is_alive(self) -> bool:
        """Whether it reads."""
        return self._thread is not None and self._thread.is_alive()

    def check(self) -> str | None:
        """Return None: `validate` says what is wrong with tombstones."""
        return None

    def last_lines(self) -> list[str]:
        """Return no lines: it has no log."""
        return []

    def _follow(self) -> None:
        while not self._stopping.wait(POLL_SECONDS):
            self._read()

    def _read(self) -> None:
        with suppress(AnalysisError):  # until they can be read again, the tombstones of the last time hold
            self._traces.forget(read_tombstones(open_source(self._bucket)))
