from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import conninfo

from chalicelib.contract import EVENT_ID
from chalicelib.errors import RowRefused
from chalicelib.flatten import Row, flatten
from chalicelib.warehouse.batch import COPY_ROWS
from chalicelib.warehouse.client import Warehouse
from chalicelib.warehouse.schema import SCHEMA

pytestmark = pytest.mark.slow

WAITING = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
NOW = datetime(2026, 11, 24, 22, tzinfo=UTC)


@pytest.fixture
def warehouse(warehouse_url: str) -> Iterator[Warehouse]:
    """Give a warehouse with its tables."""
    with psycopg.connect(warehouse_url) as connection:
        SCHEMA.upgrade(connection)
    warehouse = Warehouse(warehouse_url)
    yield warehouse
    warehouse.close()


@pytest.fixture
def connection(warehouse_url: str) -> Iterator[psycopg.Connection]:
    """Give a connection of somebody who looks on."""
    with psycopg.connect(warehouse_url, autocommit=True, options="-c timezone=UTC") as connection:
        yield connection


def a_row(number: int) -> Row:
    body = (
        f'{{"userId": "tab\\t, \\\\, \\\\N, \\"{number}\\"", "product": {{"price": {number}}}, "isFirstVisit": true}}'
    )
    return flatten(body.encode(), f"events/{number}.json", NOW - timedelta(microseconds=number))


class TestInsertRows:
    @pytest.mark.parametrize("count", [1, 2, COPY_ROWS - 1, COPY_ROWS])
    def test_rows_arrive_as_they_are(self, count: int, warehouse: Warehouse, connection: psycopg.Connection) -> None:
        """Alone, as arrays and by COPY; in one transaction, which leaves nothing else behind."""
        rows = [a_row(number) for number in range(count)]
        assert warehouse.insert_all(rows) == ["projected"] * count
        found = connection.execute("SELECT * FROM clickstream_events ORDER BY event_timestamp DESC").fetchall()
        assert found == rows
        transactions = connection.execute("SELECT count(DISTINCT xmin::TEXT) FROM clickstream_events").fetchall()
        temporary = connection.execute("SELECT count(*) FROM pg_class WHERE relpersistence = 't'").fetchall()
        assert (transactions, temporary) == ([(1,)], [(0,)])

    def test_known_rows_and_repeats_are_told(self, warehouse: Warehouse) -> None:
        """Also when they are copied: the first of several with one id counts."""
        rows = [a_row(number) for number in range(COPY_ROWS)]
        warehouse.insert(rows[7])
        expected = ["projected"] * COPY_ROWS
        expected[7] = "already_known"
        assert warehouse.insert_all([*rows, *rows[:10]]) == [*expected, *["already_known"] * 10]

    def test_a_copied_row_that_is_refused_keeps_all_out(
        self, warehouse: Warehouse, connection: psycopg.Connection
    ) -> None:
        """And the connection goes on."""
        connection.execute("ALTER TABLE clickstream_events ADD CHECK (context_product_price <> 3)")
        rows = [a_row(number) for number in range(COPY_ROWS)]
        with pytest.raises(RowRefused):
            warehouse.insert_all(rows)
        assert connection.execute("SELECT count(*) FROM clickstream_events").fetchall() == [(0,)]
        assert warehouse.insert_all(rows[4:]) == ["projected"] * (COPY_ROWS - 4)

    def test_the_right_to_make_temporary_tables_is_not_needed(
        self, warehouse: Warehouse, connection: psycopg.Connection, warehouse_url: str
    ) -> None:
        """A role may insert, and nothing more: then its rows come as arrays."""
        del warehouse
        database = conninfo.conninfo_to_dict(warehouse_url)["dbname"]
        connection.execute("DROP ROLE IF EXISTS inserter")
        connection.execute("CREATE ROLE inserter LOGIN")
        connection.execute("GRANT INSERT, SELECT (event_id) ON clickstream_events TO inserter")
        connection.execute(f'REVOKE TEMPORARY ON DATABASE "{database}" FROM PUBLIC'.encode())
        limited = Warehouse(conninfo.make_conninfo(warehouse_url, user="inserter"))
        try:
            assert limited.insert_all([a_row(number) for number in range(COPY_ROWS)]) == ["projected"] * COPY_ROWS
        finally:
            limited.close()
            connection.execute("DROP OWNED BY inserter")
            connection.execute("DROP ROLE inserter")

    def test_batches_with_the_same_rows_do_not_wait_for_each_other(
        self, warehouse: Warehouse, connection: psycopg.Connection
    ) -> None:
        """SQS delivers at least once: two copies of the projector may insert the same rows, in other orders."""
        low, high = sorted((a_row(1), a_row(2)), key=lambda row: str(row[EVENT_ID]))
        warehouse.insert(a_row(3))
        with ThreadPoolExecutor(1) as pool:
            with connection.transaction():
                connection.execute(SCHEMA.insert.encode(), low)
                other = pool.submit(warehouse.insert_all, [high, low])
                while not connection.execute(WAITING).fetchall():
                    assert not other.done()
                connection.execute(SCHEMA.insert.encode(), high)
            assert other.result(timeout=10) == ["already_known", "already_known"]
