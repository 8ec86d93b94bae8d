import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import psycopg
import pytest

from chalicelib.contract import EVENT_NAMES
from chalicelib.errors import ProjectionFailed
from chalicelib.flatten import Row
from chalicelib.projection import projector
from chalicelib.projection.batch import Named
from chalicelib.storage import RawStorage
from chalicelib.warehouse.client import Warehouse
from chalicelib.warehouse.schema import Schema
from command_line.home import BUCKET
from emulator.triggers.notification import object_created

pytestmark = pytest.mark.slow

PREFIX = "events/2026/11/24/09/"


@pytest.fixture
def warehouse(warehouse_url: str) -> Iterator[Warehouse]:
    """Give a warehouse on an empty database."""
    warehouse = Warehouse(warehouse_url)
    yield warehouse
    warehouse.close()


def notification(*keys: str) -> dict[str, Any]:
    """One S3 event with a record for each key."""
    return {"Records": [record for key in keys for record in object_created(BUCKET, key, 1)["Records"]]}


def put(client: Any, bodies: Mapping[str, str | bytes]) -> list[str]:
    """Store objects by the names of their keys; the keys."""
    for name, body in bodies.items():
        client.put_object(Bucket=BUCKET, Key=f"{PREFIX}{name}.json", Body=body)
    return [f"{PREFIX}{name}.json" for name in bodies]


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    """Ask the database itself."""
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(query).fetchall()


class TestObjects:
    def test_every_record_is_taken_and_keys_are_decoded(self, payload: Callable[[str], bytes]) -> None:
        """Spaces come as `+`, a plus as `%2B`, other characters as UTF-8 in percent signs."""
        assert list(projector.objects(json.loads(payload("s3_several_records")))) == [
            Named(BUCKET, f"{PREFIX}event with spaces.json", 1),
            Named(BUCKET, f"{PREFIX}event-a+b.json", 1),
            Named(BUCKET, f"{PREFIX}event-sản phẩm.json", 1),
        ]

    def test_an_event_without_records_names_nothing(self) -> None:
        """Such as the test event that S3 sends when notifications are set up."""
        assert list(projector.objects({"Event": "s3:TestEvent"})) == []


STRAYS = ("events/x.json", "events/year=2026/x.json", "events/2026/11/24/x.json", "events/2026/13/01/00/x.json")


