from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest

from chalicelib.contract import COLUMNS, Column
from chalicelib.errors import NewerWarehouse, OtherPriceDecimals, SchemaError, UpgradeRefused
from chalicelib.flatten import flatten
from chalicelib.warehouse.schema import FIRST_COLUMNS, SCHEMA, STEPS, Schema, Step, Version, recorded_decimals
from chalicelib.warehouse.tables import GUARD

pytestmark = pytest.mark.slow

TABLES = [
    "clickstream_events",
    "clickstream_hours",
    "clickstream_rejects",
    "clickstream_settings",
    "clickstream_tombstones",
    "clickstream_tombstones_keys",
    "clickstream_versions",
]
MARKETING = Column("utm_source", "TEXT", ("utm.source",))
REVIEWED = Step(len(STEPS) + 1, "ALTER TABLE clickstream_rejects ADD COLUMN IF NOT EXISTS reviewed BOOLEAN;")
NEXT = Schema((*COLUMNS, MARKETING), (*STEPS, REVIEWED))


@pytest.fixture
def connection(warehouse_url: str) -> Iterator[psycopg.Connection]:
    """Give a connection to an empty database."""
    with psycopg.connect(warehouse_url, autocommit=True) as connection:
        yield connection


def ask(connection: psycopg.Connection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query.encode()).fetchall()


