"""Backfill from beginning to end: reads hours of raw, and inserts the rows that the warehouse does not have."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from analysis.errors import AnalysisError
from analysis.raw.objects import batches
from analysis.raw.partitions import hour_of
from analysis.raw.source import Source, bucket_of, open_source
from analysis.raw.tombstones import read_tombstones
from analysis.repair.backfill.staging import Staging, staging
from analysis.repair.backfill.through import backfill_through
from analysis.repair.operations import operations_of
from analysis.rows.prices import checked_decimals
from analysis.rows.projection import Corrupt, Projection
from chalicelib.operations.loading import Settled
from command_line.progress import progress

__all__ = ["Backfilled", "backfill"]

# How many batches may wait for the warehouse, with their rows in memory.
WAITING = 3


@dataclass
class Backfilled:
    """Counts of objects by what became of them.

    `added` became rows; `known` had a row before; `rejected` are not valid events; `erased` are of erased people.
    `recovered` are rejects of before that became rows. `hours` counts the hours that are done. `horizon_hours`
    are hours before the warehouse's horizon, which were not read; `before_horizon` are objects of later hours whose
    rows would be older. `unreadable` has key and reason of each object that may not be read; they are in no count.
    """

    hours: int = 0
    objects: int = 0
    added: int = 0
    known: int = 0
    rejected: int = 0
    erased: int = 0
    recovered: int = 0
    horizon_hours: int = 0
    before_horizon: int = 0
    unreadable: list[tuple[str, str]] = field(default_factory=list)

    def count(self, hour: Settled) -> None:
        """Add one hour. If an event is in raw twice, its second object counts as known."""
        self.hours += 1
        self.objects += hour.events + hour.rejected + hour.erased + hour.before_horizon
        self.added += hour.added
        self.known += hour.events - hour.added
        self.rejected += hour.rejected
        self.erased += hour.erased
        self.recovered += hour.recovered
        self.before_horizon += hour.before_horizon


def backfill(
    source: str | Path,
    dw_url: str,
    prefixes: Sequence[str],
    *,
    dry_run: bool = False,
    rebuild: bool = False,
    beyond_horizon: bool = False,
) -> Backfilled:
    """Insert a row for each event of some hours that has no row yet.

    It is safe to run beside the projector, and again: each hour is inserted as a whole, and existing rows stay as they
    are. Memory holds a few batches of one hour, however many objects there are.

    Args:
        source: The raw bucket, a directory or `s3://bucket`.
        dw_url: A libpq URL, or that of a stage's warehouse, which the stage's function then fills.
        prefixes: The hours, as `events/YYYY/MM/DD/HH/` in UTC, in order.
        dry_run: Only count.
        rebuild: Refuse a table that is not empty. Then the object received first becomes the row of each event.
        beyond_horizon: Also insert rows before the warehouse's horizon, which the next `retain` deletes again.

    Returns:
        The counts. One object that may not be read is named in `unreadable`, and does not keep the rest out.

    Raises:
        AnalysisError: Raw or the warehouse fails, or the user interrupts. After the first hour the text says where to
            continue.
    """
    done = Backfilled()
    opened = open_source(source, lambda key, reason: done.unreadable.append((key, reason)))
    try:
        # A tombstone that may not be read is an error: without it, rows of an erased person would come back.
        erased = read_tombstones(open_source(source))
        if (operations := operations_of(dw_url)) is not None:
            kept = backfill_through(
                operations,
                prefixes,
                erased,
                done,
                dry_run=dry_run,
                rebuild=rebuild,
                beyond_horizon=beyond_horizon,
                since=_since,
            )
            done.horizon_hours = len(prefixes) - len(kept)
            return done
        with staging(
            dw_url,
            bucket_of(source),
            erased,
            dry_run=dry_run,
            must_be_empty=rebuild,
            beyond_horizon=beyond_horizon,
        ) as warehouse:
            named, prefixes = prefixes, _since(warehouse.horizon, prefixes)
            done.horizon_hours = len(named) - len(prefixes)
            _run(opened, warehouse, prefixes, done)
    except AnalysisError as error:
        raise AnalysisError(f"{error}{_where(prefixes, done)}") from error
    except KeyboardInterrupt:
        raise AnalysisError(f"stopped{_where(prefixes, done)}") from None
    return done


def _since(horizon: datetime | None, prefixes: Sequence[str]) -> Sequence[str]:
    """Leave out the hours before the horizon, which is the start of an hour. Ingest stores an event in its hour."""
    if horizon is None:
        return prefixes
    return [prefix for prefix in prefixes if (hour := hour_of(prefix)) is None or hour >= horizon]


def _run(source: Source, warehouse: Staging, prefixes: Sequence[str], done: Backfilled) -> None:
    """Read raw in this thread, while another thread waits for the warehouse."""
    projection = Projection((), source.last_modified, price_decimals=checked_decimals(None))
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
            finish(0)  # what was read already is still inserted
            raise
        finish(0)


def _hour(
    source: Source, projection: Projection, warehouse: Staging, prefix: str
) -> Iterator[Callable[[], Settled | None]]:
    """Give the work of one hour, batch by batch."""
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
    return f"; {done.hours} hours are done: continue with --start {'-'.join(day)}T{hour}:00Z"
