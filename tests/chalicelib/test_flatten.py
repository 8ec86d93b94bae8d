from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest

from chalicelib.contract import COLUMNS, EVENT_NAMES
from chalicelib.errors import InvalidEvent
from chalicelib.flatten import flatten

KEY = "events/2026/11/24/22/event-x.json"
LAST_MODIFIED = datetime(2026, 11, 24, 22, 30, tzinfo=UTC)


def row(body: str | bytes, key: str = KEY) -> dict[str, Any]:
    """Flatten one object; its row by column name."""
    values = flatten(body if isinstance(body, bytes) else body.encode(), key, LAST_MODIFIED)
    return dict(zip([column.name for column in COLUMNS], values, strict=True))


class TestFlatten:
    def test_a_real_event_becomes_a_whole_row(self, payload: Callable[[str], bytes]) -> None:
        """Every column of a product view, as sent by our publisher."""
        assert row(payload("product_view")) == {
            "event_id": UUID("7c9e6679-7425-40de-944b-e07fc1f90a04"),
            "event_timestamp": datetime(2026, 11, 24, 9, 15, 4, 250_000, UTC),
            "event_name": "product_view",
            "user_id": None,
            "user_login_state": "anonymous",
            "identity_source": "cookie",
            "client_id": "f47ac10b-58cc-4372-a567-0e02b2c3d479",
            "session_id": "9b2d1c52-7f3a-4a61-9a37-1f4d5b8e6c10",
            "is_first_visit": True,
            "context_product_id": "SKU-1042",
            "context_product_name": 'Áo khoác gió nam "Trail" 2-lớp',
            "context_product_category": "ao-khoac",
            "context_product_brand": "Nike",
            "context_product_price": 1990000,
            "context_product_discount_price": 1790001,
            "context_product_url_path": "/san-pham/ao-khoac-gio-nam-trail",
        }

    @pytest.mark.parametrize("name", EVENT_NAMES)
    def test_every_event_name_is_kept(self, name: str, payload: Callable[[str], bytes]) -> None:
        """A payload of every event name."""
        assert row(payload(name))["event_name"] == name

    @pytest.mark.parametrize(
        ("price", "price_decimals", "expected"),
        [("12.99", 2, 1299), ("12.99", 0, 13), ("0.49", 0, 0), ("0.49", 2, 49), ('" 12.99 "', 2, 1299)],
    )
    def test_prices_keep_the_decimals_that_are_wanted(self, price: str, price_decimals: int, expected: int) -> None:
        """Both prices; by default none are kept."""
        body = f'{{"product": {{"price": {price}, "discountPrice": {price}}}, "seq": 1.5}}'.encode()
        values = flatten(body, KEY, LAST_MODIFIED, price_decimals)
        assert values[13:15] == (expected, expected)
        if price_decimals == 0:
            assert values == flatten(body, KEY, LAST_MODIFIED)

    def test_snake_case_gives_the_same_row(self) -> None:
        """Both spellings of every member."""
        camel = row(
            '{"eventId": "a", "eventName": "b", "eventTimestamp": "2026-01-01", "userId": "c", "userLoginState": "d",'
            ' "identitySource": "e", "clientId": "f", "sessionId": "g", "isFirstVisit": false,'
            ' "product": {"discountPrice": 5, "urlPath": "/h", "brandName": "i"}}'
        )
        snake = row(
            '{"event_id": "a", "event_name": "b", "event_timestamp": "2026-01-01", "user_id": "c",'
            ' "user_login_state": "d", "identity_source": "e", "client_id": "f", "session_id": "g",'
            ' "is_first_visit": false, "product": {"discount_price": 5, "url_path": "/h", "brand_name": "i"}}'
        )
        assert camel == snake
        assert None not in {value for name, value in snake.items() if not name.startswith("context_product_")}

    def test_the_time_of_receipt_comes_before_the_clients_and_the_objects(self) -> None:
        """`_ingest.receivedAt`, then the payload's time, then the object's LastModified."""
        ingest = '"_ingest": {"receivedAt": "2026-11-24T22:00:00.123Z"}'
        client = '"eventTimestamp": "2026-11-24T21:59:59Z"'
        assert row(f"{{{client}, {ingest}}}")["event_timestamp"] == datetime(2026, 11, 24, 22, 0, 0, 123_000, UTC)
        assert row(f"{{{client}}}")["event_timestamp"] == datetime(2026, 11, 24, 21, 59, 59, tzinfo=UTC)
        assert row('{"eventTimestamp": "now"}')["event_timestamp"] == LAST_MODIFIED

    def test_an_event_without_an_id_gets_one_from_its_key(self) -> None:
        """Never a random one: the same object always gives the same id."""
        for body in ("{}", '{"eventId": ""}', '{"eventId": null}', '{"eventId": {}}'):
            assert row(body)["event_id"] == uuid5(NAMESPACE_URL, KEY)
        assert row("{}", "events/other.json")["event_id"] != row("{}")["event_id"]

    def test_an_empty_object_is_an_unknown_event(self) -> None:
        """Everything has its fallback, or is NULL."""
        filled = {name: value for name, value in row("{}").items() if value is not None}
        assert filled == {
            "event_id": uuid5(NAMESPACE_URL, KEY),
            "event_timestamp": LAST_MODIFIED,
            "event_name": "unknown",
        }

    @pytest.mark.parametrize("body", ["[]", "", '{"a": 1', '{"a": NaN}', b"\xff", "null"])
    def test_what_is_no_json_object_raises(self, body: str | bytes) -> None:
        """Such an object can never become a row."""
        with pytest.raises(InvalidEvent):
            row(body)
