from collections.abc import Callable
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from emulator.traces.trace import Trace, refused_trace
from tests.support.running import running, store

INGEST = b'"_ingest":{"receivedAt":"2026-11-24T09:15:05.500Z"}'
KEY = "events/2026/11/24/09/event-x.json"


def trace_of(folder: Path, body: str | bytes) -> Trace:
    """The trace of an object with this body."""
    stack = running(folder)
    store(stack, KEY, body)
    (trace,) = stack.traces.all()
    return trace


class TestStoredTrace:
    def test_it_has_what_the_row_will_have(self, tmp_path: Path, payload: Callable[[str], bytes]) -> None:
        """And the publisher's own tab and seq."""
        body = payload("product_view").rstrip()[:-1] + b',"tabId":"t-1","seq":7,' + INGEST + b"}"
        trace = trace_of(tmp_path, body).as_json()
        assert trace["id"] == trace["key"] == KEY
        assert trace["eventId"] == "7c9e6679-7425-40de-944b-e07fc1f90a04"
        assert (trace["eventName"], trace["tabId"], trace["seq"], trace["state"]) == (
            "product_view",
            "t-1",
            7,
            "stored",
        )
        assert (trace["sentAt"], trace["acceptedAt"]) == ("2026-11-24T09:15:04.250Z", "2026-11-24T09:15:05.500Z")
        assert trace["rowAt"] is trace["projectedAt"] is None

    def test_what_is_no_event_has_only_a_key(self, tmp_path: Path) -> None:
        """The projector will say what is wrong with it."""
        trace = trace_of(tmp_path, "[1]")
        assert (trace.key, trace.state, trace.event_id) == (KEY, "stored", None)

    def test_its_id_is_that_of_the_row(self, tmp_path: Path) -> None:
        """Also where the client's is none."""
        assert trace_of(tmp_path, '{"eventId": "mine"}').event_id == str(uuid5(NAMESPACE_URL, "mine"))

    def test_odd_members_are_left_out(self, tmp_path: Path) -> None:
        """Whatever a client puts there."""
        trace = trace_of(tmp_path, '{"tabId": {}, "seq": "x", "eventTimestamp": 3, "_ingest": [], "eventName": []}')
        assert (trace.tab_id, trace.seq, trace.sent_at, trace.accepted_at) == (None, None, None, None)
        assert trace.event_name == "unknown"


class TestTrace:
    def test_late(self) -> None:
        """Three seconds between sending and receipt, or between receipt and row, are too many."""
        assert not Trace("a", "row", sent_at=1, accepted_at=4, row_at=7).is_late
        assert Trace("a", "row", sent_at=1, accepted_at=4.1, row_at=5).is_late
        assert Trace("a", "row", sent_at=1, accepted_at=1, row_at=4.1).is_late
        assert not Trace("a", "stored", accepted_at=1).is_late

    def test_from_end_to_end(self) -> None:
        """From the first step that is known; nothing without a row. An imported event counts from its receipt."""
        day = 86_400
        assert Trace("a", "row", sent_at=1, accepted_at=2, row_at=3).milliseconds == 2000
        assert Trace("a", "row", accepted_at=2, row_at=3).milliseconds == 1000
        assert Trace("a", "row", stored_at=2, row_at=3).milliseconds == 1000
        assert Trace("a", "row", sent_at=1, accepted_at=1 + day, row_at=2 + day).milliseconds == (1 + day) * 1000
        assert Trace("a", "row", sent_at=1, accepted_at=2 + day, row_at=3 + day).milliseconds == 1000
        assert Trace("a", "row", sent_at=2.5, accepted_at=2, row_at=3).milliseconds == 1000
        assert Trace("a", "stored", sent_at=1, accepted_at=2).milliseconds is None

    def test_a_refusal_has_an_id_of_its_own(self) -> None:
        """Two with the same reason are two."""
        first, second = (refused_trace(415, "no", 1.5) for _ in range(2))
        assert first.id != second.id
        assert (first.state, first.status, first.reason) == ("refused", 415, "no")
        assert first.as_json()["acceptedAt"] == "1970-01-01T00:00:01.500Z"