class TestHandle:
    @pytest.mark.parametrize("key", STRAYS)
    def test_an_object_in_no_hour_is_a_reject(
        self, key: str, aws: Any, warehouse: Warehouse, warehouse_url: str
    ) -> None:
        """No reader and no rebuild looks there, so a row of it would have no source."""
        aws.put_object(Bucket=BUCKET, Key=key, Body=b'{"eventName": "page_view"}')
        (outcome,) = projector.handle(notification(key), RawStorage(aws), warehouse)
        assert outcome["outcome"] == "rejected"
        assert outcome["reason"] == "the key is not below an hour, events/YYYY/MM/DD/HH/: move the object there"
        assert rows(warehouse_url, "SELECT key FROM clickstream_rejects") == [(key,)]
        assert rows(warehouse_url, "SELECT count(*) FROM clickstream_events") == [(0,)]

    def test_an_object_below_an_hour_is_projected(self, aws: Any, warehouse: Warehouse) -> None:
        """At any depth, as readers take it."""
        key = f"{PREFIX}deep/x.json"
        aws.put_object(Bucket=BUCKET, Key=key, Body=b"{}")
        (outcome,) = projector.handle(notification(key), RawStorage(aws), warehouse)
        assert outcome["outcome"] == "projected"

    def test_every_event_name_becomes_a_row(
        self, aws: Any, warehouse: Warehouse, warehouse_url: str, payload: Callable[[str], bytes]
    ) -> None:
        """One notification, fourteen records, fourteen rows."""
        keys = put(aws, {name: payload(name) for name in EVENT_NAMES})
        outcomes = projector.handle(notification(*keys), RawStorage(aws), warehouse)
        assert {outcome["outcome"] for outcome in outcomes} == {"projected"}
        names = rows(warehouse_url, "SELECT event_name FROM clickstream_events")
        assert {name for (name,) in names} == set(EVENT_NAMES)

    def test_keys_with_odd_characters_are_found(
        self, aws: Any, warehouse: Warehouse, payload: Callable[[str], bytes]
    ) -> None:
        """As AWS encodes them."""
        put(aws, dict.fromkeys(("event with spaces", "event-a+b", "event-sản phẩm"), "{}"))
        outcomes = projector.handle(json.loads(payload("s3_several_records")), RawStorage(aws), warehouse)
        assert [outcome["outcome"] for outcome in outcomes] == ["projected"] * 3

    def test_an_event_that_is_refused_for_its_decimals_can_be_delivered_again(
        self, aws: Any, warehouse: Warehouse, warehouse_url: str
    ) -> None:
        """It fails as when the warehouse is away: Lambda tries again, and then keeps it. A rebuild makes it a row."""
        first, second = put(aws, dict.fromkeys(("first", "second"), '{"product": {"price": 12.99}}'))
        projector.handle(notification(first), RawStorage(aws), warehouse)
        other = Warehouse(warehouse_url, Schema(price_decimals=2))
        with pytest.raises(ProjectionFailed, match="PRICE_DECIMALS=0, and here it is 2"):
            projector.handle(notification(second), RawStorage(aws), other, 2)
        prices = "SELECT context_product_price FROM clickstream_events"
        assert rows(warehouse_url, prices) == [(13,)]
        with psycopg.connect(warehouse_url, autocommit=True) as connection:
            connection.execute("TRUNCATE clickstream_events")
            Schema(price_decimals=2).change_decimals(connection)
        outcomes = projector.handle(notification(first, second), RawStorage(aws), other, 2)
        assert [outcome["outcome"] for outcome in outcomes] == ["projected"] * 2
        assert rows(warehouse_url, prices) == [(1299,), (1299,)]
        other.close()

    def test_a_second_delivery_changes_nothing(self, aws: Any, warehouse: Warehouse, warehouse_url: str) -> None:
        """S3 delivers at least once."""
        (key,) = put(aws, {"a": '{"eventId": "a"}'})
        outcomes = [projector.handle(notification(key), RawStorage(aws), warehouse)[0]["outcome"] for _ in range(2)]
        assert outcomes == ["projected", "already_known"]
        assert rows(warehouse_url, "SELECT count(*) FROM clickstream_events") == [(1,)]

    @pytest.mark.slow
    def test_an_hour_of_good_and_bad_objects_gives_all_that_can_be_a_row(
        self, aws: Any, warehouse: Warehouse, warehouse_url: str
    ) -> None:
        """A bad value does not cost its row, and a bad object does not cost its batch; to repeat changes nothing."""
        good = {f"good-{n}": json.dumps({"eventId": f"good-{n}", "product": {"price": n}}) for n in range(200)}
        odd = {
            "price-decimal": '{"eventName": "price-decimal", "product": {"price": 35.79}}',
            "price-text": '{"eventName": "price-text", "product": {"price": "1990000"}}',
            "price-huge": '{"eventName": "price-huge", "product": {"price": 1e400}}',
            "id-abc": '{"eventName": "id-abc", "eventId": "abc"}',
            "id-none": '{"eventName": "id-none"}',
            "brand-object": '{"eventName": "brand-object", "product": {"brand": {"name": "Nike"}}}',
            "text-zero": '{"eventName": "text-zero", "userId": "a\\u0000b"}',
            "first-maybe": '{"eventName": "first-maybe", "isFirstVisit": "maybe"}',
        }
        bad = {"array": "[1]", "truncated": '{"eventId": "a", "eventNa'}
        keys = put(aws, good | odd | bad)
        query = "SELECT * FROM clickstream_events ORDER BY event_id"
        seen = []
        for delivery in (keys, keys[::-1]):
            for key in delivery:
                projector.handle(notification(key), RawStorage(aws), warehouse)
            seen.append(rows(warehouse_url, query))
        assert len(seen[0]) == 208
        assert seen[0] == seen[1]
        found = rows(
            warehouse_url,
            "SELECT event_name, context_product_price, context_product_brand, user_id, is_first_visit"
            " FROM clickstream_events WHERE event_name <> 'unknown' ORDER BY 1",
        )
        assert found == [
            ("brand-object", None, "Nike", None, None),
            ("first-maybe", None, None, None, None),
            ("id-abc", None, None, None, None),
            ("id-none", None, None, None, None),
            ("price-decimal", 36, None, None, None),
            ("price-huge", None, None, None, None),
            ("price-text", 1990000, None, None, None),
            ("text-zero", None, None, "a\ufffdb", None),
        ]
        rejects = rows(warehouse_url, "SELECT bucket, key, reason FROM clickstream_rejects ORDER BY key")
        assert [(bucket, key) for bucket, key, _ in rejects] == [
            (BUCKET, f"{PREFIX}array.json"),
            (BUCKET, f"{PREFIX}truncated.json"),
        ]
        assert rejects[0][2] == "the body is an array: send one JSON object"
        assert "line 1, column" in rejects[1][2]

    def test_an_object_that_is_gone_is_passed_over(self, aws: Any, warehouse: Warehouse) -> None:
        """Nothing can be done, and nothing has to be."""
        (outcome,) = projector.handle(notification("events/gone.json"), RawStorage(aws), warehouse)
        assert outcome["outcome"] == "gone"

    def test_a_failure_raises_after_the_others_are_done(
        self, aws: Any, warehouse: Warehouse, warehouse_url: str
    ) -> None:
        """Lambda then retries; what is done already is known by then."""
        event = notification(*put(aws, {"a": "{}", "b": "{}"}))
        event["Records"][0]["s3"]["bucket"]["name"] = "no-such-bucket"
        with pytest.raises(
            ProjectionFailed, match=r"1 of 2 objects could not be projected; the first error: .*NoSuchBucket"
        ):
            projector.handle(event, RawStorage(aws), warehouse)
        assert rows(warehouse_url, "SELECT count(*) FROM clickstream_events") == [(1,)]

    def test_a_warehouse_that_is_away_raises(self, aws: Any) -> None:
        """Lambda then retries."""
        event = notification(*put(aws, {"a": "{}"}))
        with pytest.raises(ProjectionFailed, match="the warehouse failed"):
            projector.handle(event, RawStorage(aws), Warehouse("postgresql://127.0.0.1:1/db"))

    def test_objects_of_one_notification_share_a_transaction(
        self, aws: Any, warehouse: Warehouse, warehouse_url: str
    ) -> None:
        """A commit waits for the disk, so that one for each row would take most of the time."""
        keys = put(aws, {f"{n}": f'{{"eventId": "{n}"}}' for n in range(20)} | {"reject": "[]"})
        outcomes = projector.handle(notification(*keys, "events/gone.json"), RawStorage(aws), warehouse)
        assert [outcome["outcome"] for outcome in outcomes] == ["projected"] * 20 + ["rejected", "gone"]
        transactions = "SELECT count(*), count(DISTINCT xmin::TEXT) FROM clickstream_events"
        assert rows(warehouse_url, transactions) == [(20, 1)]

    def test_the_same_event_twice_in_one_notification_is_one_row(
        self, aws: Any, warehouse: Warehouse, warehouse_url: str
    ) -> None:
        """The same object, and another object of the same event."""
        (a, b) = put(aws, {"a": '{"eventId": "1"}', "b": '{"eventId": "1"}'})
        outcomes = projector.handle(notification(a, a, b), RawStorage(aws), warehouse)
        assert [outcome["outcome"] for outcome in outcomes] == ["projected", "already_known", "already_known"]
        assert rows(warehouse_url, "SELECT count(*) FROM clickstream_events") == [(1,)]

    def test_a_row_that_the_warehouse_refuses_keeps_no_other_out(
        self, aws: Any, warehouse: Warehouse, warehouse_url: str
    ) -> None:
        """The error tells how each object fared, and the constraint, which an analyst may have added."""
        projector.handle(notification(*put(aws, {"first": "{}"})), RawStorage(aws), warehouse)
        with psycopg.connect(warehouse_url, autocommit=True) as connection:
            connection.execute("ALTER TABLE clickstream_events ADD CONSTRAINT no_bad CHECK (event_name <> 'bad')")
        bodies = {f"{n}": json.dumps({"eventId": f"{n}", "eventName": "bad" if n == 7 else "good"}) for n in range(20)}
        with pytest.raises(ProjectionFailed, match=r"1 of 20 .*: the warehouse refused the row: .*no_bad") as raised:
            projector.handle(notification(*put(aws, bodies)), RawStorage(aws), warehouse)
        outcomes = raised.value.outcomes
        assert [outcome["outcome"] for outcome in outcomes] == ["failed" if n == 7 else "projected" for n in range(20)]
        assert (outcomes[7]["kind"], outcomes[7]["key"]) == ("RowRefused", f"{PREFIX}7.json")
        assert rows(warehouse_url, "SELECT count(*) FROM clickstream_events WHERE event_name = 'good'") == [(19,)]

    def test_a_warehouse_that_is_away_is_tried_once_for_all_objects(self, aws: Any) -> None:
        """Each try may wait for the same timeout."""
        event = notification(*put(aws, {f"{n}": "{}" for n in range(5)}))
        with socket.create_server(("127.0.0.1", 0)) as server:
            tries = []

            def hang_up() -> None:
                while True:
                    try:
                        connection, _ = server.accept()
                    except OSError:
                        return
                    tries.append(1)
                    connection.close()

            listener = threading.Thread(target=hang_up)
            listener.start()
            warehouse = Warehouse(
                f"postgresql://u@127.0.0.1:{server.getsockname()[1]}/db?sslmode=disable&gssencmode=disable"
            )
            with pytest.raises(ProjectionFailed, match="5 of 5") as raised:
                projector.handle(event, RawStorage(aws), warehouse)
            server.shutdown(socket.SHUT_RDWR)
            listener.join()
        assert {outcome["kind"] for outcome in raised.value.outcomes} == {"WarehouseUnavailable"}
        assert len(tries) == 1

    def test_what_nobody_foresaw_fails_one_object_only(
        self, aws: Any, warehouse: Warehouse, warehouse_url: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """It is logged by its place, without its text, and raised so that Lambda retries."""
        insert_all = warehouse.insert_all

        def failing(rows: Sequence[Row]) -> list[str]:
            if any(row[2] == "bad" for row in rows):
                raise ValueError("private")
            return insert_all(rows)

        warehouse.insert_all = failing  # type: ignore[method-assign]
        keys = put(aws, {"a": '{"eventName": "bad"}', "b": '{"eventName": "good"}'})
        with pytest.raises(ProjectionFailed, match="ValueError at failing, line"):
            projector.handle(notification(*keys), RawStorage(aws), warehouse)
        assert rows(warehouse_url, "SELECT event_name FROM clickstream_events") == [("good",)]
        assert "private" not in capsys.readouterr().out

    def test_one_line_is_logged_per_object_and_never_the_payload(
        self, aws: Any, warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Outcome, key, event id, seconds since receipt; warnings for what became no row."""
        keys = put(aws, {"good": '{"userId": "private"}', "bad": '["private"]'})
        projector.handle(notification(*keys, "events/gone.json"), RawStorage(aws), warehouse)
        out = capsys.readouterr().out
        good, bad, gone = (json.loads(line) for line in out.splitlines())
        assert (good["outcome"], good["level"], good["key"]) == ("projected", "INFO", keys[0])
        assert good["event_id"]
        assert 0 <= good["lag_seconds"] < 60
        assert (bad["outcome"], bad["level"], bad["key"]) == ("rejected", "WARNING", keys[1])
        assert (gone["outcome"], gone["level"]) == ("gone", "WARNING")
        assert "private" not in out
