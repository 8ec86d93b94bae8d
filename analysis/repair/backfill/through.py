"""Backfills the warehouse of a stage: asks its operations function, slice by slice."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from analysis.errors import AnalysisError
from analysis.raw.tombstones import Tombstones
from analysis.repair.operations import Operations, stones_of
from command_line.progress import progress

__all__ = ["Since", "backfill_through"]

# How many hours one event names. The function does as many of them as it can in a minute.
HOURS = 24 * 7
COUNTS = ("objects", "added", "known", "rejected", "erased", "recovered", "before_horizon")


class Counting(Protocol):
    """The counts of a backfill; COUNTS are among them."""

    hours: int
    unreadable: list[tuple[str, str]]


class Since(Protocol):
    """What leaves out the hours before a horizon."""

    def __call__(self, horizon: datetime | None, prefixes: Sequence[str]) -> Sequence[str]:
        """Give the hours that are kept."""


def backfill_through(
    operations: Operations,
    prefixes: Sequence[str],
    erased: Tombstones | None,
    done: Counting,
    *,
    dry_run: bool,
    rebuild: bool,
    beyond_horizon: bool,
    since: Since,
) -> Sequence[str]:
    """Let the function fill some hours, and count in `done` what it did. It may be stopped, and asked again.

    Args:
        operations: The function.
        prefixes: The hours, as `events/YYYY/MM/DD/HH/` in UTC, in order.
        erased: The tombstones of the raw bucket; None if nobody was erased.
        done: The counts so far.
        dry_run: Only count.
        rebuild: Refuse a table that is not empty.
        beyond_horizon: Also insert rows before the warehouse's horizon.
        since: What leaves out the hours before the horizon.

    Returns:
        The hours that are kept, all of which are done.

    Raises:
        AnalysisError: The function fails. The text says how many hours are left.
    """
    prepared = operations.ask("prepare", dryRun=dry_run, rebuild=rebuild, stones=stones_of(erased))
    horizon = None if prepared["horizon"] is None or beyond_horizon else datetime.fromisoformat(prepared["horizon"])
    kept, at, after = since(horizon, prefixes), 0, ""
    with progress("backfilling hours", len(kept)) as advance:
        while at < len(kept):
            try:
                slice_ = operations.ask(
                    "backfill", hours=kept[at : at + HOURS], after=after, dryRun=dry_run, beyondHorizon=beyond_horizon
                )
            except AnalysisError as error:
                left = len(kept) - at
                raise AnalysisError(f"{error}; {left} hours are left, from {kept[at]} to {kept[-1]}") from error
            for name in COUNTS:
                setattr(done, name, getattr(done, name) + slice_[name])
            done.unreadable += [(key, reason) for key, reason in slice_["unreadable"]]
            done.hours += slice_["hours"]
            at, after = at + slice_["hours"], slice_["after"]
            advance(slice_["hours"])
    return kept
