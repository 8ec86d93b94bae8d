from pathlib import Path

import msgspec
import polars as pl
import pytest
from polars.testing import assert_series_equal

from analysis.lake.compaction import compact
from analysis.lake.location import Location
from analysis.lake.tables import open_tables
from analysis.rows.oddities import evidence
from analysis.rows.oddities.batch import Oddities
from analysis.rows.oddities.evidence import ADDRESS, KEY_BYTES, Evidence, read_oddities
from tests.support.lake_bytes import lake_bytes
from tests.support.raw_objects import START, Objects

ADDRESSES = pl.Series("source_ip", ["203.0.113.7", None, "2001:db8::1", "203.0.113.7"])


class TestEvidence:
    def test_a_lake_keeps_its_key(self, place: Location) -> None:
        """It is made once. A damaged one makes way for another one."""
        Path(place.root).mkdir()
        assert Evidence.read(place.store) is None
        first = Evidence.made(place.store)
        assert len(first.key) == KEY_BYTES
        assert Evidence.made(place.store) == Evidence.read(place.store) == first
        place.store.put("hours/address.key", b"short")
        assert Evidence.read(place.store) is None
        assert Evidence.made(place.store) == Evidence.read(place.store) != first

    def test_the_same_address_has_the_same_hash_by_the_same_key(self) -> None:
        """And another one by another key."""
        here, there = Evidence(b"a" * KEY_BYTES), Evidence(b"b" * KEY_BYTES)
        one, none, other, again = here.hashes(ADDRESSES)
        assert one == again != other
        assert none is None
        assert one != there.hashes(ADDRESSES)[0]
        assert_series_equal(here.hashes(ADDRESSES[:0]), pl.Series("source_ip", [], pl.String))

    def test_the_mark_tells_keys_and_rules_apart(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Evidence counts only if it is what this code would write."""
        here = Evidence(b"a" * KEY_BYTES)
        before = here.mark
        assert before != Evidence(b"b" * KEY_BYTES).mark
        monkeypatch.setattr(evidence, "_RULES", ("other",))
        assert here.mark != before

    @pytest.mark.slow
    def test_no_address_and_no_key_is_in_the_tables(self, bucket: Path, place: Location) -> None:
        """Whoever may only read the tables' files finds hashes."""
        objects = Objects()
        objects.add()
        (key,) = objects.bodies
        objects.bodies[key] = objects.bodies[key].replace(b'"_ingest": {', b'"_ingest": {"sourceIp": "203.0.113.7", ')
        compact(objects.write(bucket), place, now=START.replace(day=28))
        found = pl.from_arrow(open_tables(place).events.scan().to_arrow())
        assert isinstance(found, pl.DataFrame)
        made = Evidence.made(place.store)
        assert found[ADDRESS].to_list() == made.hashes(ADDRESSES).to_list()[:1]
        assert b"203.0.113.7" not in lake_bytes(Path(place.root))
        assert made.key not in lake_bytes(Path(place.root, "clickstream"))


class TestReadOddities:
    def test_each_text_says_what_was_written(self) -> None:
        """Of what is not there, nothing was found."""
        odd = Oddities(["eventName"], ["größe"], [], [{"member": "price", "value": "1.005", "decimals": 3}])
        assert read_oddities(pl.Series([odd.text, None, odd.text])) == {odd.text: odd}

    @pytest.mark.parametrize("text", ["", "[]", '{"other": []}', "7", '{"missing": 7}', '{"missing": [7]}', "null"])
    def test_another_text_is_refused(self, text: str) -> None:
        """Somebody else wrote it."""
        with pytest.raises(msgspec.MsgspecError):
            read_oddities(pl.Series([text]))
