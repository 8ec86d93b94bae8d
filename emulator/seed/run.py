"""One run: writes a store's history and its answers, and loads it if there is a warehouse."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.progress import Progress

from command_line.errors import CommandError
from command_line.printable import printable
from command_line.progress import new_progress
from emulator.seed.answers.document import write_answers
from emulator.seed.answers.tally import Tally
from emulator.seed.clock import iso
from emulator.seed.load import Loaded, load
from emulator.seed.processes import Mapping, mapping
from emulator.seed.shards import Shard, answer_lines, shards, write_shard
from emulator.seed.store import Store

__all__ = ["SeedReport", "run"]

MOST_PROCESSES = 8
FEW_PARTS = 10
# Login states and clocks, in parts of about equal work.
CHOICES: tuple[tuple[tuple[str | None, str], ...], ...] = (
    ((None, "received"),),
    (("logged_in", "received"), ("anonymous", "received")),
    ((None, "occurred"),),
)


@dataclass(frozen=True)
class SeedReport:
    """What was written, where, and in how many seconds; `loaded` is None without a warehouse."""

    store: Store
    directory: Path
    answers: Path
    tally: Tally
    loaded: Loaded | None
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """For machines to read."""
        store = self.store
        return {
            "directory": str(self.directory),
            "answers": str(self.answers),
            "start": iso(store.start),
            "end": iso(store.end),
            **self.tally.numbers(),
            "faults": self.tally.faults.total(),
            "loaded": None if self.loaded is None else self.loaded._asdict(),
            "seconds": round(self.seconds, 1),
        }

    def as_text(self) -> str:
        """For people to read."""
        numbers, store = self.tally.numbers(), self.store
        directory = printable(str(self.directory))
        lines = [
            f"{numbers['objects']:,} objects in {directory}, from {iso(store.start)} to {iso(store.end)}",
            *(f"  {numbers[kind]:,} {kind}" for kind in ("rows", "duplicates", "rejects")),
            f"  {self.tally.faults.total():,} faults and oddities were planted",
            f"The answers are in {printable(str(self.answers))}",
        ]
        if self.loaded is not None:
            lines.append(f"The warehouse has {self.loaded.rows:,} more rows and {self.loaded.rejects:,} more rejects")
        return "\n".join(lines)


def run(
    store: Store,
    directory: Path,
    answers: Path,
    dw_url: str | None,
    console: Console,
    zone: str = "UTC",
    price_decimals: int = 0,
) -> SeedReport:
    """Write the history below `directory` and the answers to a file; load it where there is a URL of a warehouse.

    The answers count hours, days and weeks of the time zone. `price_decimals` says how many decimals the prices of the
    warehouse keep.

    Raises CommandError if files cannot be written, or if the warehouse fails.
    """
    started = time.monotonic()
    with TemporaryDirectory(prefix="clickstream-seed-") as folder, new_progress(console) as progress:
        parts = shards(store, directory, Path(folder))
        with mapping(_processes(len(parts))) as each, _writing(directory):
            tally = _write(parts, each, progress)
            write_answers(answers, store, tally, zone, _answers(parts, zone, each, progress))
            loaded = None if dw_url is None else load(dw_url, directory, tally.hours, each, progress, price_decimals)
    return SeedReport(store, directory, answers, tally, loaded, time.monotonic() - started)


def _write(parts: list[Shard], each: Mapping, progress: Progress) -> Tally:
    tally = Tally()
    for part in progress.track(each(write_shard, parts), len(parts), description="writing"):
        tally.merge(part)
    return tally


def _answers(parts: list[Shard], zone: str, each: Mapping, progress: Progress) -> Iterator[str]:
    answer = partial(answer_lines, [part.records for part in parts], zone)
    for lines in progress.track(each(answer, CHOICES), len(CHOICES), description="answers"):
        yield from lines


def _processes(parts: int) -> int:
    """As many as there are cores for this process, but none for what one does sooner than others start."""
    return min(os.cpu_count() or 1, MOST_PROCESSES) if parts > FEW_PARTS else 1


@contextmanager
def _writing(directory: Path) -> Iterator[None]:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise CommandError(f"cannot write {error.filename or directory}: {error.strerror}") from error
