"""Benchmark of the index on time: the warehouse's B-tree beside BRIN, over a million rows of 30 days."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import LiteralString, NamedTuple

import psycopg

from analysis import Range, WarehouseEvents, overview
from benchmarks.comparison import seconds
from benchmarks.figures import Case, Figures
from chalicelib.contract import TABLE
from chalicelib.warehouse.schema import SCHEMA
from command_line.home import Home
from emulator.servers.postgres.server import Postgres

__all__ = [
    "INDEXES",
    "LAYOUTS",
    "MOST",
    "RANGES",
    "ROUNDS",
    "SESSIONS",
    "START",
    "Layout",
    "fill",
    "measure",
    "warehouse",
]

SESSIONS = 62_500
EVENTS = 16  # of each session
START = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)
# The queries' ranges by name: when each starts, counted from START, and how long it is. Days 4 to 6 may have come last.
RANGES = {
    "1 day": (5 * DAY, DAY),
    "7 days": (5 * DAY, 7 * DAY),
    "30 days": (0 * DAY, 30 * DAY),
}
LATEST: LiteralString = f"SELECT * FROM {TABLE} ORDER BY event_timestamp DESC LIMIT 50"  # noqa: S608  # our own name
ROUNDS = 1
TITLE = (
    "time-index: overview() of the warehouse, by its index on event_timestamp and by how the rows lie in the table; "
    "'latest' are the 50 latest rows"
)
# The B-tree stays as long as it is never much slower than the quickest BRIN of the same run.
MOST = 1.5
SIZE, INSERT = "MB", "insert"

INDEX = "clickstream_events_event_timestamp_idx"
BTREE = "B-tree"
INDEXES: dict[str, LiteralString] = {
    BTREE: "btree (event_timestamp)",
    "BRIN 32": "brin (event_timestamp) WITH (pages_per_range = 32, autosummarize = on)",
    "BRIN 128": "brin (event_timestamp) WITH (pages_per_range = 128, autosummarize = on)",
}

STAGE: LiteralString = """
CREATE UNLOGGED TABLE staged AS
SELECT
    gen_random_uuid() AS event_id,
    started + number * INTERVAL '20 seconds' AS event_timestamp,
    (ARRAY['home_view', 'category_view', 'product_view', 'click'])[1 + mod(number, 4)] AS event_name,
    NULL::TEXT AS user_id,
    'guest' AS user_login_state,
    NULL::TEXT AS identity_source,
    md5((session / 2)::TEXT)::UUID::TEXT AS client_id,
    md5('session ' || session)::UUID::TEXT AS session_id,
    mod(session, 2) = 0 AS is_first_visit,
    'product-' || mod(session, 400) AS context_product_id,
    'A product with a name of usual length ' || mod(session, 400) AS context_product_name,
    'category ' || mod(session, 20) AS context_product_category,
    'brand ' || mod(session, 40) AS context_product_brand,
    1990 AS context_product_price,
    1490 AS context_product_discount_price,
    '/products/a-product-with-a-usual-name-' || mod(session, 400) AS context_product_url_path
FROM (
    SELECT session, %s::TIMESTAMPTZ + random() * INTERVAL '29 days 23 hours' AS started
    FROM generate_series(1, %s::INTEGER) AS session
) AS sessions
CROSS JOIN generate_series(0, %s::INTEGER) AS number
"""
# Events become rows within seconds of their receipt, and not quite in its order.
IN_ORDER: LiteralString = "ORDER BY event_timestamp + random() * INTERVAL '2 seconds'"
# As a backfill does it: hour by hour, and in an hour by id.
BY_HOUR: LiteralString = "ORDER BY date_trunc('hour', event_timestamp), event_id"


class Layout(NamedTuple):
    """How the rows came into the table.

    Attributes:
        earlier: Whether ten days before the range came first, and were deleted before the last ten days came.
        order: The order of the inserts.
        late: The days, counted from START, that came after all others.
    """

    earlier: bool
    order: LiteralString
    late: tuple[int, int]


LAYOUTS = {
    "rows as they arrive": Layout(earlier=False, order=IN_ORDER, late=(20, 30)),
    "rebuilt, 3 days of it last": Layout(earlier=False, order=BY_HOUR, late=(4, 7)),
    "in the place of deleted rows": Layout(earlier=True, order=IN_ORDER, late=(20, 30)),
}


def measure(rounds: Iterable[object]) -> Figures:
    """Fill a warehouse in each way under each index, and query it, once per item of `rounds`; the median counts."""
    measured: dict[tuple[str, str], list[dict[str, float]]] = {}
    names = list(INDEXES)
    with warehouse() as url:
        for _ in rounds:
            for how, layout in LAYOUTS.items():
                for index in names:
                    measured.setdefault((how, index), []).append(_measured(url, layout, index))
            names.append(names.pop(0))  # what comes first finds colder caches
    return Figures("time-index", TITLE, tuple(_cases({each: _medians(all_) for each, all_ in measured.items()})))


def _cases(measured: dict[tuple[str, str], dict[str, float]]) -> Iterator[Case]:
    """Give a case per layout and index; only the warehouse's own index has targets."""
    for how in LAYOUTS:
        for index in INDEXES:
            figures = dict(measured[how, index])
            others = [measured[how, other] for other in INDEXES if other != BTREE]
            size, insert = figures.pop(SIZE), figures.pop(INSERT)
            targets = {name: MOST * min(other[name] for other in others) for name in figures if index == BTREE}
            yield Case(f"{how}: {index}, {size:.2f} MB, inserts {insert:.0f} s", figures, targets)


