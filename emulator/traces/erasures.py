"""Lets the traces forget people as soon as they are erased, whoever runs `python -m analysis erase`, and wherever."""

from contextlib import suppress
from pathlib import Path

from analysis.errors import AnalysisError
from analysis.raw.source import open_source
from analysis.raw.tombstones import read_tombstones
from emulator.servers.part import Follower
from emulator.traces.traces import Traces

__all__ = ["Erasures"]

POLL_SECONDS = 1.0


class Erasures(Follower):
    """Follows the tombstones in the bucket's directory; a part."""

    name = "erasures"

    def __init__(self, bucket: Path, traces: Traces) -> None:
        super().__init__()
        self._bucket = bucket
        self._traces = traces

    def start(self) -> None:
        """Read the tombstones once, and then follow them."""
        self._read()
        super().start()

    def _follow(self) -> None:
        while not self._stopping.wait(POLL_SECONDS):
            self._read()

    def _read(self) -> None:
        with suppress(AnalysisError):  # until they can be read again, the tombstones of the last time hold
            self._traces.forget(read_tombstones(open_source(self._bucket)))
