from typing import Any

import pytest

from analysis.checks.validation.content import content_checks
from chalicelib.contract import EVENT_NAMES
from tests.support.raw_objects import START, Objects

PRODUCT = {"id": "p", "name": "P", "category": "c", "brand": "b", "price": 10, "discountPrice": 9, "urlPath": "/p"}


def found(objects: Objects, name: str) -> list[dict[str, object]]:
    return objects.findings(content_checks(objects.events), name)


class TestContentChecks:
    def test_every_event_of_the_publisher(self) -> None:
        """Has no finding."""
        objects = Objects()
        cart = {"items": [{"id": "p", "quantity": 1, "price": 9}], "total": 9, "currency": "VND"}
        element = {"tag": "a", "id": None, "role": None, "text": "", "dataset": {"anything": "goes"}}
        for name in EVENT_NAMES:
            objects.add(eventName=name, product=PRODUCT, cart=cart, order={"id": "o", **cart}, element=element,
                        wishlisted=True, channel="zalo", userLoginState="anonymous", identitySource="demo")  # fmt: skip
        assert found(objects, "missing_fields") == []

    @pytest.mark.parametrize(
        ("event", "missing"),
        [
            ({"pageUrl": None}, ["pageUrl"]),
            ({"pageUrl": None, "page_url": "x"}, []),
            ({"clientId": "", "sessionId": None}, ["clientId", "sessionId"]),
            ({"eventTimestamp": None}, ["eventTimestamp"]),
            ({"eventName": "product_view"}, ["product.id"]),
            ({"eventName": "product_view", "product": {"id": 7}}, []),
            ({"eventName": "category_view", "product": {"category": ""}}, ["product.category"]),
            ({"eventName": "click"}, ["element.tag"]),
            ({"eventName": "checkout_complete", "order": {"items": []}}, ["order.id"]),
            ({"eventName": "login_success", "userId": None}, ["userId"]),
            ({"eventName": None}, ["eventName"]),
        ],
    )
    def test_missing_fields(self, event: dict[str, Any], missing: list[str]) -> None:
        """What every event needs, and what an event of its name needs, in any spelling."""
        objects = Objects()
        objects.add(**event)
        assert [item["field"] for item in found(objects, "missing_fields")] == missing

    def test_unknown_event_names(self) -> None:
        """Each once, how often, and since when."""
        objects = Objects()
        keys = [objects.add(received=seconds, eventName="page_veiw") for seconds in (9, 5)]
        assert found(objects, "unknown_event_names") == [
            {"event_name": "page_veiw", "first_seen": START.replace(second=5), "key": keys[1], "events": 2}
        ]

    def test_unknown_fields(self) -> None:
        """Of the event, and of the objects that the contract lists; what is inside others is nobody's business."""
        objects = Objects()
        key = objects.add(product={**PRODUCT, "colour": "red"}, experiment={"arm": "b"}, utm="x")
        objects.add(utm="y")
        names = {item["field"]: item["events"] for item in found(objects, "unknown_fields")}
        assert names == {"experiment": 1, "product.colour": 1, "utm": 2}
        assert found(objects, "unknown_fields")[0]["key"] == key

    @pytest.mark.parametrize(
        ("event", "lost"),
        [
            (
                {"product": {"price": "free"}},
                "context_product_price: product.price is text, where a number within 64 bits",
            ),
            (
                {"product": {"price": 1e30}},
                "context_product_price: product.price is a number, where a number within 64",
            ),
            ({"isFirstVisit": "maybe"}, "is_first_visit: isFirstVisit is text, where true or false is expected"),
            ({"userId": ["a"]}, "user_id: userId is an array, where text is expected"),
            ({"product": {"brand": {"title": True}}}, "context_product_brand: product.brand.title is true, where text"),
            (
                {"eventTimestamp": 1795507200000},
                "eventTimestamp is a number of milliseconds since 1970, where an ISO-8601",
            ),
            (
                {"eventTimestamp": 1795507200},
                "eventTimestamp is a number of seconds since 1970, where an ISO-8601 time",
            ),
            (
                {"eventTimestamp": "1795507200000"},
                "eventTimestamp is text of milliseconds since 1970, where an ISO-8601",
            ),
            ({"eventTimestamp": "24/11/2026 09:00"}, "eventTimestamp is text, where an ISO-8601 time is expected"),
            ({"eventTimestamp": None, "event_timestamp": True}, "event_timestamp is true, where an ISO-8601 time"),
            ({"seq": "first"}, "seq: seq is text, where a number within 64 bits is expected"),
            ({"tabId": ["t"]}, "tab_id: tabId is an array, where text is expected"),
            ({"eventId": {"id": 1}}, "event_id: eventId is an object, where text is expected"),
            (
                {"product": {"discountPrice": "20%"}},
                "context_product_discount_price: product.discountPrice is a percentage, where a number within 64 bits",
            ),
            ({"product": {"brand": {"title": "x"}}}, None),
            ({"product": {"price": ""}}, None),
        ],
    )
    def test_lost_values(self, event: dict[str, Any], lost: str | None) -> None:
        """A member is there, and its column is NULL; why."""
        objects = Objects()
        objects.add(**event)
        values = ["{column}: {member} is {reason}".format(**item) for item in found(objects, "lost_values")]
        assert len(values) == (lost is not None)
        assert all(value.removeprefix("sent_event_timestamp: ").startswith(str(lost)) for value in values)

    def test_findings_of_many_events(self) -> None:
        """One mistake of a sender is one finding: how many events, since when, and the first of them."""
        objects = Objects()
        keys = [
            objects.add(eventTimestamp=milliseconds, publisher=publisher)
            for publisher in ({"name": "acme", "version": "2.0"}, {"name": "acme", "version": "2.1"})
            for milliseconds in range(1795507200000, 1795507205000, 1000)
        ]
        findings = found(objects, "lost_values")
        assert [(item["publisher"], item["events"], item["key"]) for item in findings] == [
            ("acme 2.0", 5, keys[0]),
            ("acme 2.1", 5, keys[5]),
        ]
