import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given

from chalicelib.contract import EVENT_NAMES
from chalicelib.envelope import IngestMetadata, as_sent, envelope, iso_milliseconds
from chalicelib.errors import InvalidEvent
from chalicelib.json_object import members
from tests.support.json_texts import object_texts

METADATA: IngestMetadata = {
    "receivedAt": "2026-11-24T22:00:00.123Z",
    "sourceIp": "203.0.113.24",
    "userAgent": 'A "browser" with ü',
    "method": "POST",
    "path": "/clickstream",
    "requestId": "r",
    "apiId": None,
    "stage": None,
    "traceId": None,
}
INGEST = f'"_ingest":{json.dumps(METADATA)}'


class TestIsoMilliseconds:
    def test_utc_with_milliseconds_and_z(self) -> None:
        """Also where the milliseconds are zero."""
        assert iso_milliseconds(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == "2026-01-02T03:04:05.000Z"
        assert iso_milliseconds(datetime(2026, 1, 2, 3, 4, 5, 999_999, tzinfo=UTC)) == "2026-01-02T03:04:05.999Z"


class TestEnvelope:
    @pytest.mark.parametrize(
        ("sent", "stored"),
        [
            ("{}", f"{{{INGEST}}}"),
            (" { \n} ", f"{{ \n{INGEST}}}"),
            ('{"a": 1.50, "a":1}', f'{{"a": 1.50, "a":1,{INGEST}}}'),
            ('\ufeff{"a" : "\\u00e9é\\ud800" }\n', f'{{"a" : "\\u00e9é\\ud800" ,{INGEST}}}'),
            ('{"_ingest": 1}', f"{{{INGEST}}}"),
            ('{"_ingest": 1, "a": 2, "\\u005f\\u0069ngest": {"b": []} , "c":3}', f'{{"a": 2,"c":3,{INGEST}}}'),
            (
                '{"a": {"_ingest": 1}, "x": "\\u005fingest"}',
                f'{{"a": {{"_ingest": 1}}, "x": "\\u005fingest",{INGEST}}}',
            ),
        ],
    )
    def test_the_clients_bytes_are_kept_and_ingest_comes_last(self, sent: str, stored: str) -> None:
        """Top-level members named `_ingest`, however spelled, are dropped; nested ones stay."""
        assert envelope(sent.encode(), METADATA).decode() == stored

    @given(object_texts())
    def test_every_member_keeps_its_bytes(self, given_object: tuple[str, list[str]]) -> None:
        """Whatever the object: stored, minus `_ingest`, is what was sent, byte for byte per member."""
        text, texts = given_object
        stored = envelope(text.encode(), METADATA).decode()
        sent = [member for member in texts if json.loads(f"{{{member}}}", parse_int=str).keys() != {"_ingest"}]
        assert [member for _, member in members(stored)] == [*sent, INGEST]
        # And once more without our own scanner.
        pairs = json.loads(stored, object_pairs_hook=list, parse_int=str, parse_float=str)
        sent_pairs = json.loads(text, object_pairs_hook=list, parse_int=str, parse_float=str)
        assert pairs[:-1] == [pair for pair in sent_pairs if pair[0] != "_ingest"]
        assert pairs[-1][0] == "_ingest"

    @pytest.mark.parametrize("name", EVENT_NAMES)
    def test_every_real_payload_is_enveloped(self, name: str, payload: Callable[[str], bytes]) -> None:
        """A payload of every event name, unchanged up to its closing brace."""
        sent = payload(name).strip()
        assert envelope(sent, METADATA) == sent[:-1] + f",{INGEST}}}".encode()

    def test_what_is_no_object_is_refused(self) -> None:
        """The errors of the parser come through."""
        with pytest.raises(InvalidEvent, match="an array"):
            envelope(b"[]", METADATA)


class TestAsSent:
    @given(object_texts())
    def test_it_undoes_the_envelope(self, given_object: tuple[str, list[str]]) -> None:
        """What was sent, byte for byte, unless a member `_ingest` of the client was dropped: then the rest of it."""
        text, texts = given_object
        sent = as_sent(envelope(text.encode(), METADATA).decode())
        if all(json.loads(f"{{{member}}}", parse_int=str).keys() != {"_ingest"} for member in texts):
            assert sent == text.strip(" \t\n\r")
        assert envelope(sent.encode(), METADATA) == envelope(text.encode(), METADATA)

    @pytest.mark.parametrize(
        "raw",
        [
            "",
            "{}",
            "[1]",
            "not JSON",
            '{"a": 1}',
            '{"a": {"_ingest":{"b": 1}}}',
            '{"_ingest":{"a": 1}, "b": {"_ingest":{}}}',
        ],
    )
    def test_an_object_that_ingest_did_not_make_is_left_as_it_is(self, raw: str) -> None:
        """Anybody can put objects into the bucket."""
        assert as_sent(raw) == raw
