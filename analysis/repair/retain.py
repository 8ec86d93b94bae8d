"""Keeps the warehouse's rows of some days, and deletes the older ones: itself, or by the function of a stage."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from analysis.errors import AnalysisError
from analysis.repair.connection import connected
from analysis.repair.operations import Operations, operations_of
from chalicelib.contract import TABLE
from chalicelib.operations.retaining import AGES, delete_old, left, plan, record, tidy
from chalicelib.warehouse.tables import REJECTS
from command_line.progress import progress

__all__ = ["Retained", "retain"]


@dataclass
class Retained:
    """What `retain` did, or would do.

    Attributes:
        horizon: The start of the first day whose rows are kept, UTC.
        was: The horizon before; None if there was none.
        rows: How many rows were deleted, or would be.
        rejects: How many rejects were deleted, or would be.
        left: How many old rows and rejects are there afterwards, because they arrived meanwhile.
    """

    horizon: datetime
    was: datetime | None
    rows: int = 0
    rejects: int = 0
    left: int = 0

    def count(self, table: str, deleted: int) -> None:
        """Add what was deleted from one table."""
        if table == TABLE:
            self.rows += deleted
        else:
            self.rejects += deleted


def retain(dw_url: str, days: int, *, dry_run: bool = False, move_back: bool = False) -> Retained:
    """Keep the rows and rejects of today and so many days before (UTC), and delete the older ones.

    The horizon is recorded first, so that nobody brings rows back while this runs. Each batch is a transaction of its
    own: the projector does not wait, and whoever stops this can go on later with the same call. At the end the tables
    are vacuumed, so that new rows take the place of the deleted ones.

    Args:
        dw_url: A libpq URL, whose role must own the tables; or the URL of a stage's warehouse.
        days: How many days to keep, at least 1.
        dry_run: Only count. SELECT is enough.
        move_back: Allow a horizon that is earlier than the recorded one.

    Raises:
        AnalysisError: The warehouse does not answer or refuses, the horizon would move back, or the user interrupts.
    """
    if (operations := operations_of(dw_url)) is not None:
        return _retain_through(operations, days, dry_run=dry_run, move_back=move_back)
    with connected(dw_url, make=not dry_run) as connection:
        planned = plan(connection, days, move_back=move_back)
        done = Retained(planned.horizon, planned.was)
        if dry_run:
            done.rows, done.rejects = (planned.counts.get(table, 0) for table in (TABLE, REJECTS))
            return done
        record(connection, planned, move_back=move_back)
        batches = (each for table in planned.counts for each in delete_old(connection, planned.horizon, table))
        _watch(done, sum(planned.counts.values()), ((each.table, each.rows) for each in batches))
        done.left = left(connection, planned)
        for table, deleted in ((TABLE, done.rows), (REJECTS, done.rejects)):
            if deleted:
                tidy(connection, table)
        return done


def _retain_through(operations: Operations, days: int, *, dry_run: bool, move_back: bool) -> Retained:
    """Let the function of a stage do it, slice by slice."""
    planned = operations.ask("plan_retain", days=days, moveBack=move_back, dryRun=dry_run)
    was = planned["was"] and datetime.fromisoformat(planned["was"])
    done = Retained(datetime.fromisoformat(planned["horizon"]), was)
    counts = planned["counts"]
    if dry_run:
        done.rows, done.rejects = (counts.get(table, 0) for table in (TABLE, REJECTS))
        return done

    def slices() -> Iterator[tuple[str, int]]:
        for table in AGES:
            since: str | None = "-infinity" if table in counts else None
            while since is not None:
                slice_ = operations.ask("retain", table=table, since=since)
                since = slice_["since"]
                yield table, slice_["rows"]

    _watch(done, sum(counts.values()), slices())
    left_over = operations.ask("plan_retain", days=days, moveBack=move_back, dryRun=True)
    done.left = sum(left_over["counts"].values())
    return done


def _watch(done: Retained, expected: int, batches: Iterator[tuple[str, int]]) -> None:
    """Count batches as they are deleted."""
    with progress("deleting rows", expected) as advance:
        try:
            for table, deleted in batches:
                done.count(table, deleted)
                advance(deleted)
        except KeyboardInterrupt:
            raise AnalysisError(f"stopped: {done.rows:,} rows are deleted; the same command goes on later") from None
