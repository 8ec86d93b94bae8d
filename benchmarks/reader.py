"""Reader benchmark: reads 100,000 one-event files as rows, beside a loop that only reads them, and beside DuckDB."""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import duckdb

from analysis import read_events
from benchmarks.comparison import Comparison, seconds, take_turns
from chalicelib.contract import EVENT_NAMES
from chalicelib.envelope import IngestMetadata, envelope, iso_milliseconds
from chalicelib.keys import object_key

__all__ = [
    "DUCKDB_ROUNDS",
    "EVENTS",
    "ROUNDS",
    "bucket",
    "measure",
    "measure_beside_duckdb",
    "read_all",
    "read_bare",
    "read_with_duckdb",
    "write_events",
]

EVENTS = Path(__file__).parents[1] / "tests" / "events"
FILES = 100_000
START, END = datetime(2026, 11, 24, tzinfo=UTC), datetime(2026, 11, 25, tzinfo=UTC)

TITLE = (
    f"reader: {FILES:,} one-event files of a day as the contract's columns; the loop only lists, opens and reads them"
)
TARGET = 1.5
ROUNDS = 7

DUCKDB_TITLE = f"reader-duckdb: {FILES:,} such files, beside DuckDB's read_json with the same members as columns"
DUCKDB_TARGET = 1 / 8
DUCKDB_ROUNDS = 3
# Only the first source of each column, since the files hold no other.
DUCKDB = """
CREATE TABLE events AS
SELECT * FROM read_json($files, format = 'newline_delimited', columns = {
    eventId: 'UUID',
    eventTimestamp: 'TIMESTAMPTZ',
    eventName: 'VARCHAR',
    userId: 'VARCHAR',
    userLoginState: 'VARCHAR',
    identitySource: 'VARCHAR',
    clientId: 'VARCHAR',
    sessionId: 'VARCHAR',
    isFirstVisit: 'BOOLEAN',
    product: 'STRUCT(
        id VARCHAR,
        name VARCHAR,
        category VARCHAR,
        brand STRUCT(name VARCHAR),
        price DOUBLE,
        discountPrice DOUBLE,
        urlPath VARCHAR
    )',
    _ingest: 'STRUCT(receivedAt TIMESTAMPTZ)'
})
"""


def measure(rounds: Iterable[object]) -> Comparison:
    """Read all files with our reader and with a bare loop, once per item of `rounds`."""
    pairs = _take_turns(rounds, read_bare)
    return Comparison("reader", TITLE, "read_events", "open and read each file", TARGET, pairs)


def measure_beside_duckdb(rounds: Iterable[object]) -> Comparison:
    """Read all files with our reader and with DuckDB, once per item of `rounds`."""
    pairs = _take_turns(rounds, read_with_duckdb)
    return Comparison("reader-duckdb", DUCKDB_TITLE, "read_events", "DuckDB's read_json", DUCKDB_TARGET, pairs)


def _take_turns(rounds: Iterable[object], alternative: Callable[[Path], int]) -> tuple[tuple[float, float], ...]:
    with bucket(FILES) as directory:
        for read in (read_all, alternative):
            _require_all(read, directory, FILES)
        return take_turns(
            rounds, lambda: seconds(lambda: read_all(directory)), lambda: seconds(lambda: alternative(directory))
        )


def _require_all(read: Callable[[Path], int], directory: Path, files: int) -> None:
    """Raise RuntimeError if `read` misses events, which would make it quick; this also fills the disk cache."""
    found = read(directory)
    if found != files:
        raise RuntimeError(f"{read.__name__} found {found} of {files} events")


@contextmanager
def bucket(files: int) -> Iterator[Path]:
    """Give a bucket's directory with `files` events, spread over a day, as ingest writes them; delete it afterwards."""
    with TemporaryDirectory(prefix="clickstream-") as name:
        write_events(Path(name), START, END, files)
        yield Path(name)


def write_events(directory: Path, start: datetime, end: datetime, files: int) -> None:
    """Write `files` events below a bucket's directory, as ingest does, with even steps from `start` to `end` (UTC)."""
    payloads = _payloads()
    for number in range(files):
        received_at = start + number * (end - start) / files
        payload = payloads[number % len(payloads)] | {"eventId": str(uuid4())}
        path = directory / object_key(received_at, uuid4())
        path.parent.mkdir(parents=True, exist_ok=True)
        sent = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
        path.write_bytes(envelope(sent, _metadata(received_at)))


def _payloads() -> list[dict[str, object]]:
    """Return the real payload of every event name."""
    return [json.loads((EVENTS / f"{name}.json").read_bytes()) for name in EVENT_NAMES]


def _metadata(received_at: datetime) -> IngestMetadata:
    """Return the metadata of a request from a browser, as API Gateway gives it."""
    return {
        "receivedAt": iso_milliseconds(received_at),
        "sourceIp": "203.0.113.7",
        "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0",
        "method": "POST",
        "path": "/clickstream",
        "requestId": str(uuid4()),
        "apiId": "a1b2c3d4e5",
        "stage": "api",
        "traceId": None,
    }


def read_all(directory: Path) -> int:
    """Read the files with our reader, and return the number of events."""
    return len(read_events(directory, START, END).frame)


def read_bare(directory: Path) -> int:
    """Read the files in the shortest loop, ignore their bytes, and return their number."""
    found = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            with open(f"{folder}/{name}", "rb") as file:
                file.read()
            found += 1
    return found


def read_with_duckdb(directory: Path) -> int:
    """Load the files into a table in memory with DuckDB, and return the number of rows."""
    with duckdb.connect() as connection:
        # DuckDB's best setting: rows in any order. With their order kept, 5,000 files took six times the memory.
        connection.execute("SET preserve_insertion_order = false")
        connection.execute(DUCKDB, {"files": f"{directory}/events/*/*/*/*/*.json"})
        ((rows,),) = connection.execute("SELECT count(*) FROM events").fetchall()
        return int(rows)
