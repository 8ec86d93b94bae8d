"""Works on shards of shoppers: writes their objects, and keeps their records for the answers."""

import errno
import os
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from emulator.seed.answers.document import as_line
from emulator.seed.answers.metrics import answers
from emulator.seed.answers.occurrence import occurrences
from emulator.seed.answers.tally import Tally
from emulator.seed.record import Record, record_of
from emulator.seed.store import Store
from emulator.servers.s3 import UPLOAD

__all__ = ["Shard", "answer_lines", "read_records", "shards", "write_shard"]

SHOPPERS = 50


@dataclass(frozen=True)
class Shard:
    """Some shoppers of a store, by number; `directory` gets their objects, the file `records` their records."""

    store: Store
    shoppers: range
    directory: Path
    records: Path


def shards(store: Store, directory: Path, folder: Path) -> list[Shard]:
    """Split the shoppers of a store into shards; `directory` gets their objects, `folder` their records."""
    starts = range(0, store.shoppers, SHOPPERS)
    return [
        Shard(store, range(start, min(start + SHOPPERS, store.shoppers)), directory, folder / f"{start}.records")
        for start in starts
    ]


def write_shard(shard: Shard) -> Tally:
    """Write the objects and records of one shard. Raises OSError."""
    tally, files = Tally(), _ObjectFiles(shard.directory)
    records: list[Record] = []
    for number in shard.shoppers:
        history, fault = shard.store.history(number)
        for key, body in history.objects():
            files.write(key, body)
        occurred = occurrences(history.events)
        received = (*history.events, *history.copies)
        records += [record_of(event, occurred[event.payload["eventId"]]) for event in received]
        tally.count(history, fault.__name__ if fault else None)
    with shard.records.open("wb") as file:
        pickle.dump(records, file)
    return tally


def answer_lines(paths: Sequence[Path], zone: str, choices: Sequence[tuple[str | None, str]]) -> list[str]:
    """Return every answer over the records of all shards as lines of JSON, for each choice of login state and clock."""
    records = list(read_records(paths))
    return [as_line(answer) for state, clock in choices for answer in answers(records, state, zone, clock)]


def read_records(paths: Sequence[Path]) -> Iterator[Record]:
    """Read the records that `write_shard` wrote into files."""
    for path in paths:
        with path.open("rb") as file:
            yield from pickle.load(file)  # noqa: S301  # written above, in a private directory


class _ObjectFiles:
    """Writes the objects of one bucket's directory; a watcher sees each file complete or not at all."""

    def __init__(self, directory: Path) -> None:
        self._directory = str(directory)
        self._folders: set[str] = set()

    def write(self, key: str, body: bytes) -> None:
        """Write one object, and replace an older one of that key. Raises OSError."""
        folder, _, name = f"{self._directory}/{key}".rpartition("/")
        if folder not in self._folders:
            os.makedirs(folder, exist_ok=True)
            self._folders.add(folder)
        partial = f"{folder}/{UPLOAD}{name}"
        file = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        try:
            if os.write(file, body) != len(body):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), partial)
        finally:
            os.close(file)
        os.replace(partial, f"{folder}/{name}")
