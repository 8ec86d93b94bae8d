import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

import pytest

from analysis.raw.tombstones import Tombstones
from analysis.repair.erase.raw import open_bucket
from emulator.traces.erasures import Erasures
from tests.support.running import client, running, store
from tests.support.stack_process import wait_for

KEY = "events/2026/11/24/09/event-{}.json"
Ids: TypeAlias = Mapping[str, str | None]
ANNA: Ids = {"clientId": "anna-client", "userId": "anna@shop.example", "sessionId": "anna-session", "tabId": "anna-tab"}
BEN: Ids = {"clientId": "ben-client", "userId": None}


def erase_anna(bucket: Path, *more: tuple[str, str]) -> Tombstones:
    """Store tombstones, as `python -m analysis erase` does."""
    erased = Tombstones.new().and_also([("user_id", "anna@shop.example"), *more])
    open_bucket(bucket).put(erased.objects())
    return erased


def event(person: Ids) -> str:
    return json.dumps({"product": {"productName": "Anna's mug"}, **person})


class TestForget:
    """What the page keeps in memory."""

    def test_an_erased_person_leaves_no_trace(self, tmp_path: Path) -> None:
        """Neither in the memory nor in what the API lists; others stay, and open pages begin anew."""
        stack = running(tmp_path)
        for number, person in enumerate((ANNA, BEN)):
            stack.traces.projected(store(stack, KEY.format(number), event(person)), "projected", None)
        epoch = stack.traces.epoch
        stack.traces.forget(erase_anna(stack.bucket))
        assert [trace.client_id for trace in stack.traces.all()] == ["ben-client"]
        assert "anna" not in client(stack).get("/api/events").text
        assert stack.traces.epoch != epoch

    def test_events_that_come_later_are_traced_without_the_person(self, tmp_path: Path) -> None:
        """So nothing of them is left when `erase --again` deletes their objects."""
        stack = running(tmp_path)
        stack.traces.forget(erase_anna(stack.bucket))
        file = store(stack, KEY.format(1), event(ANNA))
        stack.traces.delivered(file)
        stack.traces.projected(file, "erased", None)
        (trace,) = stack.traces.all()
        assert (trace.state, trace.key) == ("erased", file.key)
        assert "anna" not in repr(trace).lower()

    def test_figures_count_what_is_forgotten(self, tmp_path: Path) -> None:
        """Events that wait are counted again by their delivery."""
        stack = running(tmp_path)
        waits, _ = (store(stack, KEY.format(number), event(ANNA)) for number in range(2))
        stack.traces.projected(store(stack, KEY.format(2), event(ANNA)), "projected", None)
        stack.traces.forget(erase_anna(stack.bucket))
        stack.traces.delivered(waits)
        figures = stack.traces.figures()
        assert (figures["rows"], figures["waiting"], figures["accepted"]) == (1, 1, 2)

    def test_nothing_changes_for_pages_while_nobody_is_erased(self, tmp_path: Path) -> None:
        """The tombstones are read every second."""
        stack = running(tmp_path)
        store(stack, KEY.format(1), event(BEN))
        epoch = stack.traces.epoch
        erased = erase_anna(stack.bucket)
        for tombstones in (None, erased, erased, None):
            stack.traces.forget(tombstones)
        assert (stack.traces.epoch, len(stack.traces.all())) == (epoch, 1)


class TestErasures:
    """The part that tells the traces."""

    @pytest.fixture
    def erasures(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Erasures]:
        monkeypatch.setattr("emulator.traces.erasures.POLL_SECONDS", 0.02)
        self.stack = running(tmp_path)
        erasures = Erasures(self.stack.bucket, self.stack.traces)
        yield erasures
        erasures.stop()

    def names(self) -> list[str | None]:
        return [trace.client_id for trace in self.stack.traces.all()]

    def test_an_erasure_is_noticed_while_the_stack_runs(self, erasures: Erasures) -> None:
        """And a second one."""
        erasures.start()
        for number, person in enumerate((ANNA, BEN)):
            store(self.stack, KEY.format(number), event(person))
        erased = erase_anna(self.stack.bucket)
        wait_for(lambda: self.names() == ["ben-client"])
        open_bucket(self.stack.bucket).put(erased.and_also([("client_id", "ben-client")]).objects())
        wait_for(lambda: self.names() == [])

    def test_people_who_were_erased_before_the_start_are_known_at_once(self, erasures: Erasures) -> None:
        """The first sweep traces what is stored."""
        erase_anna(self.stack.bucket)
        erasures.start()
        store(self.stack, KEY.format(1), event(ANNA))
        assert self.names() == [None]

    def test_a_damaged_key_does_not_end_it(self, erasures: Erasures) -> None:
        """The tombstones of the last time hold."""
        erase_anna(self.stack.bucket)
        erasures.start()
        (self.stack.bucket / "erasures" / "key.json").write_text("?")
        store(self.stack, KEY.format(1), event(ANNA))
        assert (self.names(), erasures.is_alive) == ([None], True)
