import json
import re
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.lake.derived.addresses import host_of, page_address
from chalicelib.contract import EVENT_NAMES
from chalicelib.flatten import flatten
from emulator.seed.answers.findings import CHECKS
from emulator.seed.answers.occurrence import occurrences
from emulator.seed.answers.tally import Tally
from emulator.seed.clock import DAY, HOUR, milliseconds
from emulator.seed.planted import FAULTS
from emulator.seed.record import record_of
from emulator.seed.store import Store
from emulator.seed.visits import SESSION_IDLE
from emulator.shoppers.catalogue import read_catalogue
from tests.support.seed_checks import NAMES, checks

pytestmark = pytest.mark.slow

PUBLISHER = Path(__file__).parents[3] / "publisher"
END = milliseconds(datetime(2026, 11, 20, tzinfo=UTC))
TYPES = {"string": str, "number": int, "boolean": bool, "null": type(None)}


def interface(file: str, name: str) -> dict[str, str]:
    """Give the members of a type that the publisher defines, and their types."""
    text = (PUBLISHER / "src" / file).read_text()
    body = re.search(rf"@typedef {{object}} {name}\n(.*?)\*/", text, re.DOTALL)
    assert body is not None
    members = re.findall(r"@property {((?:{.*?}|[^{}])*)} \[?(\w+)", body[1])
    return {member: kind.removeprefix('import("./sending/queue.js").') for kind, member in members}


def store(seed: int = 1, shoppers: int = 40, *, days: int = 7, is_clean: bool = False) -> Store:
    return Store(seed, days, shoppers, END, is_clean)


def written(history: Store) -> tuple[dict[str, bytes], Tally]:
    """Give all objects of a store, and what is known of them."""
    objects: dict[str, bytes] = {}
    tally = Tally()
    for number in range(history.shoppers):
        told, fault = history.history(number)
        objects.update(told.objects())
        tally.count(told, fault.__name__ if fault else None)
    return objects, tally


@pytest.fixture(scope="module")
def clean() -> list[dict[str, Any]]:
    """Give the payloads of a clean history, in the order of keys."""
    objects, _ = written(store(is_clean=True))
    return [json.loads(objects[key]) for key in sorted(objects)]


class TestCleanHistory:
    """What happens without faults."""

    def test_base_is_what_the_publisher_sends(self, clean: list[dict[str, Any]]) -> None:
        """Every event has every base member of the publisher, in its order, and of its type."""
        members = interface("event.js", "BaseEvent")
        for event in clean:
            assert list(event)[: len(members)] == list(members)
            for name, kind in members.items():
                if kind == "Counts":
                    assert list(event[name]) == ["overflow", "refused", "withheld"]
                elif kind.startswith("{"):
                    assert list(event[name]) == re.findall(r"(\w+):", kind)
                elif kind.startswith('"'):
                    assert f'"{event[name]}"' in kind
                else:
                    assert type(event[name]) in [TYPES[each] for each in kind.split(" | ")]

    def test_contexts_are_what_the_publisher_sends(self, clean: list[dict[str, Any]]) -> None:
        """Products, carts, orders and elements have the publisher's members; totals are those of their items."""
        catalogue = {product.id: product.context for product in read_catalogue()}
        item = interface("events.js", "Item").keys() - {"discountPrice"}
        for event in clean:
            if "id" in event.get("product", ()):
                assert event["product"] == catalogue[event["product"]["id"]]
            for cart in filter(None, (event.get("cart"), event.get("order"))):
                assert {"items", "total", "currency"} <= cart.keys()
                assert all(each.keys() == item for each in cart["items"])
                assert cart["total"] == sum(each["quantity"] * each["price"] for each in cart["items"])
            if event["eventName"] == "click":
                assert list(event["element"]) == ["tag", "id", "role", "text", "dataset"]

    def test_every_event_name_happens(self, clean: list[dict[str, Any]]) -> None:
        """All names of the contract, and no other."""
        assert {event["eventName"] for event in clean} == set(EVENT_NAMES)

    def test_seq_has_no_gap(self, clean: list[dict[str, Any]]) -> None:
        """Numbers of a client's tab are those from 1, each once, in the order of time."""
        tabs: dict[tuple[str, str], list[tuple[str, int]]] = {}
        for event in clean:
            tabs.setdefault((event["clientId"], event["tabId"]), []).append((event["eventTimestamp"], event["seq"]))
        for numbered in tabs.values():
            assert [seq for _, seq in sorted(numbered)] == list(range(1, len(numbered) + 1))

    def test_sessions_are_as_the_publisher_makes_them(self, clean: list[dict[str, Any]]) -> None:
        """No gap of more than 30 minutes within one, none of less between two of a client; one client each."""
        clients: dict[str, list[tuple[int, str]]] = {}
        for event in clean:
            at = milliseconds(datetime.fromisoformat(event["eventTimestamp"]))
            clients.setdefault(event["clientId"], []).append((at, event["sessionId"]))
        for times in clients.values():
            for (earlier, session), (later, next_session) in pairwise(sorted(times)):
                assert (later - earlier <= SESSION_IDLE) == (session == next_session)
        sessions = Counter(session for times in clients.values() for session in {session for _, session in times})
        assert set(sessions.values()) == {1}

    def test_people_differ(self) -> None:
        """Some come for the first time and some return, some sign in, and some have two devices."""
        people = [store(days=30, is_clean=True).history(number)[0].events for number in range(40)]
        said = [{event.payload["isFirstVisit"] for event in events} for events in people]
        assert all(kind in said for kind in ({True}, {False}, {True, False}))
        assert {len({event.payload["userId"] for event in events} - {None}) for events in people} == {0, 1}
        assert {len({event.payload["clientId"] for event in events}) for events in people} == {1, 2}
        assert max(len({event.payload["sessionId"] for event in events}) for events in people) > 2

    def test_rhythm(self) -> None:
        """More happens in the evening of the shop's customers than in their night."""
        objects, _ = written(store(2, 150, days=14, is_clean=True))
        hours = Counter(int(key.split("/")[4]) for key in objects)
        assert sum(hours[hour] for hour in (12, 13, 14, 15)) > 5 * sum(hours[hour] for hour in (18, 19, 20, 21))

    def test_metadata_is_that_of_ingest(self, clean: list[dict[str, Any]]) -> None:
        """The nine members, last."""
        assert {list(event)[-1] for event in clean} == {"_ingest"}
        ingest = clean[0]["_ingest"]
        assert (len(ingest), ingest["userAgent"][:12], ingest["method"]) == (9, "Mozilla/5.0 ", "POST")

    def test_no_check_finds_anything(self) -> None:
        """Neither what is known of it nor what its bytes say."""
        objects, tally = written(store(is_clean=True))
        assert tally.findings.by_check() == {check: [] for check in CHECKS}
        assert checks(objects) == {}
        assert tally.numbers() == {"objects": len(objects), "rows": len(objects), "duplicates": 0, "rejects": 0}


