"""The waits of events for their rows."""

import time
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from command_line.home import Home
from emulator.soak import waits as waits_module
from emulator.soak.load import probe_event
from emulator.soak.waits import NO_FAULT, OF_REFUSED, Wait, Waits
from tests.emulator.soak.test_soak import Stored

pytestmark = pytest.mark.slow


@pytest.fixture
def stored(tmp_path: Path, warehouse_url: str) -> Stored:
    """Give a stack that stands still, with one row."""
    stored = Stored(Home(tmp_path / "home"), warehouse_url)
    stored.add()
    stored.project()
    return stored


def look(waits: Waits, stored: Stored) -> None:
    with psycopg.connect(stored.subject.stack.dw_url, autocommit=True) as connection:
        waits.look(connection)


class TestWaits:
    def test_an_event_waits_until_it_is_a_row(self, stored: Stored) -> None:
        """Not until then does it count, and then once."""
        waits, event = Waits(stored.subject), probe_event()
        waits.note(event["eventId"])
        look(waits, stored)
        assert waits.by_kind() == {}
        time.sleep(0.2)
        stored.add(event)
        stored.project()
        look(waits, stored)
        look(waits, stored)
        wait = waits.by_kind()[NO_FAULT]
        assert wait.events == 1
        assert 0.2 <= wait.median == wait.longest < 30

    def test_it_belongs_to_the_fault_that_it_met(self, stored: Stored) -> None:
        """Of those acknowledged before, under and after a fault, the first waited into it."""
        waits = Waits(stored.subject)
        (row,) = stored.acknowledged
        settled, before, under, after = row, *(probe_event() for _ in range(3))
        waits.note(settled)
        look(waits, stored)
        waits.note(before["eventId"])
        with waits.during("S3 killed"):
            waits.note(under["eventId"])
        waits.note(after["eventId"])
        for event in (before, under, after):
            stored.add(event)
        stored.project()
        look(waits, stored)
        assert {kind: wait.events for kind, wait in waits.by_kind().items()} == {NO_FAULT: 2, "S3 killed": 2}

    def test_a_refused_row_is_told_from_the_others(self, stored: Stored) -> None:
        """The constraint refuses it by the last byte of its id; the others must not wait for it."""
        waits = Waits(stored.subject)
        refused, other = (probe_event() | {"eventId": f"{uuid4()}"[:-2] + end} for end in ("19", "1a"))
        with waits.during("rows refused"):
            for event in (refused, other):
                waits.note(event["eventId"])
                stored.add(event)
        stored.project()
        look(waits, stored)
        assert {kind: wait.events for kind, wait in waits.by_kind().items()} == {"rows refused": 1, OF_REFUSED: 1}

    def test_each_has_its_turn_however_many_wait(self, stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
        """One query asks about a few. An event without a row makes room for others."""
        monkeypatch.setattr(waits_module, "MOST_ASKED", 2)
        waits = Waits(stored.subject)
        for _ in range(4):
            waits.note(str(uuid4()))
        waits.note(next(iter(stored.acknowledged)))
        for _ in range(3):
            look(waits, stored)
        assert waits.by_kind()[NO_FAULT].events == 1

    def test_a_thread_looks_until_the_block_ends(self, stored: Stored) -> None:
        """Whoever settles waits for that thread only."""
        waits = Waits(stored.subject)
        with waits.running():
            waits.note(next(iter(stored.acknowledged)))
            waits.settle(30)
        assert waits.by_kind()[NO_FAULT].events == 1

    def test_a_summary_has_median_and_longest(self) -> None:
        """In milliseconds."""
        assert Wait.of([0.1, 3.00049, 0.2]) == Wait(3, 0.2, 3.0)
