from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest
from psycopg import conninfo
from psycopg.errors import InsufficientPrivilege

from chalicelib.flatten import Row, flatten
from chalicelib.warehouse.batch import COPY_ROWS
from chalicelib.warehouse.client import Warehouse
from chalicelib.warehouse.schema import SCHEMA
from chalicelib.warehouse.users import READER, WRITER, Login, provide
from tests.support.reconciling import Reconciling

pytestmark = pytest.mark.slow

AT = datetime(2026, 11, 25, 9, tzinfo=UTC)
TABLES = (
    "clickstream_events",
    "clickstream_rejects",
    "clickstream_hours",
    "clickstream_settings",
    "clickstream_versions",
)
SECRET_TABLES = ("clickstream_tombstones", "clickstream_tombstones_keys")

As = Callable[[str, str], None]


def row(number: int) -> Row:
    return flatten(b'{"clientId": "c"}', f"events/2026/11/25/09/event-{number}.json", AT)


@pytest.fixture
def users(warehouse_url: str) -> Iterator[dict[str, Login]]:
    """Give a writer and a reader of a warehouse with one row."""
    logins = {name: Login(f"{name}_{uuid4().hex[:8]}", "it's \\ secret") for name in ("writer", "reader")}
    with psycopg.connect(warehouse_url) as connection:
        SCHEMA.upgrade(connection)
        provide(connection, {"writer": (logins["writer"], WRITER), "reader": (logins["reader"], READER)})
    owner = Warehouse(warehouse_url)
    owner.insert(row(0))
    owner.close()
    yield logins
    with psycopg.connect(warehouse_url, autocommit=True) as connection:
        for login in logins.values():
            connection.execute(f"DROP OWNED BY {login.name}".encode())
            connection.execute(f"DROP ROLE {login.name}".encode())


@pytest.fixture
def url_of(warehouse_url: str, users: dict[str, Login]) -> Callable[[str], str]:
    """Give the warehouse's URL as a user."""
    return lambda name: conninfo.make_conninfo(warehouse_url, user=users[name].name)


def is_refused(url: str, statement: str) -> bool:
    with psycopg.connect(url) as connection:
        try:
            connection.execute(statement.encode())
        except InsufficientPrivilege:
            return True
        return False


class TestWriter:
    def test_the_projector_works_as_it(self, url_of: Callable[[str], str]) -> None:
        """It inserts rows, one or many, each once; it knows what is there, and records rejects."""
        warehouse = Warehouse(url_of("writer"))
        assert warehouse.insert(row(1))
        assert not warehouse.insert(row(1))
        assert warehouse.insert_all([row(1), row(2), row(3)]) == ["already_known", "projected", "projected"]
        assert warehouse.insert_all([row(number) for number in range(4, COPY_ROWS + 4)]) == ["projected"] * COPY_ROWS
        warehouse.reject("bucket", "key", "a reason")
        warehouse.reject("bucket", "key", "another reason")
        warehouse.close()

    def test_the_reconciler_works_as_it(self, url_of: Callable[[str], str]) -> None:
        """It compares hours, has rows and rejects inserted, and records each hour, again if it changes."""
        bench = Reconciling(url_of("writer"))
        bench.put()
        bench.put(body=b"not an event")
        bench.wait(minutes=15)
        assert bench.run().projected == 1
        bench.put()
        bench.wait(minutes=15)
        assert bench.run().projected == 1
        bench.close()
        with psycopg.connect(url_of("reader")) as connection:
            query = "SELECT objects, rows, rejects, complete FROM clickstream_hours WHERE objects > 0"
            assert connection.execute(query.encode()).fetchall() == [(3, 2, 1, True)]

    @pytest.mark.parametrize("table", TABLES + SECRET_TABLES)
    @pytest.mark.parametrize(
        "statement",
        ["UPDATE {} SET {} = NULL", "DELETE FROM {}", "TRUNCATE {}", "DROP TABLE {}", "ALTER TABLE {} ADD x INT"],
    )
    def test_it_changes_and_deletes_nothing(self, table: str, statement: str, url_of: Callable[[str], str]) -> None:
        """No row, and no table."""
        columns = {"clickstream_events": "event_name", "clickstream_rejects": "reason", "clickstream_versions": "steps"}
        columns |= {"clickstream_hours": "hour", "clickstream_settings": "value", "clickstream_tombstones": "hash"}
        assert is_refused(url_of("writer"), statement.format(table, columns.get(table, "outer_key")))

    @pytest.mark.parametrize(
        "statement",
        [
            "SELECT * FROM clickstream_events",
            "SELECT client_id FROM clickstream_events",
            "SELECT reason FROM clickstream_rejects",
            "SELECT * FROM clickstream_tombstones",
            "SELECT * FROM clickstream_tombstones_keys",
            "INSERT INTO clickstream_settings (name, value) VALUES ('horizon', '2030-01-01')",
            "CREATE TABLE mine (x INT)",
        ],
    )
    def test_it_reads_no_event_and_changes_no_setting(self, statement: str, url_of: Callable[[str], str]) -> None:
        """Of events it sees their ids and times."""
        assert is_refused(url_of("writer"), statement)
        assert not is_refused(url_of("writer"), "SELECT event_id, event_timestamp FROM clickstream_events")


