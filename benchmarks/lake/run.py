"""The benchmarks of the lake from beginning to end."""

from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.lake.growth import TIMES, commits, ten_times
from benchmarks.lake.history import DAYS, END, EVENTS, seeded
from benchmarks.lake.reading import reading
from benchmarks.lake.writing import compacting, erasing, size
from benchmarks.targets import Targets

__all__ = ["EVENTS", "ROUNDS", "measure", "measure_commits", "measure_size"]

ROUNDS = 1
# The targets of the lake are for a million events: a bench with fewer has as many commits less.
EVENTS_PER_COMMIT = 500
FEWEST_COMMITS = 100


def measure(rounds: Iterable[object], events: int = EVENTS) -> Targets:
    """Seed a history, compact it, and measure, once per item of `rounds`; the last counts."""
    for _ in rounds:
        with seeded(events) as history:
            lines = tuple(chain(compacting(history), size(history), reading(history), erasing(history)))
    return Targets("lake", f"lake: {events:,} events of {DAYS} days; the targets are for a million", lines)


def measure_size(rounds: Iterable[object], events: int = EVENTS) -> Targets:
    """Compact a history, and report it from a lake that has ten times as much."""
    for _ in rounds:
        with seeded(events) as history:
            history.compact(END)
            lines = tuple(ten_times(history))
    return Targets("lake-size", f"lake-size: {TIMES} times {events:,} events; the targets are for ten million", lines)


def measure_commits(rounds: Iterable[object], events: int = EVENTS) -> Targets:
    """Compact many tiny hours."""
    number = max(FEWEST_COMMITS, events // EVENTS_PER_COMMIT)
    for _ in rounds:
        with TemporaryDirectory(prefix="clickstream-") as name:
            lines = tuple(commits(Path(name), number))
    return Targets(
        "lake-commits", f"lake-commits: {number:,} hours, compacted one by one; the target is for 2,000", lines
    )
