"""Reads an event log from beginning to end: one event, or one malformed line, per physical line."""

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
    """One line as an event: `payload` is ready for JSON, `size` the line's bytes."""

    size: int
    event_id: UUID
    payload: dict[str, Any]

    @property
    def name(self) -> str:
        """The event's name in the contract."""
        return str(self.payload["eventName"])


@dataclass(frozen=True, slots=True)
class Malformed:
    """One line that is no event, and why, in printable ASCII; `size` is the line's bytes, the header is line 1."""

    size: int
    line_number: int
    reason: str


def read_log(file: BinaryIO) -> Iterator[Event | Malformed]:
    """Check the header now, then give exactly one outcome per physical line, in order, as the file is read.

    Memory grows by one id per distinct line. Raises CommandError if the header is not the format's.
    """
    header, _ = next(_lines(file), (b"", 0))
    if header.removeprefix(b"\xef\xbb\xbf") != HEADER.encode():
        raise CommandError(f"not a REES46 event log: its first line must be {HEADER}")
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
    """Each line without its ending, and its size with it; what is over-long is cut to just over the bound."""
    while line := file.readline(MAX_LINE_BYTES + 2):
        size, tail = len(line), line
        while not tail.endswith(b"\n") and (tail := file.readline(MAX_LINE_BYTES)):
            size += len(tail)
        yield line.removesuffix(b"\n").removesuffix(b"\r"), size


def _event_id(line: bytes, seen: Counter[UUID]) -> UUID:
    """The id of the line's text and of how often that text came before: the same for every replay of the file."""
    text_id = uuid5(_NAMESPACE, line.decode())
    seen[text_id] += 1
    return uuid5(text_id, str(seen[text_id]))
