"""Backfill from beginning to end: read hours of raw, make rows of them, put those into the warehouse that it lacks."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from analysis.errors import AnalysisError
from analysis.raw.source import Source, bucket_of, open_source
from analysis.raw.tombstones import read_tombstones
from analysis.repair.backfill.staging import Settled, Staging, staging
from analysis.rows.projection import Corrupt, Projection
from analysis.rows.reader import batches
from command_line.progress import progress

__all__ = ["Backfilled", "backfill"]

# So many pieces of work may wait for the warehouse, with their rows in memory.
WAITING = 3


@dataclass
class Backfilled:
    """What was seen and done: objects; of these, rows added, events known, of erased people, and rejects."""

    hours: int = 0
    objects: int = 0
    added: int = 0
    known: int = 0
    rejected: int = 0
    erased: int = 0
    recovered: int = 0

    def count(self, hour: Settled) -> None:
        """Add one hour. Of an event that is in raw twice, one object is a row, and the other is known."""
        self.hours += 1
        self.objects += hour.events + hour.rejected + hour.erased
        self.added += hour.added
        self.known += hour.events - hour.added
        self.rejected += hour.rejected
        self.erased += hour.erased
        self.recovered += hour.recovered


def backfill(
    source: str | Path, dw_url: str, prefixes: Sequence[str], *, dry_run: bool = False, rebuild: bool = False
) -> Backfilled:
    """Project the objects of some hours (`events/YYYY/MM/DD/HH/`, in order) that the warehouse has no row of.

    Safe beside the projector, and to be repeated: an hour is inserted as a whole, and what is known stays as it is. In
    memory are some batches of one hour's objects, however many there are. With `dry_run` it is only counted; `rebuild`
    insists on an empty table, so that of each event the first received becomes the row. Raises AnalysisError, which
    after the first hour says where to go on; so does an interrupt.
    """
    opened = open_source(source)
    done = Backfilled()
    try:
        erased = read_tombstones(opened)
        with staging(dw_url, bucket_of(source), erased, dry_run=dry_run, must_be_empty=rebuild) as warehouse:
            _run(opened, warehouse, prefixes, done)
    except AnalysisError as error:
        raise AnalysisError(f"{error}{_where(prefixes, done)}") from error
    except KeyboardInterrupt:
        raise AnalysisError(f"stopped{_where(prefixes, done)}") from None
    return done


def _run(source: Source, warehouse: Staging, prefixes: Sequence[str], done: Backfilled) -> None:
    """Read in this thread while another waits for the warehouse."""
    projection = Projection((), source.last_modified)
    waiting: deque[Future[Settled | None]] = deque()
    with progress("backfilling hours", len(prefixes)) as advance, ThreadPoolExecutor(1) as writer:

        def finish(most: int) -> None:
            while len(waiting) > most:
                settled = waiting.popleft().result()
                if settled is not None:
                    done.count(settled)
                    advance(1)

        try:
            for prefix in prefixes:
                for work in _hour(source, projection, warehouse, prefix):
                    waiting.append(writer.submit(work))
                    finish(WAITING)
        except (AnalysisError, KeyboardInterrupt):
            finish(0)  # hours that were read are done all the same
            raise
        finish(0)


def _hour(
    source: Source, projection: Projection, warehouse: Staging, prefix: str
) -> Iterator[Callable[[], Settled | None]]:
    """What is to be done for one hour, piece by piece."""
    corrupt: list[Corrupt] = []
    folders = [folder for found in source.folders([prefix]) for folder in found]
    for batch in batches(source.read(folders)):
        rows, refused = projection.rows(batch)
        corrupt += refused
        yield lambda rows=rows: warehouse.copy(rows)  # type: ignore[misc]
    yield lambda: warehouse.settle(corrupt)


def _where(prefixes: Sequence[str], done: Backfilled) -> str:
    if not done.hours or done.hours == len(prefixes):
        return ""
    _, *day, hour, _ = prefixes[done.hours].split("/")
    return f"; {done.hours} hours are done: go on with --start {'-'.join(day)}T{hour}:00Z"
