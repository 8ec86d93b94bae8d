from pathlib import Path
from urllib.parse import quote

import pytest

from chalicelib.flatten import flatten
from chalicelib.warehouse.client import Warehouse
from emulator.api.running import Running
from tests.support.running import client, running, store

pytestmark = pytest.mark.slow

KEY = "events/2026/11/24/09/event-{}.json"
NAMES = ("home_view", "product_view", "click")


@pytest.fixture
def stack(tmp_path: Path) -> Running:
    """Give a stack that has seen three events of two sessions, the second of which is a row, and a refusal."""
    stack = running(tmp_path)
    files = [
        store(
            stack,
            KEY.format(number),
            f'{{"eventName":"{name}","eventId":"e{number}","sessionId":"s{number % 2}","tabId":"t","clientId":"c",'
            f'"userId":"u{number}","product":{{"name":"Áo <b>{number}"}},'
            f'"_ingest":{{"receivedAt":"2026-11-24T09:00:0{number}.000Z"}}}}',
        )
        for number, name in enumerate(NAMES)
    ]
    stack.traces.delivered(files[1])
    stack.traces.projected(files[1], "projected", None)
    stack.traces.refused(415, "content type x is not supported")
    return stack


def found(stack: Running, query: str) -> list[str | None]:
    """The names of the events that a query finds."""
    answer = client(stack).get(f"/api/events?{query}")
    assert answer.status_code == 200
    return [event["eventName"] for event in answer.json()["events"]]