class TestFaults:
    """What is planted."""

    @settings(max_examples=6, deadline=None)
    @given(st.integers(0, 10**9), st.integers(1, 9))
    def test_findings_are_those_of_the_bytes(self, seed: int, days: int) -> None:
        """The checks, applied to the bytes one by one, find what is known to be there, and nothing else."""
        objects, tally = written(store(seed, 60, days=days))
        found = checks(objects)
        assert {name: findings for name, findings in tally.findings.by_check().items() if findings} == found
        assert tally.numbers()["objects"] == len(objects)

    @settings(max_examples=6, deadline=None)
    @given(st.integers(0, 10**9))
    def test_records_are_rows(self, seed: int) -> None:
        """What is known of each event is what the projector makes of its bytes."""
        history = store(seed, 60)
        for number in range(history.shoppers):
            told, _ = history.history(number)
            occurred = occurrences(told.events)
            for event in (*told.events, *told.copies):
                row = dict(zip(NAMES, flatten(event.body, event.key, datetime.now(UTC)), strict=True))
                record = record_of(event, occurred[event.payload["eventId"]])
                assert UUID(record.event_id) == row["event_id"]
                assert record.event_id == str(row["event_id"])
                assert record.time == milliseconds(row["event_timestamp"])  # type: ignore[arg-type]
                sent = json.loads(event.body)
                known = (record.order, record.occurred, event.payload["tabId"], event.payload["seq"])
                pages = (page_address(sent.get("pageUrl")).page_path, host_of(sent.get("referrer")))
                assert record[2:] == (*(row[name] for name in RECORDED), *known, *pages, record.origin)

    def test_events_of_right_clocks_occurred_when_they_happened(self) -> None:
        """Also the late ones: only who misses a client or a time, or has a wrong clock, is not known exactly."""
        history, late = store(6, 300), 0
        for number in range(history.shoppers):
            told, fault = history.history(number)
            if fault and fault.__name__ in {
                "clock_skew",
                "slight_skew",
                "missing_client_id",
                "missing_event_timestamp",
            }:
                continue
            occurred = occurrences(told.events)
            assert occurred == {event.payload["eventId"]: event.at for event in told.events}
            late += bool(told.findings.by_check()["moved_days"])
        assert late

    def test_all_that_is_received_is_received_in_the_span(self) -> None:
        """Late events, duplicates and wrong partitions, too, are within the hours of the history."""
        history = store(5, 300)
        for number in range(history.shoppers):
            told, _ = history.history(number)
            for event in (*told.events, *told.copies, *(event for event, _ in told.corrupt)):
                assert history.start <= event.received_at < history.end
                assert history.start <= event.stored_at < history.end

    def test_each_kind_is_planted(self) -> None:
        """With the sizes of the command."""
        _, tally = written(store(1, 500, days=14))
        assert tally.faults.keys() == {fault.__name__ for fault in FAULTS}
        assert [name for name, found in tally.findings.by_check().items() if not found] == [
            "missing_rows",
            "rows_without_object",
            "raw_and_warehouse_differ",
            "other_price_decimals",
            "altered_rows",
            "stray_objects",
            *("objects_without_receipt", "other_publishers", "impossible_prices", "bots", "one_hit_clients"),
        ]

    def test_clean_history_is_the_same_but_for_them(self) -> None:
        """A shopper without a fault does the same in both."""
        faulty, clean = store(), store(is_clean=True)
        spared = [number for number in range(40) if faulty.history(number)[1] is None]
        assert 0 < len(spared) < 40
        assert all(dict(faulty.history(n)[0].objects()) == dict(clean.history(n)[0].objects()) for n in spared)


RECORDED = (
    "event_name",
    "user_id",
    "user_login_state",
    "client_id",
    "session_id",
    "is_first_visit",
    "context_product_id",
    "context_product_name",
    "context_product_category",
    "context_product_brand",
    "context_product_price",
    "context_product_discount_price",
)


class TestStore:
    """Which history it is."""

    def test_same_seed_same_bytes(self) -> None:
        """Keys and bodies; another seed gives others."""
        objects, _ = written(store())
        assert written(store())[0] == objects
        assert not written(store(2))[0].keys() & objects.keys()

    def test_history_ends_in_time(self) -> None:
        """One day is enough, whatever the hour."""
        history = Store(3, 1, 50, END + 5 * HOUR)
        objects, _ = written(history)
        assert history.start == END + 5 * HOUR - DAY
        assert min(objects) >= "events/2026/11/19/05/"
        assert max(objects) < "events/2026/11/20/05/"