class TestReader:
    @pytest.mark.parametrize("table", TABLES)
    def test_it_reads_events_and_what_is_beside_them(self, table: str, url_of: Callable[[str], str]) -> None:
        """Every column."""
        assert not is_refused(url_of("reader"), f"SELECT * FROM {table}")

    @pytest.mark.parametrize("table", SECRET_TABLES)
    def test_it_does_not_see_who_was_erased(self, table: str, url_of: Callable[[str], str]) -> None:
        """With the keys it could tell of any id."""
        assert is_refused(url_of("reader"), f"SELECT * FROM {table}")
        assert is_refused(url_of("reader"), "SELECT clickstream_is_erased('c', NULL)")

    @pytest.mark.parametrize("table", TABLES)
    @pytest.mark.parametrize(
        "statement", ["DELETE FROM {}", "TRUNCATE {}", "DROP TABLE {}", "INSERT INTO {} DEFAULT VALUES"]
    )
    def test_it_writes_nothing(self, table: str, statement: str, url_of: Callable[[str], str]) -> None:
        """No row and no table."""
        assert is_refused(url_of("reader"), statement.format(table))


class TestProvide:
    def test_the_password_is_the_secrets_and_the_server_never_sees_it(
        self, warehouse_url: str, users: dict[str, Login]
    ) -> None:
        """It gets a SCRAM verifier, so no log can hold a password; a changed one replaces it."""
        query = (
            "SELECT rolpassword, rolcanlogin, rolsuper, rolcreaterole, rolcreatedb FROM pg_authid WHERE rolname = %s"
        )
        with psycopg.connect(warehouse_url) as connection:
            before, *rights = connection.execute(query, (users["reader"].name,)).fetchone() or ()
            provide(connection, {"reader": (Login(users["reader"].name, "another"), READER)})
            after, *_ = connection.execute(query, (users["reader"].name,)).fetchone() or ()
        assert before.startswith("SCRAM-SHA-256$")
        assert before != after
        assert rights == [True, False, False, False]

    def test_privileges_that_this_version_does_not_give_are_taken_away(
        self, warehouse_url: str, users: dict[str, Login], url_of: Callable[[str], str]
    ) -> None:
        """As those of an earlier version."""
        with psycopg.connect(warehouse_url) as connection:
            connection.execute(f"GRANT ALL ON clickstream_events TO {users['writer'].name}".encode())
        assert not is_refused(url_of("writer"), "DELETE FROM clickstream_events")
        with psycopg.connect(warehouse_url) as connection:
            provide(connection, {"writer": (users["writer"], WRITER)})
        assert is_refused(url_of("writer"), "DELETE FROM clickstream_events")

    def test_the_owner_does_not_lose_its_own_rights(self, warehouse_url: str) -> None:
        """Where one user does everything, its secret is the writer's too."""
        with psycopg.connect(warehouse_url) as connection:
            assert provide(connection, {"writer": (Login(connection.info.user, "x"), WRITER)}) == []
