"""Benchmark of batches: rows a second into PostgreSQL by the size of a batch, beside one by one."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple
from unittest.mock import patch
from uuid import UUID, uuid4

import psycopg

from benchmarks.comparison import seconds
from benchmarks.reader import EVENTS
from benchmarks.targets import Line, Targets
from chalicelib import log
from chalicelib.contract import EVENT_ID, TABLE
from chalicelib.flatten import Row, flatten
from chalicelib.projection.batch import Named, project
from chalicelib.storage import RawObject
from chalicelib.warehouse import batch
from chalicelib.warehouse.client import Warehouse
from chalicelib.warehouse.schema import SCHEMA
from command_line.home import BUCKET, Home
from emulator.servers.postgres.server import Postgres

__all__ = ["ROUNDS", "SIZES", "measure"]

ROUNDS = 5
SIZES = (1, 10, 100, 1_000)
ROWS = 4_000  # per case and round
LEAST = {100: 8.0, 1_000: 15.0}  # times as many rows as one by one
NEVER = 1_000_000
TITLE = "batches: rows a second into PostgreSQL, which waits for the disk at each commit"
NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
COUNT = f"SELECT count(*) FROM {TABLE}"  # noqa: S608  # a name of the contract
BODY = (EVENTS / "product_view.json").read_bytes()


class _Case(NamedTuple):
    """One way to insert rows of given ids: its name, and with how many at once it is to be compared."""

    what: str
    run: Callable[[Warehouse, Sequence[UUID]], object]
    beside: str
    least: float | None = None


class _Memory:
    """A storage that has each object at once, so that only our own work counts; an object's key is its event's id."""

    def get(self, _bucket: str, key: str) -> RawObject:
        return RawObject(BODY.rstrip()[:-1] + b', "eventId": "%s"}' % key[-36:].encode(), NOW)


def measure(rounds: Iterable[object]) -> Targets:
    """Insert ROWS rows in each way, once per item of `rounds`, into an empty table of a PostgreSQL of its own."""
    cases = _cases()
    rates: dict[str, list[float]] = {case.what: [] for case in cases}
    with (
        _warehouse() as (warehouse, connection),
        Path(os.devnull).open("w") as nowhere,
        patch.object(log, "output", nowhere),
    ):
        for _ in rounds:
            for case in cases:
                connection.execute(f"TRUNCATE {TABLE}".encode())
                work = partial(case.run, warehouse, [uuid4() for _ in range(ROWS)])
                rates[case.what].append(ROWS / seconds(work))
                ((rows,),) = connection.execute(COUNT.encode())
                if rows != ROWS:
                    raise RuntimeError(f"{case.what}: {rows} of {ROWS} rows are there")
    lines = []
    for case in cases:
        pairs = zip(rates[case.what], rates[case.beside], strict=True)
        ratio = median(rate / beside for rate, beside in pairs)
        lines.append(Line(case.what, median(rates[case.what]), "rows/s", beside=f"{ratio:.1f} x {case.beside}"))
        if case.least is not None:
            lines.append(Line(f"{case.what}, beside {case.beside}", ratio, "x", least=case.least))
    return Targets("batches", TITLE, tuple(lines))


def _cases() -> list[_Case]:
    """Every way: as the warehouse chooses it, then always as arrays and always by COPY, then the whole projector."""
    single, *_ = names = ["one by one", *(f"{size:,} at once" for size in SIZES[1:])]
    named = list(zip(SIZES, names, strict=True))
    whole = "projector, {}".format
    return [
        *(_Case(name, partial(_insert, size), single, LEAST.get(size)) for size, name in named),
        *(
            _Case(f"{name}, {way}", partial(_insert, size, copy_rows=rows), single)
            for size, name in named[1:]
            for way, rows in (("as arrays", NEVER), ("by COPY", 1))
        ),
        *(_Case(whole(name), partial(_project, size), whole(single)) for size, name in named),
    ]


def _insert(size: int, warehouse: Warehouse, ids: Sequence[UUID], copy_rows: int = batch.COPY_ROWS) -> None:
    row = flatten(BODY, "key", NOW)
    rows: list[Row] = [(*row[:EVENT_ID], event_id, *row[EVENT_ID + 1 :]) for event_id in ids]
    with patch.object(batch, "COPY_ROWS", copy_rows):
        for start in range(0, len(rows), size):
            warehouse.insert_all(rows[start : start + size])


def _project(size: int, warehouse: Warehouse, ids: Sequence[UUID]) -> None:
    named = [Named(BUCKET, f"events/2026/11/24/09/{event_id}", len(BODY)) for event_id in ids]
    for start in range(0, len(named), size):
        project(named[start : start + size], _Memory(), warehouse)


@contextmanager
def _warehouse() -> Iterator[tuple[Warehouse, psycopg.Connection]]:
    """Give a warehouse on a PostgreSQL of its own, and a connection to it; then remove both."""
    with TemporaryDirectory(prefix="clickstream-") as name:
        home = Home(Path(name) / "home")
        home.path.parent.chmod(0o711)  # as root, PostgreSQL's own user has to come through
        home.create()
        postgres = Postgres(home)
        postgres.start()
        warehouse = Warehouse(postgres.url)
        try:
            with psycopg.connect(postgres.url, autocommit=True) as connection:
                SCHEMA.upgrade(connection)
                yield warehouse, connection
        finally:
            warehouse.close()
            postgres.stop()
            postgres.remove()
