import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from threading import Barrier, Thread
from time import monotonic, sleep
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from psycopg import conninfo

from chalicelib.contract import COLUMNS
from chalicelib.errors import OtherPriceDecimals, RowRefused, SettingsError, WarehouseUnavailable
from chalicelib.flatten import Row, flatten
from chalicelib.warehouse.client import Warehouse
from chalicelib.warehouse.schema import Schema
from tests.support.json_texts import hostile_payloads, object_texts

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 24, 22, tzinfo=UTC)
ALL_EVENTS = f"SELECT {', '.join(column.name for column in COLUMNS)} FROM clickstream_events"
# To tell a known id from a new one, PostgreSQL asks for the right to read that column.
GRANT_INSERT = "GRANT INSERT, SELECT (event_id) ON clickstream_events TO projector"
KILL_OTHERS = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture
def warehouse(warehouse_url: str) -> Iterator[Warehouse]:
    """Give a warehouse on an empty database."""
    warehouse = Warehouse(warehouse_url)
    yield warehouse
    warehouse.close()


@pytest.fixture
def limited(warehouse_url: str) -> Iterator[Warehouse]:
    """Give the warehouse as a role that owns nothing, and to which the test grants rights."""
    change(warehouse_url, "DROP ROLE IF EXISTS projector")
    change(warehouse_url, "CREATE ROLE projector LOGIN")
    warehouse = Warehouse(conninfo.make_conninfo(warehouse_url, user="projector"))
    yield warehouse
    warehouse.close()
    change(warehouse_url, "DROP OWNED BY projector")
    change(warehouse_url, "DROP ROLE projector")


def a_row(event_id: str = "a", name: str = "page_view") -> Row:
    return flatten(f'{{"eventId": "{event_id}", "eventName": "{name}"}}'.encode(), "key", NOW)