def tables(connection: psycopg.Connection) -> list[str]:
    found = ask(connection, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    return [name for (name,) in found]


def columns(connection: psycopg.Connection, table: str) -> list[str]:
    query = f"SELECT attname FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0 ORDER BY attnum"
    return [name for (name,) in ask(connection, query)]


class TestUpgrade:
    def test_an_empty_warehouse_gets_all_tables(self, connection: psycopg.Connection) -> None:
        """Events, rejects and tombstones, empty, at the version of the code; then nothing is left to do."""
        done = SCHEMA.upgrade(connection)
        assert tables(connection) == TABLES
        assert columns(connection, "clickstream_events") == [column.name for column in COLUMNS]
        assert (done.was, done.knows, SCHEMA.version_of(connection)) == ((0, 0), SCHEMA.version, SCHEMA.version)
        assert SCHEMA.pending(connection) == SCHEMA.upgrade(connection).statements == []

    def test_a_preview_changes_nothing(self, connection: psycopg.Connection) -> None:
        """It gives the SQL that the upgrade then runs."""
        planned = SCHEMA.preview(connection)
        assert tables(connection) == []
        assert planned == SCHEMA.upgrade(connection)

    def test_a_filled_table_gets_the_columns_that_it_lacks(self, connection: psycopg.Connection) -> None:
        """In the contract's order, NULL in the rows that are there; and the step is applied once."""
        SCHEMA.upgrade(connection)
        connection.execute(SCHEMA.insert.encode(), [UUID(int=1), "now", "click", *[None] * 13])
        done = NEXT.upgrade(connection)
        assert columns(connection, "clickstream_events") == [column.name for column in NEXT.columns]
        assert ask(connection, "SELECT event_name, utm_source FROM clickstream_events") == [("click", None)]
        assert REVIEWED.statements in done.statements
        assert [tuple(map(int, row)) for row in ask(connection, "SELECT steps, columns FROM clickstream_versions")] == [
            SCHEMA.version,
            NEXT.version,
        ]
        assert NEXT.pending(connection) == []

    def test_a_table_that_was_dropped_comes_back_with_all_columns(self, connection: psycopg.Connection) -> None:
        """What is missing is found in the tables, not in the version."""
        SCHEMA.upgrade(connection)
        connection.execute("DROP TABLE clickstream_events, clickstream_rejects")
        SCHEMA.upgrade(connection)
        assert tables(connection) == TABLES
        assert "dismissed" in columns(connection, "clickstream_rejects")

    def test_without_the_right_to_alter_nothing_changes(self, connection: psycopg.Connection) -> None:
        """All of it or nothing; unless what is allowed is asked for, and then the version stays as it was."""
        connection.execute("CREATE TABLE clickstream_events (event_id UUID PRIMARY KEY)")
        connection.execute("DROP ROLE IF EXISTS creator")
        connection.execute("CREATE ROLE creator")
        connection.execute("GRANT CREATE ON SCHEMA public TO creator")
        connection.execute("SET ROLE creator")
        try:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                SCHEMA.upgrade(connection)
            assert tables(connection) == ["clickstream_events"]
            done = SCHEMA.upgrade(connection, as_allowed=True)
            assert tables(connection) == TABLES[:-1]
            (refused,) = done.refused
            assert refused.startswith("ALTER TABLE public.clickstream_events")
            assert SCHEMA.version_of(connection) == (0, 0)
        finally:
            connection.execute("RESET ROLE")
            connection.execute("DROP OWNED BY creator")
            connection.execute("DROP ROLE creator")

    def test_without_any_right_everything_is_refused(self, connection: psycopg.Connection) -> None:
        """Also a step that misses a table, since the table was refused before."""
        connection.execute("DROP ROLE IF EXISTS visitor")
        connection.execute("CREATE ROLE visitor")
        connection.execute("SET ROLE visitor")
        done = SCHEMA.upgrade(connection, as_allowed=True)
        connection.execute("RESET ROLE")
        connection.execute("DROP ROLE visitor")
        assert (done.statements, tables(connection)) == ([], [])
        assert STEPS[0].statements in done.refused

    def test_lost_tombstones_are_not_replaced_by_empty_ones(self, connection: psycopg.Connection) -> None:
        """The guard goes on to refuse every row, until an erasure or a backfill brings them back."""
        SCHEMA.upgrade(connection)
        connection.execute(GUARD.encode())
        SCHEMA.refuse_lost_tombstones(connection)
        connection.execute("DROP TABLE clickstream_tombstones")
        with pytest.raises(UpgradeRefused, match="the warehouse refuses every row: 'python -m analysis backfill'"):
            SCHEMA.refuse_lost_tombstones(connection)
        assert SCHEMA.pending(connection) == []

    def test_a_long_query_does_not_hold_up_inserts(self, connection: psycopg.Connection, warehouse_url: str) -> None:
        """The upgrade gives up after five seconds, since inserts wait behind it."""
        SCHEMA.upgrade(connection)
        with psycopg.connect(warehouse_url) as analyst:
            analyst.execute("SELECT * FROM clickstream_events")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                NEXT.upgrade(connection)
        NEXT.upgrade(connection)

    def test_the_lock_timeout_ends_with_the_upgrade(self, connection: psycopg.Connection) -> None:
        """The projector keeps its connection."""
        SCHEMA.upgrade(connection)
        assert ask(connection, "SHOW lock_timeout") == [("0",)]


class TestVersion:
    def test_a_newer_warehouse_is_refused_by_name(self, connection: psycopg.Connection) -> None:
        """Also where only a column was added; the same and an older one are not."""
        SCHEMA.refuse_newer(connection)
        SCHEMA.upgrade(connection)
        SCHEMA.refuse_newer(connection)
        Schema((*COLUMNS, MARKETING)).upgrade(connection)
        with pytest.raises(NewerWarehouse) as raised:
            SCHEMA.refuse_newer(connection)
        known, newer = SCHEMA.version, SCHEMA.version._replace(columns=len(COLUMNS) + 1)
        assert str(raised.value) == f"the warehouse is at version {newer}, this code knows {known}: update the code"

    def test_older_code_leaves_a_newer_warehouse_alone(self, connection: psycopg.Connection) -> None:
        """It lacks nothing that the older code needs, and its version stays."""
        NEXT.upgrade(connection)
        assert SCHEMA.upgrade(connection).statements == []
        assert SCHEMA.version_of(connection) == NEXT.version

    def test_everybody_may_read_it(self, connection: psycopg.Connection) -> None:
        """An analyst's role is told that its code is old, and needs no right for that."""
        SCHEMA.upgrade(connection)
        connection.execute("DROP ROLE IF EXISTS analyst")
        connection.execute("CREATE ROLE analyst")
        connection.execute("SET ROLE analyst")
        assert SCHEMA.version_of(connection) == SCHEMA.version
        connection.execute("RESET ROLE")
        connection.execute("DROP ROLE analyst")

    @pytest.mark.parametrize(
        ("one", "other", "is_within"),
        [((1, 16), (1, 16), True), ((1, 16), (2, 17), True), ((1, 17), (2, 16), False), ((2, 16), (1, 17), False)],
    )
    def test_both_counts_matter(self, one: tuple[int, int], other: tuple[int, int], is_within: bool) -> None:  # noqa: FBT001
        """Two branches of the code that each added something else do not know each other's warehouse."""
        assert Version(*one).is_within(Version(*other)) == is_within


class TestPriceDecimals:
    @pytest.mark.parametrize("price_decimals", [0, 2])
    def test_a_new_warehouse_records_those_of_its_maker(
        self, price_decimals: int, connection: psycopg.Connection
    ) -> None:
        """Before, there is nothing to record; another writer is refused, and told what to do."""
        assert recorded_decimals(connection) is None
        Schema(price_decimals=price_decimals).upgrade(connection)
        assert recorded_decimals(connection) == price_decimals
        Schema(price_decimals=price_decimals).refuse_other_decimals(connection)
        with pytest.raises(
            OtherPriceDecimals,
            match=f"with PRICE_DECIMALS={price_decimals}, and here it is 3: set PRICE_DECIMALS={price_decimals}, or "
            r"rebuild the warehouse \(TRUNCATE .*'PRICE_DECIMALS=3 python -m analysis backfill --rebuild'\)",
        ):
            Schema(price_decimals=3).refuse_other_decimals(connection)

    def test_a_warehouse_without_a_record_has_none(self, connection: psycopg.Connection) -> None:
        """Nor does it get any when a writer that wants two upgrades it."""
        connection.execute(SCHEMA.create_events.encode())
        assert recorded_decimals(connection) == 0
        with pytest.raises(OtherPriceDecimals):
            Schema(price_decimals=2).refuse_other_decimals(connection)
        Schema(price_decimals=2).upgrade(connection)
        assert recorded_decimals(connection) == 0

    def test_an_upgrade_changes_no_record(self, connection: psycopg.Connection) -> None:
        """Not even where the table of events was dropped: only a rebuild does."""
        Schema(price_decimals=2).upgrade(connection)
        assert SCHEMA.upgrade(connection).statements == []
        connection.execute("DROP TABLE clickstream_events")
        SCHEMA.upgrade(connection)
        assert recorded_decimals(connection) == 2
        SCHEMA.change_decimals(connection)
        assert recorded_decimals(connection) == 0

    def test_everybody_may_read_them(self, connection: psycopg.Connection) -> None:
        """An analyst's role, and that of a projector that may only insert."""
        Schema(price_decimals=2).upgrade(connection)
        connection.execute("DROP ROLE IF EXISTS analyst")
        connection.execute("CREATE ROLE analyst")
        connection.execute("SET ROLE analyst")
        assert recorded_decimals(connection) == 2
        connection.execute("RESET ROLE")
        connection.execute("DROP ROLE analyst")


class TestDefinition:
    def test_the_table_is_made_of_the_columns(self) -> None:
        """Key, not-null columns and the index on time."""
        assert "event_id UUID PRIMARY KEY" in SCHEMA.create_events
        assert "event_timestamp TIMESTAMPTZ NOT NULL" in SCHEMA.create_events
        assert "event_name TEXT NOT NULL" in SCHEMA.create_events
        assert "ON public.clickstream_events (event_timestamp)" in SCHEMA.create_events

    def test_a_constraint_on_an_added_column_needs_a_step(self, connection: psycopg.Connection) -> None:
        """Nothing says what the rows that are there would have."""
        channel = Column("channel", "TEXT", ("channel",), "NOT NULL DEFAULT 'unknown'", fallback="unknown")
        with pytest.raises(SchemaError, match="column channel cannot be added to a filled table, since it is NOT NULL"):
            Schema((*COLUMNS, channel))
        added = "ALTER TABLE clickstream_events ADD COLUMN IF NOT EXISTS channel TEXT NOT NULL DEFAULT 'unknown';"
        schema = Schema((*COLUMNS, channel), (*STEPS, Step(4, added, ("channel",))))
        SCHEMA.upgrade(connection)
        schema.upgrade(connection)
        assert columns(connection, "clickstream_events")[-1] == "channel"

    def test_an_added_column_that_is_not_null_needs_a_default(self, connection: psycopg.Connection) -> None:
        """The code before it goes on inserting, also into tables that the new code has created."""
        step = Step(4, "SELECT;", ("channel",))
        with pytest.raises(SchemaError, match="column channel is NOT NULL and has no DEFAULT"):
            Schema((*COLUMNS, Column("channel", "TEXT", ("channel",), "NOT NULL")), (*STEPS, step))
        channel = Column("channel", "TEXT", ("channel",), "NOT NULL DEFAULT 'unknown'")
        Schema((*COLUMNS, channel), (*STEPS, step)).upgrade(connection)
        row = flatten(b"{}", "events/a.json", datetime(2026, 11, 24, 22, tzinfo=UTC))
        assert connection.execute(SCHEMA.insert.encode(), row).rowcount == 1

    def test_steps_are_numbered_without_a_gap(self) -> None:
        """Their number says which of them a warehouse has."""
        with pytest.raises(SchemaError, match="must be numbered 1, 2, 3"):
            Schema(COLUMNS, (*STEPS, Step(5, "SELECT 1")))

    def test_the_first_columns_are_those_of_the_first_warehouses(self) -> None:
        """Columns are only ever added, and at the end: the version counts them."""
        assert COLUMNS[FIRST_COLUMNS - 1].name == "context_product_url_path"
