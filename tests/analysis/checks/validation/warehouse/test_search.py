from datetime import timedelta
from pathlib import Path

import pytest

from analysis.checks.validation.warehouse import search as module
from analysis.checks.validation.warehouse.search import search
from analysis.raw.partitions import hour_prefixes
from tests.support.raw_objects import START, Objects

HOURS = hour_prefixes(START, START + timedelta(hours=2))


class TestSearch:
    @pytest.fixture
    def objects(self) -> Objects:
        """Give three events of two hours."""
        objects = Objects()
        objects.add()
        objects.add()
        objects.add(received=3700)
        return objects

    def test_the_objects_of_events(self, objects: Objects, tmp_path: Path) -> None:
        """Those of the given ids, below the given prefixes."""
        wanted = objects.described["event_id"].to_list()[1:]
        found = search(objects.write(tmp_path), wanted, HOURS)
        assert sorted(found["event_id"]) == sorted(wanted)
        assert search(tmp_path, wanted, HOURS[:1])["event_id"].to_list() == wanted[:1]

    def test_it_ends_when_all_are_found_or_too_much_was_read(
        self, objects: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A prefix that is not there shows how far it went: it has no objects."""
        last = objects.described["event_id"].to_list()[2:]
        monkeypatch.setattr(module, "MOST_SEARCHED", 2)
        assert search(objects.write(tmp_path), last, HOURS).is_empty()
        assert search(tmp_path, last, HOURS[::-1]).height == 1
