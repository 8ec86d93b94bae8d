import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import log
from chalicelib.contract import COLUMNS, CONVERTERS
from chalicelib.envelope import IngestMetadata, envelope
from chalicelib.errors import InvalidEvent
from chalicelib.json_object import decode, parse
from tests.fuzz.__main__ import main
from tests.fuzz.mutate import with_member
from tests.fuzz.oracle import Broken, accepts, check_stored
from tests.fuzz.seeds import WORDS, seeds
from tests.fuzz.target import check
from tests.support.json_texts import hostile_payloads, object_texts

METADATA = IngestMetadata(
    receivedAt="2026-11-24T22:00:00.123Z",
    sourceIp=None,
    userAgent=None,
    method=None,
    path=None,
    requestId=None,
    apiId=None,
    stage=None,
    traceId=None,
)
NOT_JSON = [word.encode() for word in WORDS if not accepts(b'{"a":%s}' % word.encode())]
EVENT = b'\0\0{"a" : 1, "_ingest": {}, "eventId": "b", "product": {"price": 7}}'


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Let the code under test log into a file."""
    with (tmp_path / "log").open("w") as file:
        monkeypatch.setattr(log, "output", file)
        yield


class TestOracle:
    @given(text=st.text() | object_texts().map(lambda pair: pair[0]))
    def test_it_accepts_what_ingest_does(self, text: str) -> None:
        """Two ways to say what one JSON object is."""
        body = text.encode("utf-8", "surrogatepass")
        try:
            parse(decode(body))
            is_event = True
        except InvalidEvent:
            is_event = False
        assert accepts(body) == is_event

    @given(texts=object_texts())
    def test_what_ingest_stores_is_right(self, texts: tuple[str, list[str]]) -> None:
        """White space between members is not theirs."""
        body = texts[0].encode("utf-8", "surrogatepass")
        if accepts(body):
            check_stored(body, envelope(body, METADATA))

    @pytest.mark.parametrize(
        "stored",
        [
            '{"a":1,"b":2}',
            '{"a":1.0,"b":2,%s}',
            '{"b":2,"a":1,%s}',
            '{"a":1,%s}',
            '{"a":1,"b":2,"c":3,%s}',
            '{%s,"a":1,"b":2}',
            '{"a":1,"b":2,"_ingest":{}}',
        ],
    )
    def test_what_is_stored_otherwise_is_seen(self, stored: str) -> None:
        """Another spelling, order, or number of members, or no right `_ingest`."""
        ingest = f'"_ingest":{json.dumps(METADATA)}'
        check_stored(b'{"a":1,"b":2}', f'{{"a":1,"b":2,{ingest}}}'.encode())
        with pytest.raises(Broken):
            check_stored(b'{"a":1,"b":2}', stored.replace("%s", ingest).encode())


class TestCheck:
    def test_seeds_hold(self) -> None:
        """What the fuzzer starts from."""
        for data in seeds():
            check(data)

    @given(data=st.binary() | st.builds(lambda how, text: how + text.encode(), st.binary(max_size=2), hostile_payloads))
    def test_anything_holds(self, data: bytes) -> None:
        """Without the fuzzer's guidance."""
        check(data)

    @pytest.mark.parametrize(
        ("place", "change"),
        [
            ("chalicelib.ingest.envelope", lambda body, metadata: envelope(body, metadata).replace(b"1", b"1.0")),
            ("chalicelib.ingest.envelope", lambda body, _metadata: body),
            ("chalicelib.ingest.object_key", lambda *_: "events/../x.json"),
            ("chalicelib.ingest.envelope", lambda *_: 1 / 0),
            ("chalicelib.ingest.cors_headers", lambda *_: {"Vary": "a\r\nb"}),
        ],
    )
    def test_what_is_broken_is_found(
        self, place: str, change: Callable[..., object], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Stored otherwise, under a wrong key, a 5xx, a header that splits."""
        check(EVENT)
        monkeypatch.setattr(place, change)
        with pytest.raises(Broken):
            check(EVENT)

    def test_a_row_that_cannot_be_stored_is_found(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Here, a number beyond 64 bits."""
        monkeypatch.setitem(CONVERTERS, "BIGINT", lambda _value: 2**63)
        # Columns remember their conversion: these are new.
        monkeypatch.setattr("chalicelib.flatten.columns_with", lambda _price_decimals: tuple(map(replace, COLUMNS)))
        with pytest.raises(Broken, match="context_product_price is out of range"):
            check(EVENT)


class TestWithMember:
    @given(seed=st.integers(0, 2**32 - 1))
    def test_an_event_stays_an_event(self, seed: int) -> None:
        """Unless the word itself is no JSON."""
        changed = with_member(EVENT, 512, Random(seed))
        assert len(changed) > len(EVENT)
        assert accepts(changed[2:]) or any(word in changed for word in NOT_JSON)
        assert with_member(EVENT, len(EVENT), Random(seed)) == EVENT
        assert with_member(b"x", 512, Random(seed)) == b"x"


class TestCommand:
    def test_an_input_is_run_again(self, tmp_path: Path) -> None:
        """As it was kept."""
        (tmp_path / "found").write_bytes(EVENT)
        done = CliRunner().invoke(main, ["--replay", str(tmp_path / "found")])
        assert (done.exit_code, done.stdout) == (0, "nothing is wrong with it\n")

    def test_without_atheris_it_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """In one line."""
        monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
        done = CliRunner().invoke(main, [])
        assert done.exit_code == 2
        assert done.stderr == "Error: atheris, coverage not installed: run 'make fuzz', on Linux on x86-64\n"