def _medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {name: median(each[name] for each in rounds) for name in rounds[0]}


@contextmanager
def warehouse() -> Iterator[str]:
    """Give a PostgreSQL of its own, with the rows in a table beside that of events; then remove it."""
    with TemporaryDirectory(prefix="clickstream-") as name:
        home = Home(Path(name) / "home")
        home.create()
        postgres = Postgres(home)
        postgres.start()
        try:
            with psycopg.connect(postgres.url, autocommit=True) as connection:
                SCHEMA.upgrade(connection)
                connection.execute(STAGE, (START, SESSIONS, EVENTS - 1))
                connection.execute("VACUUM ANALYZE staged")
            yield postgres.url
        finally:
            postgres.stop()
            postgres.remove()


def _measured(url: str, layout: Layout, index: str) -> dict[str, float]:
    """Fill the table anew; give the seconds of each query and of all inserts, and the index's size in MB."""
    figures = {}
    with psycopg.connect(url, autocommit=True) as connection:
        took = fill(connection, layout, INDEXES[index])
        (size,) = connection.execute("SELECT pg_relation_size(%s)", (INDEX,)).fetchone() or (0,)
        engine = WarehouseEvents(url)
        for name, (start, length) in RANGES.items():
            within = Range(START + start, START + start + length)
            figures[name] = _quickest(lambda: overview(engine, within))  # noqa: B023  # called at once
        figures["latest"] = _quickest(lambda: connection.execute(LATEST).fetchall())
    return {**figures, INSERT: took, SIZE: size / 1e6}


def _quickest(query: Callable[[], object]) -> float:
    """Give the seconds of the quickest of three queries, all but the first of which find the caches filled."""
    return min(seconds(query) for _ in range(3))


def fill(connection: psycopg.Connection, layout: Layout, index: LiteralString) -> float:
    """Fill the table under an index, vacuum it, and give the seconds that the inserts took."""
    connection.execute(f"TRUNCATE {TABLE}")
    connection.execute(f"DROP INDEX IF EXISTS {INDEX}")
    connection.execute(f"CREATE INDEX {INDEX} ON {TABLE} USING {index}")
    connection.execute("CHECKPOINT")
    late = tuple(START + day * DAY for day in layout.late)
    took = 0.0
    if layout.earlier:
        earlier = SCHEMA.names.replace("event_id", "gen_random_uuid()", 1).replace(
            "event_timestamp", "event_timestamp - INTERVAL '10 days'", 1
        )
        took += _insert(connection, earlier, "event_timestamp < %s", layout, (START + 10 * DAY,))
    took += _insert(connection, SCHEMA.names, "event_timestamp < %s OR event_timestamp >= %s", layout, late)
    if layout.earlier:
        connection.execute(f"DELETE FROM {TABLE} WHERE event_timestamp < %s", (START,))  # noqa: S608  # our own name
        connection.execute(f"VACUUM {TABLE}")
    took += _insert(connection, SCHEMA.names, "event_timestamp >= %s AND event_timestamp < %s", layout, late)
    connection.execute(f"VACUUM (ANALYZE) {TABLE}")
    return took


def _insert(
    connection: psycopg.Connection, columns: str, where: str, layout: Layout, times: tuple[datetime, ...]
) -> float:
    statement = f"INSERT INTO {TABLE} ({SCHEMA.names}) SELECT {columns} FROM staged WHERE {where} {layout.order}"  # noqa: S608  # as above
    return seconds(lambda: connection.execute(statement.encode(), times))
