import json
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.checks.validation.evidence.describing import describe
from analysis.checks.validation.objects import SCHEMA, describe_each
from analysis.rows.oddities.judging import LISTED

STORED = datetime(2026, 11, 25, tzinfo=UTC)
NAMES = sorted({*LISTED, "other", "product.other", "order.id.deep", "_ingest.receivedAt", "_ingest.userAgent"})
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3) | st.integers(-(10**30), 10**30),
    st.sampled_from([12.99, 1e300, -0.0, 5e-7]),
    st.sampled_from(["", "x", "\0", "true", " 12.5 ", "1e2", "-0", "product_view", "checkout_complete", "\ud800"]),
    st.sampled_from(["2026-11-25T09:00:00.000Z", "2026-11-25", "1764061200", "7C9E6679-7425-40de-944b-e07fc1f90a04"]),
    st.sampled_from([[], ["x"], {}, {"name": "n", "id": 1}]),
)


def body_of(members: dict[str, Any]) -> bytes:
    """Nest the members by their dotted names."""
    event: dict[str, Any] = {}
    for path, value in members.items():
        *outer, name = path.split(".")
        place = event
        for each in outer:
            inner = place.setdefault(each, {})
            if not isinstance(inner, dict):
                break
            place = inner
        else:
            place[name] = deepcopy(value)  # others go into it
    return json.dumps(event).encode()


class TestDescribe:
    @settings(max_examples=150, deadline=None)
    @given(
        events=st.lists(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=12), max_size=6),
        price_decimals=st.sampled_from([0, 2]),
    )
    def test_it_gives_what_the_contract_gives(self, events: list[dict[str, Any]], price_decimals: int) -> None:
        """Whatever the values are, and in the order of the objects."""
        objects = [
            (f"events/2026/11/25/{number:02}/{number}.json", body_of(each)) for number, each in enumerate(events)
        ]
        quick = describe(objects, lambda _key: STORED, price_decimals)
        assert quick.equals(describe_each(objects, lambda _key: STORED, price_decimals))
        assert quick.schema == SCHEMA

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"[1]",
            b"{}",
            b"\xff",
            b'\xef\xbb\xbf{"eventName": "page_view"}',
            b'{"product": {"price": 1.005}, "product": {"price": 12.994, "size": 4}}',
            b'{"seq": 1, "seq": "x", "product.id": 4}',
            b'{"product": {"price": 1e5, "discountPrice": "x", "discount_price": 0.125}}',
            b'{"order": [1], "element": "a", "eventName": "click", "publisher": "p"}',
            b'{"publisher": {"name": "", "version": 2.50}, "dropped": {"overflow": 3, "refused": null}}',
            b"[" * 200,
        ],
    )
    def test_unusual_objects(self, body: bytes) -> None:
        """Rejects, duplicate members, and values of other types."""
        objects = [("events/2026/11/25/09/a.json", body), ("events/other.json", b'{"eventName": "click"}')]
        assert describe(objects, lambda _key: STORED).equals(describe_each(objects, lambda _key: STORED))