def ask(url: str, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """Ask the database itself, in UTC."""
    with psycopg.connect(url, autocommit=True, options="-c timezone=UTC") as connection:
        return connection.execute(query, parameters).fetchall()


def change(url: str, statement: str) -> None:
    """Change the database itself."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


class TestInsert:
    def test_the_table_is_created_on_first_use(self, warehouse: Warehouse, warehouse_url: str) -> None:
        """With the contract's columns, types, key and index, and nothing else."""
        assert warehouse.insert(a_row())
        columns = ask(
            warehouse_url,
            "SELECT column_name, data_type FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name = 'clickstream_events' ORDER BY ordinal_position",
        )
        spelled = {"timestamp with time zone": "TIMESTAMPTZ"}
        assert [(name, spelled.get(kind, kind.upper())) for name, kind in columns] == [
            (c.name, c.type) for c in COLUMNS
        ]
        indexes = {definition for (definition,) in ask(warehouse_url, "SELECT indexdef FROM pg_indexes")}
        assert any(
            "UNIQUE" in index and index.endswith("clickstream_events USING btree (event_id)") for index in indexes
        )
        assert any(index.endswith("clickstream_events USING btree (event_timestamp)") for index in indexes)

    def test_a_second_row_with_the_same_id_changes_nothing(self, warehouse: Warehouse, warehouse_url: str) -> None:
        """The first one projected stays."""
        assert warehouse.insert(a_row(name="first"))
        assert not warehouse.insert(a_row(name="second"))
        assert ask(warehouse_url, "SELECT event_name FROM clickstream_events") == [("first",)]

    def test_a_dropped_table_is_created_again(self, warehouse: Warehouse, warehouse_url: str) -> None:
        """Also under a connection that has seen it."""
        warehouse.insert(a_row())
        with psycopg.connect(warehouse_url, autocommit=True) as connection:
            connection.execute("DROP TABLE clickstream_events")
        assert warehouse.insert(a_row())

    def test_existing_tables_need_no_right_to_create(
        self, warehouse: Warehouse, warehouse_url: str, limited: Warehouse
    ) -> None:
        """The projector's own user may be allowed to insert, and nothing more."""
        warehouse.insert(a_row())
        change(warehouse_url, GRANT_INSERT)
        assert limited.insert(a_row("b"))
        assert not limited.insert(a_row("b"))

    def test_an_empty_warehouse_and_no_right_to_create(self, limited: Warehouse) -> None:
        """The error names the table that the event needs, and what to do."""
        with pytest.raises(WarehouseUnavailable, match=r'"public.clickstream_events" does not exist: run .* upgrade'):
            limited.insert(a_row())

    def test_several_first_uses_at_once_agree(self, warehouse_url: str) -> None:
        """Many Lambdas may start on an empty warehouse together."""
        start = Barrier(8)
        inserted: list[bool] = []

        def run() -> None:
            warehouse = Warehouse(warehouse_url)
            start.wait()
            inserted.append(warehouse.insert(a_row()))
            warehouse.close()

        threads = [Thread(target=run) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(inserted) == [False] * 7 + [True]

    def test_a_connection_that_died_is_opened_again(self, warehouse: Warehouse, warehouse_url: str) -> None:
        """The statement is run once more: it is idempotent."""
        warehouse.insert(a_row("a"))
        assert ask(warehouse_url, KILL_OTHERS) == [(True,)]
        assert warehouse.insert(a_row("b"))

    def test_threads_may_share_it(self, warehouse: Warehouse, warehouse_url: str) -> None:
        """They take turns, also at opening the connection again."""
        warehouse.insert(a_row("first"))

        def run(name: str) -> None:
            for n in range(20):
                assert warehouse.insert(a_row(f"{name}{n}"))

        with ThreadPoolExecutor(4) as pool:
            runs = [pool.submit(run, name) for name in "abcd"]
            ask(warehouse_url, KILL_OTHERS)
            for each in runs:
                each.result()
        assert ask(warehouse_url, "SELECT count(*) FROM clickstream_events") == [(81,)]

    def test_one_connection_is_kept(self, warehouse: Warehouse, warehouse_url: str) -> None:
        """A connection for each event would be the warehouse's end."""
        for event_id in "abc":
            warehouse.insert(a_row(event_id))
        query = (
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE application_name = 'clickstream-projector' AND datname = current_database()"
        )
        assert ask(warehouse_url, query) == [(1,)]

    def test_a_warehouse_that_is_away_raises(self) -> None:
        """The error says so, and not the password."""
        away = Warehouse("postgresql://user:secret@127.0.0.1:1/db")
        with pytest.raises(WarehouseUnavailable, match="the warehouse failed: ") as raised:
            away.insert(a_row())
        assert "secret" not in str(raised.value)

    def test_what_a_constraint_refuses_is_not_quoted(self, warehouse: Warehouse, warehouse_url: str) -> None:
        """PostgreSQL's own text would hold the row."""
        warehouse.insert(a_row())
        with psycopg.connect(warehouse_url, autocommit=True) as connection:
            connection.execute("ALTER TABLE clickstream_events ADD CHECK (event_name <> 'private')")
        with pytest.raises(
            WarehouseUnavailable, match=r"refused the row: CheckViolation of clickstream_events_\w+_check$"
        ):
            warehouse.insert(a_row("b", "private"))

    def test_a_refused_row_costs_no_connection(self, warehouse: Warehouse, warehouse_url: str) -> None:
        """The row is tried once, and the connection is kept: neither was at fault."""
        warehouse.insert(a_row())
        change(warehouse_url, "CREATE SEQUENCE tries")
        change(warehouse_url, "ALTER TABLE clickstream_events ADD CHECK (nextval('tries') > 0 AND event_name <> 'bad')")
        before = warehouse._connection
        with pytest.raises(RowRefused):
            warehouse.insert(a_row("b", "bad"))
        assert warehouse._connection is before
        # The constraint was checked once for the row that was there already, and once for the refused one.
        assert ask(warehouse_url, "SELECT last_value FROM tries") == [(2,)]

    @pytest.mark.parametrize("state", ["53100", "57P01", "08006", "25006"])
    def test_what_ails_the_server_is_no_refusal_of_a_row(
        self, state: str, warehouse: Warehouse, warehouse_url: str
    ) -> None:
        """A full disk, a shutdown, a lost connection, a server that only reads."""
        warehouse.insert(a_row())
        change(
            warehouse_url,
            "CREATE FUNCTION ail() RETURNS TRIGGER LANGUAGE plpgsql AS $$"
            f"BEGIN RAISE EXCEPTION 'ill' USING ERRCODE = '{state}'; END $$",
        )
        change(
            warehouse_url,
            "CREATE TRIGGER ail BEFORE INSERT ON clickstream_events FOR EACH ROW EXECUTE FUNCTION ail()",
        )
        with pytest.raises(WarehouseUnavailable, match="the warehouse failed: ill") as raised:
            warehouse.insert(a_row("b"))
        assert not isinstance(raised.value, RowRefused)

    @pytest.mark.slow
    @settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(body=hostile_payloads | object_texts().map(lambda drawn: drawn[0]))
    def test_any_json_object_fits_the_table(self, body: str, warehouse: Warehouse, warehouse_url: str) -> None:
        """Flattening never raises, and PostgreSQL stores exactly the row that Python made."""
        del warehouse_url
        key = f"events/{uuid5(NAMESPACE_URL, body.encode('utf-8', 'surrogatepass').hex())}.json"
        row = flatten(body.encode(), key, NOW)
        warehouse.insert(row)
        assert warehouse._connection is not None
        with warehouse._connection.transaction():
            warehouse._connection.execute("SET LOCAL timezone = 'UTC'")
            stored = warehouse._connection.execute(f"{ALL_EVENTS} WHERE event_id = %s", row[:1]).fetchall()
            warehouse._connection.execute("DELETE FROM clickstream_events")
        assert stored == [row]


class TestInsertAll:
    def test_all_come_with_one_transaction(self, warehouse: Warehouse, warehouse_url: str) -> None:
        """Each row tells whether it is new: known ones, and the second of two with the same id, are not."""
        warehouse.insert(a_row("known"))
        rows = [a_row("a", "first"), a_row("known"), a_row("a", "second"), a_row("b")]
        assert warehouse.insert_all(rows) == ["projected", "already_known", "already_known", "projected"]
        assert warehouse.insert_all(rows) == ["already_known"] * 4
        found = ask(warehouse_url, "SELECT count(*), count(DISTINCT xmin::TEXT) FROM clickstream_events")
        assert found == [(3, 2)]

    def test_one_that_is_refused_keeps_all_out(self, warehouse: Warehouse, warehouse_url: str) -> None:
        """They can be inserted one by one then."""
        warehouse.insert(a_row())
        change(warehouse_url, "ALTER TABLE clickstream_events ADD CHECK (event_name <> 'bad')")
        with pytest.raises(RowRefused):
            warehouse.insert_all([a_row("b"), a_row("c", "bad")])
        assert ask(warehouse_url, "SELECT count(*) FROM clickstream_events") == [(1,)]
        assert warehouse.insert(a_row("b"))

    def test_a_value_that_cannot_be_sent_is_refused_alone(self, warehouse: Warehouse, warehouse_url: str) -> None:
        """By psycopg itself, which names no SQLSTATE: the warehouse is there, and takes the other row."""
        good, bad = a_row("a"), (*a_row("b")[:2], "zero\x00", *a_row("b")[3:])
        warehouse.insert(a_row("c"))
        for rows in ([good, bad], [bad]):
            with pytest.raises(RowRefused, match="the warehouse refused the row: DataError"):
                warehouse.insert_all(rows)
        assert warehouse.insert(good)
        assert ask(warehouse_url, "SELECT count(*) FROM clickstream_events") == [(2,)]

    def test_the_table_is_created_on_first_use(self, warehouse: Warehouse) -> None:
        """As for one row."""
        assert warehouse.insert_all([a_row("a"), a_row("b")]) == ["projected"] * 2

    def test_it_needs_no_more_rights_than_one_row(
        self, warehouse: Warehouse, warehouse_url: str, limited: Warehouse
    ) -> None:
        """To insert, and to read the id."""
        warehouse.insert(a_row())
        change(warehouse_url, GRANT_INSERT)
        assert limited.insert_all([a_row("a"), a_row("b")]) == ["already_known", "projected"]

    def test_values_of_every_kind_arrive_as_they_are(self, warehouse: Warehouse, warehouse_url: str) -> None:
        """Also beside rows that lack them, or have a larger number."""
        bodies = ["{}", '{"product": {"price": 3}}', '{"product": {"price": 5000000000}, "isFirstVisit": true}']
        rows = [flatten(body.encode(), f"events/{number}.json", NOW) for number, body in enumerate(bodies)]
        assert warehouse.insert_all(rows) == ["projected"] * 3
        assert sorted(ask(warehouse_url, ALL_EVENTS), key=str) == sorted(rows, key=str)


class TestPause:
    """A warehouse that may pause: Aurora with a least capacity of 0."""

    def test_no_connection_is_kept(self, warehouse_url: str) -> None:
        """An open connection would keep the warehouse awake, and be paid for, all night."""
        warehouse = Warehouse(warehouse_url, may_pause=True)
        assert warehouse.insert(a_row("a"))
        assert warehouse.insert_all([a_row("a"), a_row("b")]) == ["already_known", "projected"]
        with pytest.raises(RowRefused):
            warehouse.insert((None, *a_row("c")[1:]))
        count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'clickstream-projector'"
        deadline = monotonic() + 5
        while ask(warehouse_url, count) != [(0,)]:  # PostgreSQL says goodbye a moment later
            assert monotonic() < deadline

    def test_it_has_the_time_to_wake_up(self, warehouse_url: str) -> None:
        """It takes a connection at once, and answers once it is awake: here after 6 seconds, in AWS after some 15."""
        with _Asleep(warehouse_url, seconds=6) as url, pytest.raises(WarehouseUnavailable, match="timeout"):
            Warehouse(url).insert(a_row())
        with _Asleep(warehouse_url, seconds=6) as url:
            assert Warehouse(url, may_pause=True).insert(a_row())


class _Asleep:
    """A way to the warehouse on which nothing comes back for some seconds after the first connection."""

    def __init__(self, url: str, seconds: float) -> None:
        self._parameters = conninfo.conninfo_to_dict(url)
        self._seconds = seconds
        self._server = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._thread = Thread(target=self._accept)

    def __enter__(self) -> str:
        self._thread.start()
        there = {"host": "127.0.0.1", "hostaddr": "127.0.0.1", "port": self._server.getsockname()[1]}
        return conninfo.make_conninfo(**self._parameters | there)

    def __exit__(self, *_: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._server.close()
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        awake = monotonic() + self._seconds
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            self._open.append(client)
            sleep(max(0, awake - monotonic()))
            host, port = str(self._parameters.get("host", "127.0.0.1")), int(self._parameters.get("port") or 5432)
            upstream = socket.socket(socket.AF_UNIX) if host.startswith("/") else socket.socket()
            self._open.append(upstream)
            upstream.connect(f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, port))
            for source, sink in ((client, upstream), (upstream, client)):
                Thread(target=_pass_on, args=(source, sink), daemon=True).start()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


class TestPriceDecimals:
    def test_a_writer_with_others_is_refused_until_the_warehouse_has_its_own(
        self, warehouse: Warehouse, warehouse_url: str
    ) -> None:
        """Whatever it wants to write; each try asks again, so nothing needs to be started anew."""
        warehouse.insert(a_row("before"))
        other = Warehouse(warehouse_url, Schema(price_decimals=2))
        for attempt in (
            lambda: other.insert(a_row()),
            lambda: other.reject("raw", "events/a.json", "the body is an array"),
        ):
            with pytest.raises(OtherPriceDecimals, match="stored with PRICE_DECIMALS=0, and here it is 2"):
                attempt()
        assert ask(warehouse_url, "SELECT count(*) FROM clickstream_events") == [(1,)]
        change(warehouse_url, "UPDATE clickstream_settings SET value = '2' WHERE name = 'price_decimals'")
        assert other.insert(a_row())
        other.close()

    def test_a_kept_connection_asks_only_once(self, warehouse: Warehouse, warehouse_url: str) -> None:
        """The check costs nothing for each row; a new connection asks again."""
        warehouse.insert(a_row("a"))
        change(warehouse_url, "UPDATE clickstream_settings SET value = '2' WHERE name = 'price_decimals'")
        assert warehouse.insert(a_row("b"))
        ask(warehouse_url, KILL_OTHERS)
        with pytest.raises(OtherPriceDecimals):
            warehouse.insert(a_row("c"))


class TestReject:
    def test_its_table_is_created_beside_one_of_somebody_else(self, warehouse_url: str, limited: Warehouse) -> None:
        """A role that may create tables, and not alter the table of events, still names rejects."""
        change(warehouse_url, "CREATE TABLE clickstream_events (event_id UUID PRIMARY KEY)")
        change(warehouse_url, "GRANT CREATE ON SCHEMA public TO projector")
        limited.reject("raw", "events/a.json", "the body is an array")
        assert ask(warehouse_url, "SELECT key FROM clickstream_rejects") == [("events/a.json",)]

    def test_an_object_is_named_once(self, warehouse: Warehouse, warehouse_url: str) -> None:
        """Bucket, key, first reason, first time; the object is the key."""
        warehouse.reject("raw", "events/a.json", "the body is an array")
        first_seen = ask(warehouse_url, "SELECT first_seen FROM clickstream_rejects")
        warehouse.reject("raw", "events/a.json", "another reason")
        assert ask(warehouse_url, "SELECT first_seen FROM clickstream_rejects") == first_seen
        warehouse.reject("raw", "events/\x00.json", "an unstorable key")
        found = ask(
            warehouse_url,
            "SELECT bucket, key, reason, first_seen > now() - interval '1 minute' FROM clickstream_rejects",
        )
        assert found == [
            ("raw", "events/a.json", "the body is an array", True),
            ("raw", "events/\ufffd.json", "an unstorable key", True),
        ]


class TestUrl:
    @pytest.mark.parametrize(
        "url",
        [
            "",
            "postgresqlx://user:secret@host/db",
            "host=db password=secret nonsense",
            "postgresql://user:top@secret@host/db",
            "postgresql://user:top/secret@host/db",
        ],
    )
    def test_a_url_that_is_none_is_named_without_its_password(self, url: str) -> None:
        """The variable, and what to do."""
        with pytest.raises(
            SettingsError, match=r"DW_URL is not .*(postgresql://user@host/database|percent-encode)"
        ) as raised:
            Warehouse(url)
        assert "secret" not in str(raised.value)
        assert raised.value.__cause__ is None

    def test_the_users_own_encoding_does_not_matter(self, warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Text is always sent as UTF-8."""
        monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
        warehouse = Warehouse(warehouse_url)
        assert warehouse.insert(a_row(name="\u1ec7"))
        warehouse.close()
        assert ask(f"{warehouse_url} client_encoding=utf8", "SELECT event_name FROM clickstream_events") == [
            ("\u1ec7",)
        ]
