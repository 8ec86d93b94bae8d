import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.errors import ProjectionFailed
from chalicelib.projection import messages, projector
from chalicelib.warehouse import batch as warehouse_batch
from chalicelib.warehouse.client import Warehouse
from chalicelib.warehouse.schema import SCHEMA
from tests.support.json_texts import object_texts
from tests.support.queued import PREFIX, Memory, batch, message, named_by

pytestmark = pytest.mark.slow

REFUSE = "ALTER TABLE clickstream_events ADD CONSTRAINT no_bad CHECK (event_name <> 'bad')"
# What an erasure's trigger does to events of a person.
KEEP_OUT = """
CREATE FUNCTION keep_out() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE WHEN NEW.client_id = 'erased' THEN NULL ELSE NEW END;
END $$;
CREATE TRIGGER keep_out BEFORE INSERT ON clickstream_events FOR EACH ROW EXECUTE FUNCTION keep_out();
"""


class Database:
    """A real warehouse, and who looks into it."""

    def __init__(self, url: str) -> None:
        self.warehouse = Warehouse(url)
        self._connection = psycopg.connect(url, autocommit=True, options="-c timezone=UTC")
        SCHEMA.upgrade(self._connection)

    def run(self, statement: str) -> None:
        self._connection.execute(statement.encode())

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(query.encode()).fetchall()

    def contents(self) -> list[list[tuple[Any, ...]]]:
        """Every row, and every reject but its time."""
        rejects = "SELECT bucket, key, reason FROM clickstream_rejects ORDER BY key"
        return [self.ask("SELECT * FROM clickstream_events ORDER BY event_id"), self.ask(rejects)]

    def names(self) -> list[str]:
        return [name for (name,) in self.ask("SELECT event_name FROM clickstream_events ORDER BY 1")]

    def close(self) -> None:
        self.warehouse.close()
        self._connection.close()


NewDatabase = Callable[[], AbstractContextManager[str]]


@pytest.fixture
def database(warehouse_url: str) -> Iterator[Database]:
    """Give an empty warehouse."""
    database = Database(warehouse_url)
    yield database
    database.close()


@pytest.fixture(scope="module")
def two_databases(new_database: NewDatabase) -> Iterator[tuple[Database, Database]]:
    """Give two warehouses that refuse one name of events, and keep one client out."""
    with new_database() as one, new_database() as other:
        databases = Database(one), Database(other)
        for database in databases:
            database.run(REFUSE)
            database.run(KEEP_OUT)
        yield databases
        for database in databases:
            database.close()


def named(**members: Any) -> str:
    """The body of an event."""
    return json.dumps({"eventName": "good"} | members)


def failures(response: Mapping[str, Sequence[Mapping[str, str]]]) -> list[str]:
    """The ids of the messages that Lambda shall deliver again, as it reads them from the JSON."""
    read = json.loads(json.dumps(response))
    assert read.keys() == {"batchItemFailures"}
    return [each["itemIdentifier"] for each in read["batchItemFailures"]]


