"""Reads refused requests from the log of ingest while it is written, since nothing of them is stored."""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from emulator.servers.part import Follower
from emulator.traces.traces import Traces

__all__ = ["Refusals"]

POLL_SECONDS = 0.1
FIRST_REFUSAL = 300


class Refusals(Follower):
    """Follows the log of ingest, and adds every refusal to `traces`; a part.

    Each start begins the log anew, and `Logs` empties it when it is long.
    """

    name = "refusal log"

    def __init__(self, log: Path, traces: Traces) -> None:
        super().__init__()
        self._log = log
        self._traces = traces

    def _follow(self) -> None:
        for line in self._lines():
            fields = _fields(line)
            status = fields.get("status")
            if fields.get("component") == "ingest" and isinstance(status, int) and status >= FIRST_REFUSAL:
                self._traces.refused(status, str(fields.get("error")))

    def _lines(self) -> Iterator[bytes]:
        """Yield every complete line as soon as it is written."""
        while not self._stopping.is_set():
            try:
                with self._log.open("rb") as file:
                    yield from self._lines_of(file)
            except OSError:
                self._stopping.wait(POLL_SECONDS)

    def _lines_of(self, file: BinaryIO) -> Iterator[bytes]:
        """Yield the lines of one log until another one replaces it."""
        part = b""
        while True:
            is_current = self._is_current(file)  # asked before reading, so that a replaced log is read to its end
            for line in chain(self._moved(file), file):
                part += line
                if part.endswith(b"\n"):
                    yield part
                    part = b""
            if not is_current or self._stopping.wait(POLL_SECONDS):
                return

    def _moved(self, file: BinaryIO) -> Iterator[bytes]:
        """Yield the unread lines of a log that was emptied, from `<log>.1`, and go to the log's beginning."""
        position = file.tell()
        if os.fstat(file.fileno()).st_size >= position:
            return
        with suppress(OSError), self._log.with_name(f"{self._log.name}.1").open("rb") as earlier:
            earlier.seek(position)
            yield from earlier
        file.seek(0)

    def _is_current(self, file: BinaryIO) -> bool:
        with suppress(OSError):
            return os.path.samestat(os.fstat(file.fileno()), self._log.stat())
        return False


def _fields(line: bytes) -> dict[str, Any]:
    """Return the fields of a structured log line; an empty dict for any other line."""
    try:
        fields = json.loads(line)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}