class TestEvents:
    def test_all_of_them_in_the_order_of_receipt(self, stack: Running) -> None:
        """With the figures."""
        answer = client(stack).get("/api/events").json()
        assert [event["eventName"] for event in answer["events"]] == [*NAMES, None]
        assert answer["count"] == 4
        assert answer["stats"]["accepted"] == 3

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("eventName=click", ["click"]),
            ("sessionId=s0", ["home_view", "click"]),
            ("sessionId=s0&eventName=click", ["click"]),
            ("clientId=c", list(NAMES)),
            ("tabId=t&userId=u2", ["click"]),
            ("state=row", ["product_view"]),
            ("state=stored", ["home_view", "click"]),
            ("state=refused", [None]),
            ("text=%C3%A1o+%3Cb%3E1", ["product_view"]),
            ("text=CONTENT+TYPE", [None]),
            ("since=2026-11-24T09:00:01Z", ["product_view", "click", None]),
            ("limit=2", ["click", None]),
            ("eventName=none", []),
        ],
    )
    def test_filters(self, stack: Running, query: str, names: list[str | None]) -> None:
        """All of them must hold; a limit keeps the last."""
        assert found(stack, query) == names

    @pytest.mark.parametrize(
        "time", ["9999-12-31T23:59:59.9999999", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999-01:00"]
    )
    def test_no_time_that_a_client_sends_breaks_the_list(self, stack: Running, time: str) -> None:
        """A time beyond what can be shown is not known."""
        store(stack, KEY.format(7), f'{{"eventName":"odd","eventTimestamp":"{time}"}}')
        assert found(stack, "eventName=odd") == ["odd"]

    @pytest.mark.parametrize("query", ["state=bogus", "eventName=a&eventName=b", "eventName=%00", "limit=0"])
    def test_a_filter_that_can_find_nothing_is_an_error(self, stack: Running, query: str) -> None:
        """Rather than an empty list."""
        assert client(stack).get(f"/api/events?{query}").status_code == 400

    def test_a_misspelled_filter_is_an_error(self, stack: Running) -> None:
        """It names the known ones."""
        answer = client(stack).get("/api/events?event_name=click")
        assert answer.status_code == 400
        assert "known: eventName" in answer.json()["message"]


class TestEvent:
    @pytest.fixture
    def stack(self, tmp_path: Path, warehouse_url: str) -> Running:
        """Give a stack with a real warehouse."""
        return running(tmp_path, warehouse_url)

    def project(self, stack: Running, key: str, body: str) -> None:
        """What the projector does with an object."""
        file = store(stack, key, body)
        warehouse = Warehouse(stack.stack.dw_url)
        warehouse.insert(flatten(body.encode(), key, stack.beginning.at))
        warehouse.close()
        stack.traces.projected(file, "projected", None)

    def test_the_whole_trace(self, stack: Running) -> None:
        """What was sent, the object, the row, and which member became which column."""
        sent = '{"eventId": "7c9e6679-7425-40de-944b-e07fc1f90a04", "product": {"price": 1.50e1}, "eventName": "x" }'
        raw = sent[:-1] + ',"_ingest":{"receivedAt": "2026-11-24T09:15:04.250Z"}}'
        self.project(stack, KEY.format(1), raw)
        event = client(stack).get("/api/events/7c9e6679-7425-40de-944b-e07fc1f90a04").json()
        assert event["objects"] == [{"key": KEY.format(1), "sent": sent, "raw": raw}]
        assert event["row"]["context_product_price"] == 15
        assert event["row"]["event_timestamp"] == "2026-11-24T09:15:04.250Z"
        assert [trace["state"] for trace in event["traces"]] == ["row"]
        mapping = {line["column"]: line for line in event["mapping"]}
        assert mapping["context_product_price"] == {
            "column": "context_product_price",
            "type": "BIGINT",
            "source": "product.price",
            "fallback": None,
            "value": 15,
        }
        assert mapping["event_timestamp"]["source"] == "_ingest.receivedAt"
        assert mapping["user_id"]["source"] is mapping["user_id"]["fallback"] is None

    def test_by_the_clients_own_id(self, stack: Running) -> None:
        """Which need not be a UUID; what stands in for missing members is said."""
        self.project(stack, KEY.format(1), '{"eventId": "mine/1"}')
        event = client(stack).get(f"/api/events/{quote('mine/1')}").json()
        assert event["row"]["event_id"] == event["eventId"]
        assert {line["column"]: line["fallback"] for line in event["mapping"]}["event_name"] == "unknown"

    def test_an_event_that_was_sent_twice(self, stack: Running) -> None:
        """Has both its objects."""
        for number in (1, 2):
            self.project(stack, KEY.format(number), '{"eventId": "e"}')
        event = client(stack).get("/api/events/e").json()
        assert [item["key"] for item in event["objects"]] == [KEY.format(1), KEY.format(2)]
        assert len(event["traces"]) == 2

    def test_a_reject_by_its_key(self, stack: Running) -> None:
        """It has no event id, no row and no mapping, but a reason."""
        file = store(stack, KEY.format(1), b"\xff[1]")
        warehouse = Warehouse(stack.stack.dw_url)
        warehouse.reject(stack.bucket.name, file.key, "not UTF-8")
        warehouse.close()
        stack.traces.projected(file, "rejected", "not UTF-8")
        event = client(stack).get(f"/api/events/{file.key}").json()
        assert (event["eventId"], event["row"], event["mapping"], event["reject"]) == (None, None, [], "not UTF-8")
        assert event["objects"][0]["raw"] == event["objects"][0]["sent"] == "\ufffd[1]"

    def test_a_row_of_an_earlier_run(self, stack: Running) -> None:
        """Is found in the warehouse, though its object is not remembered."""
        self.project(stack, KEY.format(1), '{"eventId": "e"}')
        stack.traces.reset()
        event = client(stack).get("/api/events/e").json()
        assert event["row"]["event_name"] == "unknown"
        assert event["traces"] == event["objects"] == []
        assert client(stack).get(f"/api/events/{KEY.format(1)}").json()["objects"] != []

    def test_a_warehouse_that_is_away(self, tmp_path: Path) -> None:
        """The rest is shown, and the problem."""
        stack = running(tmp_path)
        store(stack, KEY.format(1), '{"eventId": "e"}')
        event = client(stack).get("/api/events/e").json()
        assert (event["row"], event["problem"]) == (None, "the warehouse does not answer")
        assert len(event["objects"]) == 1

    @pytest.mark.parametrize(
        "identity",
        ["%00", "x" * 300, "nothing", "events/x.json", "../../secret.txt", "%2e%2e/secret.txt", "/secret.txt"],
    )
    def test_anything_else_is_not_found(self, stack: Running, identity: str) -> None:
        """Least of all a file outside the bucket."""
        (stack.bucket.parent / "secret.txt").write_text("secret")
        answer = client(stack).get(f"/api/events/{identity}")
        assert answer.status_code == 404
        assert "secret" not in answer.text.replace("secret.txt", "")