class TestHandle:
    def test_every_message_becomes_a_row(self, database: Database) -> None:
        """In one transaction; nothing is to be delivered again."""
        bodies = {f"{n}": named(eventId=f"{n}") for n in range(20)}
        response = messages.handle(batch(bodies), Memory(bodies), database.warehouse)
        assert failures(response) == []
        assert [outcome["outcome"] for outcome in response.outcomes] == ["projected"] * 20
        assert database.ask("SELECT count(*), count(DISTINCT xmin::TEXT) FROM clickstream_events") == [(20, 1)]

    def test_a_message_may_hold_several_records(self, database: Database) -> None:
        """It is delivered again if one of them failed; the others are known by then."""
        database.run(REFUSE)
        bodies = {"a": named(), "b": named(eventName="bad"), "c": named()}
        event = {"Records": [message("1", json.dumps(named_by("a", "b"))), message("2", json.dumps(named_by("c")))]}
        response = messages.handle(event, Memory(bodies), database.warehouse)
        assert failures(response) == ["1"]
        assert database.names() == ["good", "good"]
        again = messages.handle(event, Memory(bodies), database.warehouse)
        assert [outcome["outcome"] for outcome in again.outcomes] == ["already_known", "failed", "already_known"]

    def test_the_test_event_of_s3_is_done(self, database: Database) -> None:
        """S3 sends one whenever somebody sets the bucket's notifications."""
        test = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-11-24T09:00:00.000Z", "Bucket": "raw"}
        event = {"Records": [message("1", json.dumps(test)), *batch(["a"])["Records"]]}
        response = messages.handle(event, Memory({"a": named()}), database.warehouse)
        assert failures(response) == []
        assert database.names() == ["good"]

    @pytest.mark.parametrize(
        "body",
        [
            "",
            "no JSON",
            "[]",
            "null",
            "{}",
            '{"Records": [{}]}',
            '{"Records": [{"s3": {"bucket": {"name": "raw"}, "object": {"key": 7}}}]}',
            '{"Records": [{"s3": {"bucket": {"name": "raw"}, "object": {"key": "events/a.json", "size": "large"}}}]}',
            '{"Records": 7}',
            "[" * 100_000,
        ],
    )
    def test_a_message_that_is_not_of_s3_fails_alone(
        self, body: str, database: Database, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """As an invocation of the direct trigger with such an event fails. It is logged, and never quoted."""
        event = {"Records": [message("odd", body), *batch(["a"])["Records"]]}
        response = messages.handle(event, Memory({"a": named()}), database.warehouse)
        assert failures(response) == ["odd"]
        assert database.names() == ["good"]
        line = json.loads(capsys.readouterr().out.splitlines()[0])
        assert (line["outcome"], line["level"], line["message"], line["kind"]) == (
            "failed",
            "ERROR",
            "odd",
            "InvalidNotification",
        )
        assert line["error"].startswith("the message is not one of S3's notifications")

    def test_an_object_that_is_gone_is_done(self, database: Database) -> None:
        """As the direct trigger does it: nothing can be done, and nothing has to be."""
        response = messages.handle(batch(["gone", "a"]), Memory({"a": named()}), database.warehouse)
        assert failures(response) == []
        assert [outcome["outcome"] for outcome in response.outcomes] == ["gone", "projected"]

    def test_an_event_twice_in_a_batch_is_one_row(self, database: Database) -> None:
        """The same message twice, and another object of the same event: the first one counts."""
        bodies = {"a": named(eventId="1", eventName="first"), "b": named(eventId="1", eventName="second")}
        response = messages.handle(batch(["a", "a", "b"]), Memory(bodies), database.warehouse)
        assert [outcome["outcome"] for outcome in response.outcomes] == ["projected", "already_known", "already_known"]
        assert database.names() == ["first"]

    @pytest.mark.parametrize("count", [3, 600])
    def test_a_refused_row_delays_nobody(self, count: int, database: Database) -> None:
        """Its message alone is delivered again, also among so many that they are copied."""
        database.run(REFUSE)
        bodies = {f"{n}": named(eventId=f"{n}", eventName="bad" if n == 1 else "good") for n in range(count)}
        response = messages.handle(batch(bodies), Memory(bodies), database.warehouse)
        assert failures(response) == ["1"]
        assert database.names() == ["good"] * (count - 1)

    def test_a_value_that_does_not_fit_is_null(self, database: Database) -> None:
        """It costs neither its row nor the batch."""
        values = ['"a\\u0000b"', "1e400", "9223372036854775808", '{"x": []}', '"\\ud800"', "true"]
        bodies = {
            f"{n}": f'{{"userId": {value}, "isFirstVisit": {value}, "product": {{"price": {value}, "name": {value}}}}}'
            for n, value in enumerate(values)
        }
        assert failures(messages.handle(batch(bodies), Memory(bodies), database.warehouse)) == []
        found = database.ask(
            "SELECT user_id, is_first_visit, context_product_price FROM clickstream_events ORDER BY 1, 2"
        )
        assert found == [
            ("1e400", None, None),
            ("9223372036854775808", None, None),
            ("a\ufffdb", None, None),
            ("\ufffd", None, None),
            (None, True, None),
            (None, None, None),
        ]

    def test_while_the_warehouse_is_away_every_message_comes_again(self) -> None:
        """All of them."""
        warehouse = Warehouse("postgresql://127.0.0.1:1/db")
        response = messages.handle(batch(["a", "b"]), Memory({"a": named(), "b": "[]"}), warehouse)
        assert failures(response) == ["0", "1"]
        assert {outcome["kind"] for outcome in response.outcomes} == {"WarehouseUnavailable"}

    def test_what_nobody_foresaw_fails_one_message_only(
        self, database: Database, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """An object at which this code itself fails is no other object's problem, and is not quoted."""

        class Poisoned(Memory):
            def get(self, bucket: str, key: str) -> Any:
                if key == f"{PREFIX}poison.json":
                    raise ValueError("private")
                return super().get(bucket, key)

        bodies = {"a": named(), "poison": named(), "b": named()}
        response = messages.handle(batch(bodies), Poisoned(bodies), database.warehouse)
        assert failures(response) == ["1"]
        assert database.names() == ["good", "good"]
        assert "private" not in capsys.readouterr().out


# Few ids, so that events meet their own kind; some are refused, some are of an erased person, some are no events.
bodies_of_events = st.one_of(
    st.builds(
        lambda event_id, name, client, price: json.dumps(
            {"eventId": event_id, "eventName": name, "clientId": client, "product": {"price": price}}
        ),
        st.sampled_from("abc"),
        st.sampled_from(["one", "other", "bad"]),
        st.sampled_from(["erased", "shopper"]),
        st.integers(0, 3),
    ),
    object_texts(),
    st.sampled_from(["[]", "", '{"eventId": "a"', "nonsense"]),
)


class TestBothTriggers:
    @settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        bodies=st.lists(bodies_of_events, min_size=1, max_size=12),
        again=st.lists(st.integers(0, 11), max_size=6),
        copy_rows=st.sampled_from([2, 500]),
    )
    def test_they_give_the_same_rows(
        self, two_databases: tuple[Database, Database], bodies: list[str], again: list[int], copy_rows: int
    ) -> None:
        """Object by object or all in one batch, by arrays or by COPY: the same rows, rejects and outcomes."""
        objects = {f"{number}": body for number, body in enumerate(bodies)}
        names = [*objects, *(f"{number}" for number in again if number < len(bodies))]
        storage = Memory(objects)
        direct, queue = two_databases
        for database in two_databases:
            database.run("TRUNCATE clickstream_events, clickstream_rejects")
        one_by_one: list[Mapping[str, Any]] = []
        for name in names:
            try:
                one_by_one += projector.handle(named_by(name), storage, direct.warehouse)
            except ProjectionFailed as error:
                one_by_one += error.outcomes
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(warehouse_batch, "COPY_ROWS", copy_rows)
            response = messages.handle(batch(names), storage, queue.warehouse)
        assert queue.contents() == direct.contents()
        pairs = [(one["outcome"], each["outcome"]) for one, each in zip(one_by_one, response.outcomes, strict=True)]
        # A repeat of an event is not even sent to PostgreSQL, which alone would refuse it before it finds it known.
        assert [pair for pair in pairs if pair[0] != pair[1] and pair != ("failed", "already_known")] == []
        assert failures(response) == [str(number) for number, (_, each) in enumerate(pairs) if each == "failed"]


class TestIsBatch:
    @pytest.mark.parametrize(
        ("event", "expected"), [(batch(["a"]), True), (named_by("a"), False), ({}, False), ({"Records": []}, False)]
    )
    def test_events_of_sqs_are_told_from_others(self, event: Mapping[str, Any], expected: bool) -> None:  # noqa: FBT001
        """By what AWS says is their source."""
        assert messages.is_batch(event) is expected
