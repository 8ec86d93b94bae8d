"""Backfill benchmark: raw files into an empty warehouse, beside its two floors, and beside one INSERT per object."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import psycopg

from analysis.raw.partitions import hour_prefixes
from analysis.repair.backfill.run import backfill
from benchmarks.comparison import Comparison, seconds, take_turns
from benchmarks.reader import END, START, bucket, read_bare
from chalicelib.contract import TABLE
from chalicelib.flatten import flatten
from chalicelib.warehouse.client import Warehouse
from command_line.home import Home
from emulator.servers.postgres.server import Postgres

__all__ = ["FILES", "LOOP_ROUNDS", "ROUNDS", "Raw", "measure", "measure_beside_loop", "raw"]

FILES = 100_000
TITLE = (
    f"backfill: {FILES:,} one-event files of a day into an empty warehouse, beside the slower of its floors: "
    "COPY of the ready-made rows, or a loop that only reads the files"
)
TARGET = 2.0
ROUNDS = 5

LOOP_FILES = 10_000
LOOP_TITLE = (
    f"backfill-loop: {LOOP_FILES:,} such files, beside one read and one INSERT per object, as the projector does"
)
LOOP_TARGET = 1 / 10
LOOP_ROUNDS = 3


class Raw(NamedTuple):
    """A bucket's directory with so many events, and a warehouse for them."""

    directory: Path
    url: str
    files: int

    def empty(self) -> None:
        """Leave the table without rows, as a new one."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"TRUNCATE {TABLE}")

    def require_all(self) -> None:
        """Whoever loads less is quick for the wrong reason."""
        with psycopg.connect(self.url) as connection:
            found = connection.execute(f"SELECT count(*) FROM {TABLE}").fetchone()  # noqa: S608  # our own name
        if found != (self.files,):
            raise RuntimeError(f"{found} rows of {self.files} events")


def measure(rounds: Iterable[object]) -> Comparison:
    """Load all files, and go down to both floors, once per item of `rounds`."""
    with raw(FILES) as events:
        _backfill(events)
        events.require_all()
        rows = _copy_out(events)

        def slower_floor() -> float:
            events.empty()
            return max(seconds(lambda: _copy_in(events, rows)), seconds(lambda: read_bare(events.directory)))

        pairs = take_turns(rounds, lambda: _time_of_backfill(events), slower_floor)
    return Comparison("backfill", TITLE, "backfill", "the slower floor", TARGET, pairs)


def measure_beside_loop(rounds: Iterable[object]) -> Comparison:
    """Load all files both ways once per item of `rounds`."""
    with raw(LOOP_FILES) as events:

        def loop() -> float:
            events.empty()
            took = seconds(lambda: _insert_each(events))
            events.require_all()
            return took

        pairs = take_turns(rounds, lambda: _time_of_backfill(events), loop)
    return Comparison("backfill-loop", LOOP_TITLE, "backfill", "one INSERT per object", LOOP_TARGET, pairs)


@contextmanager
def raw(files: int) -> Iterator[Raw]:
    """Give so many events in a directory, and an empty warehouse of a PostgreSQL of its own; then remove both."""
    with bucket(files) as directory, TemporaryDirectory(prefix="clickstream-") as name:
        home = Home(Path(name) / "home")
        home.create()
        postgres = Postgres(home)
        postgres.start()
        try:
            events = Raw(directory, postgres.url, files)
            backfill(directory, events.url, [])  # makes the tables
            yield events
        finally:
            postgres.stop()
            postgres.remove()


def _time_of_backfill(events: Raw) -> float:
    events.empty()
    took = seconds(lambda: _backfill(events))
    events.require_all()
    return took


def _backfill(events: Raw) -> None:
    backfill(events.directory, events.url, hour_prefixes(START, END))


def _copy_out(events: Raw) -> bytes:
    with (
        psycopg.connect(events.url) as connection,
        connection.cursor() as cursor,
        cursor.copy(f"COPY {TABLE} TO STDOUT") as copy,
    ):
        return b"".join(map(bytes, copy))


def _copy_in(events: Raw, rows: bytes) -> None:
    with (
        psycopg.connect(events.url) as connection,
        connection.cursor() as cursor,
        cursor.copy(f"COPY {TABLE} FROM STDIN") as copy,
    ):
        copy.write(rows)


def _insert_each(events: Raw) -> None:
    warehouse = Warehouse(events.url)
    for path in events.directory.glob("events/*/*/*/*/*.json"):
        modified = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        warehouse.insert(flatten(path.read_bytes(), path.relative_to(events.directory).as_posix(), modified))
    warehouse.close()
