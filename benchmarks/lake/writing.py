"""Measures what writes to the lake: compaction beside reading, bytes per event, and the erasure of a person."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import NamedTuple

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.lake.files import Files
from analysis.lake.schema import EVENT_COLUMNS
from analysis.lake.tables import open_tables
from analysis.repair.erase.lake import Search, erase_from_lake, look_into_lake
from analysis.repair.erase.person import Person
from analysis.rows.fields import KEY, RAW_FIELDS
from analysis.rows.reader import read_hours
from benchmarks.lake.child import Cost, in_child, timed
from benchmarks.lake.history import DAY, END, HOUR, START, History
from benchmarks.targets import Line
from chalicelib.contract import COLUMNS

__all__ = ["compacting", "erasing", "is_in_lake", "size"]

ROUNDS = 3
# What a day has with a million events in 30 days, about.
BUSY_DAY = 35_000
BYTES = "bytes"
# What compaction has to read; of the address, the lake has a hash.
LAKE_FIELDS = ["key", "source_ip", *(field.name for field in RAW_FIELDS if field.name in EVENT_COLUMNS)]


class _Round(NamedTuple):
    objects: int
    compacting: Cost
    reading: Cost
    reading_fields: Cost


def compacting(history: History) -> Iterator[Line]:
    """Make the lake, and measure some hours and days of it. Afterwards it has all hours.

    The target is for reading the fields that the lake has, since compaction has to read these. Reading only the
    contract's columns takes two thirds of that.
    """
    first = history.busiest_hours((END - DAY).date(), ROUNDS)
    done = timed(lambda: history.compact(first))
    yield Line("compacting all earlier days", done.seconds, "s", beside=f"{done.cpu:.1f} s of CPU")
    hours = [_round(history, hour, hour + HOUR, hour + HOUR) for hour in (first + n * HOUR for n in range(ROUNDS))]
    history.compact(END)
    days = [_round(history, day, day + DAY, END) for day in (START + n * DAY for n in range(10, 10 + ROUNDS))]
    for name, rounds in (("a busy hour", hours), ("a closed day", days)):
        costs = median(each.compacting.cpu for each in rounds)
        beside = f"{median(each.objects for each in rounds):,.0f} objects, {costs:.2f} s"
        fields = median(each.compacting.cpu / each.reading_fields.cpu for each in rounds)
        what = f"compacting {name} / reading it, with the lake's fields, by CPU"
        yield Line(what, fields, "x", most=2, beside=beside)
        contract = median(each.compacting.cpu / each.reading.cpu for each in rounds)
        yield Line(f"compacting {name} / reading only the contract's columns of it, by CPU", contract, "x")
    beyond = median((each.compacting.cpu - each.reading.cpu) * BUSY_DAY / each.objects for each in days)
    yield Line(f"CPU beyond reading, per {BUSY_DAY:,} events of a day", beyond, "s", most=1.5)


def _round(history: History, start: datetime, end: datetime, until: datetime) -> _Round:
    """Compact one span into the lake that has the others, and read its objects."""
    objects = sum(len(history.objects_of(start + n * HOUR)) for n in range((end - start) // HOUR))
    reading = timed(lambda: read_hours(history.bucket, start, end))
    fields = timed(lambda: read_hours(history.bucket, start, end, fields=LAKE_FIELDS))
    return _Round(objects, timed(lambda: history.compact(until, (start, end))), reading, fields)


def size(history: History) -> Iterator[Line]:
    """Measure the live files of the lake, and the objects of a day."""
    files = Files(open_tables(history.lake).events, "event_id", "event_timestamp")
    contract = {column.name for column in COLUMNS}
    rows = whole = ours = 0
    for task in files.tasks:
        path = Path(task.file.file_path.removeprefix("file://"))
        metadata = pq.ParquetFile(path).metadata
        rows, whole = rows + metadata.num_rows, whole + path.stat().st_size
        for number in range(metadata.num_row_groups):
            group = metadata.row_group(number)
            columns = [group.column(each) for each in range(group.num_columns)]
            ours += sum(each.total_compressed_size for each in columns if each.path_in_schema in contract)
    found = [path.stat() for hour in range(24) for path in history.objects_of(START + 14 * DAY + hour * HOUR)]
    raw, disk = (sum(each) / len(found) for each in ([f.st_size for f in found], [f.st_blocks * 512 for f in found]))
    yield Line("an event in the lake: the contract's columns", ours / rows, BYTES, most=40)
    yield Line(
        "an event in the lake: all columns", whole / rows, BYTES, most=120, beside=f"raw {raw:.0f}, {disk:.0f} on disk"
    )


def erasing(history: History) -> Iterator[Line]:
    """Erase the client with the most events, as the command does when it has found their objects, in a new process."""
    tables = open_tables(history.lake)
    files = Files(tables.events, "event_id", "event_timestamp")
    events = pl.concat([*files.chunks(files.tasks, ("client_id", "partition_hour", KEY))])
    busiest = events.group_by("client_id").agg(
        n=pl.len(), days=pl.col("partition_hour").dt.date().n_unique()
    ).filter(pl.col("client_id").is_not_null()).sort("n", "client_id").row(-1, named=True)  # fmt: skip
    keys = events.filter(pl.col("client_id") == busiest["client_id"])[KEY]
    whom = Search(Person([busiest["client_id"]], []), frozenset(keys))
    if not is_in_lake(history, busiest["client_id"]):
        raise RuntimeError("the search for bytes finds nobody")
    _, cost = in_child(_erase, history, whom)
    left = look_into_lake(history.lake, whom)
    beside = f"{busiest['n']} events on {busiest['days']} days, {cost.cpu:.1f} s of CPU"
    yield Line("erasing a client from the lake", cost.seconds, "s", most=5, beside=beside)
    yield Line("rows of this client that are left", 0 if left is None else left.rows, "rows", most=0)
    yield Line("files that hold this client's id", is_in_lake(history, busiest["client_id"]), "files", most=0)


def _erase(history: History, whom: Search) -> int:
    return erase_from_lake(history.lake, history.bucket, whom, mentions=False)


def is_in_lake(history: History, text: str) -> int:
    """Count the files below the lake's directory that hold a text: in their bytes, or in a value of their columns."""
    found = 0
    for path in Path(history.lake.root).rglob("*"):
        if path.is_file():
            has_text = text.encode() in path.read_bytes()
            found += has_text or (path.suffix == ".parquet" and _has_value(path, text))
    return found


def _has_value(path: Path, text: str) -> bool:
    texts = [name for name, kind in EVENT_COLUMNS.items() if kind == pl.String()]
    with pq.ParquetFile(path) as file:
        table = file.read([name for name in texts if name in file.schema_arrow.names])
    frame = pl.from_arrow(table) if isinstance(table, pa.Table) else pl.DataFrame()
    assert isinstance(frame, pl.DataFrame)  # noqa: S101  # a table, not an array
    return not frame.filter(pl.any_horizontal(pl.all().str.contains(text, literal=True))).is_empty()
