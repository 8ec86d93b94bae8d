"""Reads an event log from beginning to end: each physical line is one event or one malformed line."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO
from uuid import NAMESPACE_URL, UUID, uuid5

from command_line.errors import CommandError
from emulator.replay.rees46 import HEADER, MAX_LINE_BYTES, payload

__all__ = ["Event", "Malformed", "read_log"]

_NAMESPACE = uuid5(NAMESPACE_URL, "rees46-event-log")


@dataclass(frozen=True, slots=True)
class Event:
    """One line as an event; `payload` is ready for JSON, `size` is the line's length in bytes."""

    size: int
    event_id: UUID
    payload: dict[str, Any]

    @property
    def name(self) -> str:
        """The event's name in the contract."""
        return str(self.payload["eventName"])


@dataclass(frozen=True, slots=True)
class Malformed:
    """One line that is not a valid event.

    Attributes:
        size: Length of the line in bytes.
        line_number: Number of the line; the header is line 1.
        reason: Why the line is malformed, in printable ASCII.
    """

    size: int
    line_number: int
    reason: str


def read_log(file: BinaryIO) -> Iterator[Event | Malformed]:
    """Check the header at once, and return an iterator that reads the file line by line.

    Memory grows by one id per distinct line.

    Returns:
        One event or malformed line for each physical line after the header, in order.

    Raises:
        CommandError: The header is not that of the REES46 format.
    """
    header, _ = next(_lines(file), (b"", 0))
    if header.removeprefix(b"\xef\xbb\xbf") != HEADER.encode():
        raise CommandError(f"the file is not a REES46 event log: its first line must be {HEADER}")
    return _outcomes(file)


def _outcomes(file: BinaryIO) -> Iterator[Event | Malformed]:
    seen: Counter[UUID] = Counter()
    for number, (line, size) in enumerate(_lines(file), start=2):
        try:
            members = payload(line)
        except ValueError as error:
            yield Malformed(size, number, str(error))
        else:
            event_id = _event_id(line, seen)
            yield Event(size, event_id, {"eventId": str(event_id), **members})


def _lines(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Yield each line without its ending, and its size with the ending; cut a line to just over MAX_LINE_BYTES."""
    while line := file.readline(MAX_LINE_BYTES + 2):
        size, tail = len(line), line
        while not tail.endswith(b"\n") and (tail := file.readline(MAX_LINE_BYTES)):
            size += len(tail)
        yield line.removesuffix(b"\n").removesuffix(b"\r"), size


def _event_id(line: bytes, seen: Counter[UUID]) -> UUID:
    """Derive an id from the line's text and its number of earlier occurrences, so that every replay gives the same."""
    text_id = uuid5(_NAMESPACE, line.decode())
    seen[text_id] += 1
    return uuid5(text_id, str(seen[text_id]))
