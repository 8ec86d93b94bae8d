"""Reads raw objects as they are stored: key and bytes, one by one or in batches."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from analysis.raw.partitions import Folder, hour_prefixes
from analysis.raw.source import OnUnreadable, Source, open_source
from command_line.progress import progress

__all__ = ["Batch", "batches", "day_batches", "objects_below", "objects_of", "read_objects"]

# Keys and bodies.
Batch: TypeAlias = tuple[Sequence[str], Sequence[bytes]]

# The greatest batch, in objects and in bytes: raw bytes are kept only until they are rows.
BATCH_OBJECTS = 8192
BATCH_BYTES = 32 * 1024 * 1024
HOURS = 24  # whose objects are listed at once
STEP = 100  # of the progress bar


def read_objects(
    source: str | Path, start: datetime, end: datetime, *, on_unreadable: OnUnreadable | None = None
) -> Iterator[tuple[str, bytes]]:
    """Read the key and the stored bytes of each object of the hours in UTC that cover a span.

    Arguments and errors are as in `read_events`. `on_unreadable` is called with key and reason of each object that may
    not be read. Without it, that is an error.
    """
    return objects_of(open_source(source, on_unreadable), hour_prefixes(start, end))


def objects_of(source: Source, prefixes: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Read the key and the stored bytes of each object below some prefixes of an open source."""
    with progress("listing hours", len(prefixes)) as advance:
        folders: list[Folder] = []
        for found in source.folders(prefixes):
            folders += found
            advance(1)
    with progress("reading objects", sum(len(folder.names) for folder in folders)) as advance:
        for number, each in enumerate(source.read(folders), 1):
            yield each
            if number % STEP == 0:
                advance(STEP)


def objects_below(source: Source, prefixes: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Do as `objects_of`, without a bar."""
    return source.read([folder for found in source.folders(prefixes) for folder in found])


def day_batches(source: Source, prefixes: Sequence[str]) -> Iterator[Batch]:
    """Read the objects of hours in batches. No more keys than those of a day are in memory at once."""
    with progress("reading hours", len(prefixes)) as advance:
        for first in range(0, len(prefixes), HOURS):
            day = prefixes[first : first + HOURS]
            yield from batches(objects_below(source, day))
            advance(len(day))


def batches(objects: Iterable[tuple[str, bytes]]) -> Iterator[Batch]:
    """Group objects into batches that are small enough for memory."""
    keys: list[str] = []
    bodies: list[bytes] = []
    size = 0
    for key, body in objects:
        keys.append(key)
        bodies.append(body)
        size += len(body)
        if len(keys) == BATCH_OBJECTS or size >= BATCH_BYTES:
            yield keys, bodies
            keys, bodies, size = [], [], 0
    if keys:
        yield keys, bodies
