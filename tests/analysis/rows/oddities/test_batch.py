import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.lake.schema import FIELDS
from analysis.rows.oddities.batch import Oddities, oddities_of, oddities_of_batch
from analysis.rows.oddities.judging import LISTED
from analysis.rows.projection import Projection
from chalicelib.errors import InvalidEvent
from chalicelib.json_object import decode, parse
from tests.analysis.checks.validation.evidence.test_describing import NAMES, VALUES, body_of

STORED = datetime(2026, 11, 25, tzinfo=UTC)
MEMBERS = [*NAMES, "element.tag", "element.other", "order.id", "order.items"]


def together(bodies: list[bytes], price_decimals: int) -> dict[int, Oddities]:
    """What the quick way finds, with the projection of the lake, in which element and order are JSON text."""
    projection = Projection(FIELDS, lambda _key: STORED, price_decimals=price_decimals)
    batch = [f"events/2026/11/25/09/{number}.json" for number in range(len(bodies))], bodies
    return oddities_of_batch(bodies, projection.together(batch), price_decimals)


def one_by_one(bodies: list[bytes], price_decimals: int) -> Iterator[tuple[int, Oddities]]:
    for place, body in enumerate(bodies):
        try:
            odd = oddities_of(parse(decode(body)), price_decimals)
        except InvalidEvent:
            continue
        if not odd.is_nothing:
            yield place, odd


class TestOdditiesOfBatch:
    @settings(max_examples=150, deadline=None)
    @given(
        events=st.lists(st.dictionaries(st.sampled_from(MEMBERS), VALUES, max_size=12), max_size=6),
        price_decimals=st.sampled_from([0, 2]),
    )
    def test_it_finds_what_is_found_one_by_one(self, events: list[dict[str, Any]], price_decimals: int) -> None:
        """Whatever the values are."""
        bodies = list(map(body_of, events))
        assert together(bodies, price_decimals) == dict(one_by_one(bodies, price_decimals))

    @pytest.mark.parametrize(
        "body",
        [
            b'{"eventName": "click", "element": {"tag": "a", "tag": null}}',
            b'{"eventName": "click", "element": {"tag": ""}}',
            b'{"eventName": "click", "element": {"tag": "\\ud800"}}',
            b'{"eventName": "click", "element": [1]}',
            b'{"eventName": "click", "element": null}',
            b'{"eventName": "checkout_complete", "order": {"id": {}}}',
            b'{"eventName": "checkout_complete", "order": "a"}',
            b'{"eventName": "checkout_complete"}',
            b'{"eventTimestamp": 1764061200, "product": {"price": 12.5}}',
            b'{"eventTimestamp": "2026-11-25", "seq": true}',
            b"[1]",
            b"\xff",
        ],
    )
    def test_unusual_objects(self, body: bytes) -> None:
        """Members of other types, duplicate ones, and objects that are not events."""
        bodies = [b'{"eventName": "click", "element": {"tag": "a"}}', body]
        assert together(bodies, 0) == dict(one_by_one(bodies, 0))


class TestOddities:
    def test_the_text_has_what_is_odd_and_nothing_else(self) -> None:
        """In ASCII, so that a search for an id as JSON spells it finds it."""
        odd = Oddities([], ["größe"], [], [{"member": "price", "value": "1.005", "decimals": 3}])
        assert json.loads(odd.text) == {"unknown": ["größe"], "rounded": odd.rounded}
        assert odd.text.isascii()
        assert "größe" not in LISTED
