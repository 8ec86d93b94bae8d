import threading
from random import Random

import pytest

from command_line.errors import CommandError
from emulator.triggers import queue as delivery_queue
from emulator.triggers.notification import File
from emulator.triggers.queue import Delivery, DeliveryQueue, TriggerFaults

FILES = [File(f"events/{number}.json", 2, 1) for number in range(20)]


def put_all(queue: DeliveryQueue) -> None:
    for file in FILES:
        queue.put(Delivery(file))


def take(queue: DeliveryQueue, count: int) -> list[File]:
    """The next ones, each dealt with at once."""
    files = []
    for _ in range(count):
        taken = queue.get()
        files += [delivery.file for delivery in taken]
        queue.done(taken)
    return files


def is_empty(queue: DeliveryQueue) -> bool:
    """Whether nothing comes out but what wakes it."""
    queue.wake()
    return queue.get() == []


def file_of(hour: str, name: str, second: int = 0) -> File:
    """An object of an hour of a day, stored in a second of it."""
    return File(f"events/2026/11/24/{hour}/{name}.json", 2, second * 1_000_000_000)


class TestDeliveryQueue:
    def test_what_is_put_first_comes_out_first(self) -> None:
        """Without faults."""
        queue = DeliveryQueue()
        put_all(queue)
        assert take(queue, 20) == FILES
        assert is_empty(queue)

    def test_a_get_waits_for_a_put(self) -> None:
        """Threads need not ask again and again."""
        queue = DeliveryQueue()
        threading.Timer(0.05, queue.put, [Delivery(FILES[0])]).start()
        assert queue.get() == [Delivery(FILES[0])]

    def test_twice(self) -> None:
        """Each is delivered two times."""
        queue = DeliveryQueue()
        queue.misbehave(TriggerFaults(twice=True))
        put_all(queue)
        assert sorted(take(queue, 40), key=str) == sorted(FILES * 2, key=str)
        assert is_empty(queue)

    def test_late(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It comes out when it is due, not before."""
        monkeypatch.setattr(delivery_queue, "DELAY_SECONDS", 0.2)
        queue = DeliveryQueue()
        queue.misbehave(TriggerFaults(late=True))
        queue.put(Delivery(FILES[0]))
        assert is_empty(queue)
        assert take(queue, 1) == FILES[:1]

    def test_late_no_more(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is held back comes out at once, in order, when the fault is switched off."""
        monkeypatch.setattr(delivery_queue, "DELAY_SECONDS", 3600)
        queue = DeliveryQueue()
        queue.misbehave(TriggerFaults(late=True))
        put_all(queue)
        assert is_empty(queue)
        queue.misbehave(TriggerFaults())
        assert take(queue, 20) == FILES

    def test_out_of_order(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """All of them, in another order."""
        monkeypatch.setattr(delivery_queue, "SHUFFLE_SECONDS", 0.1)
        queue = DeliveryQueue(Random(1))  # an order, no secret
        queue.misbehave(TriggerFaults(out_of_order=True))
        put_all(queue)
        taken = take(queue, 20)
        assert taken != FILES
        assert sorted(taken, key=str) == sorted(FILES, key=str)

    def test_off(self) -> None:
        """Nothing comes out until it is switched on again."""
        queue = DeliveryQueue()
        queue.misbehave(TriggerFaults(off=True))
        put_all(queue)
        assert is_empty(queue)
        queue.misbehave(TriggerFaults())
        assert take(queue, 20) == FILES

    def test_held(self) -> None:
        """Nothing comes out while the block runs, and what waited then is forgotten."""
        queue = DeliveryQueue()
        put_all(queue)
        with queue.held():
            assert is_empty(queue)
        assert is_empty(queue)
        queue.put(Delivery(FILES[0]))
        assert take(queue, 1) == FILES[:1]

    def test_held_waits_for_what_is_under_way(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """And gives up on what never ends, forgetting nothing."""
        queue = DeliveryQueue()
        put_all(queue)
        taken = queue.get()
        monkeypatch.setattr(delivery_queue, "HOLD_SECONDS", 0.01)
        with pytest.raises(CommandError, match="try again"), queue.held():
            pass
        monkeypatch.setattr(delivery_queue, "HOLD_SECONDS", 30)
        threading.Timer(0.05, queue.done, [taken]).start()
        with queue.held():
            assert is_empty(queue)


class TestOrder:
    def test_the_newest_hour_comes_first(self) -> None:
        """A backlog of past hours keeps no new event waiting, whichever was offered first."""
        queue = DeliveryQueue()
        files = [file_of("20", "a"), file_of("22", "b"), file_of("21", "c"), file_of("22", "d")]
        for file in files:
            queue.put(Delivery(file))
        assert [file.key[-9:-5] for file in take(queue, 4)] == ["22/b", "22/d", "21/c", "20/a"]

    def test_in_an_hour_the_newest_second_comes_first(self) -> None:
        """A backlog of 25,000 objects within this hour keeps a new event waiting for no batch but the one under way."""
        queue = DeliveryQueue()
        for number in range(25_000):
            queue.put(Delivery(file_of("22", f"{number:05}", number // 1000)))
        first = queue.get(50)
        assert [delivery.file.key[-10:-5] for delivery in first[:2]] == ["24000", "24001"]
        queue.done(first)
        queue.put(Delivery(file_of("22", "fresh", 60)))
        assert queue.get(50)[0].file.key.endswith("fresh.json")

    def test_objects_outside_of_hours_come_last(self) -> None:
        """Nothing says how new they are."""
        queue = DeliveryQueue()
        for key in ("events/a.json", "events/2026/11/24/22/b.json", "events/²026/11/24/22/c.json"):
            queue.put(Delivery(File(key, 2, 1)))
        assert take(queue, 1)[0].key == "events/2026/11/24/22/b.json"

    def test_what_waits_comes_out_together(self) -> None:
        """Up to a number, each once."""
        queue = DeliveryQueue()
        put_all(queue)
        batches = []
        for _ in range(3):
            batches.append(queue.get(8))
            queue.done(batches[-1])
        assert [len(batch) for batch in batches] == [8, 8, 4]
        assert sorted(delivery.file for batch in batches for delivery in batch) == sorted(FILES)

    def test_the_oldest_come_too_while_new_ones_come_faster_than_they_are_delivered(self) -> None:
        """A fifth of each batch: a backlog of 50 is gone after ten batches of 25, however many new ones wait."""
        queue, old = DeliveryQueue(), {f"old{number:02}" for number in range(50)}
        for name in old:
            queue.put(Delivery(file_of("21", name)))
        for second in range(10):
            for number in range(100):
                queue.put(Delivery(file_of("22", f"new{number:02}", second)))
            taken = queue.get(25)
            queue.done(taken)
            names = [delivery.file.key[-10:-5] for delivery in taken]
            assert len(old.intersection(names)) == 5
            old.difference_update(names)
        assert not old

    def test_refused_ones_come_after_all_others_and_apart_from_them(self) -> None:
        """However long they have waited: a batch that holds one of them would be inserted row by row."""
        queue = DeliveryQueue()
        queue.put(Delivery(file_of("22", "refused", 9), tries=1, refused=True))
        queue.put(Delivery(file_of("21", "old")))
        batches = [queue.get(50)]
        queue.done(batches[0])
        batches.append(queue.get(50))
        assert [[delivery.refused for delivery in batch] for batch in batches] == [[False], [True]]

    def test_refused_ones_keep_one_thread_busy_at_most(self) -> None:
        """The others wait for new events meanwhile."""
        queue = DeliveryQueue()
        for number in range(2):
            queue.put(Delivery(FILES[number], tries=1, refused=True))
        retried = queue.get()
        assert retried[0].refused
        assert is_empty(queue)
        queue.put(Delivery(FILES[2]))
        assert take(queue, 1) == [FILES[2]]
        queue.done(retried)
        assert take(queue, 1) == [FILES[1]]

    def test_a_delay(self) -> None:
        """It comes out when it is due; what is due already does not wait for it."""
        queue = DeliveryQueue()
        queue.put(Delivery(FILES[0], tries=1, refused=True), 0.1)
        queue.put(Delivery(FILES[1], tries=1), 3600)
        assert is_empty(queue)
        queue.put(Delivery(FILES[2]))
        assert take(queue, 2) == [FILES[2], FILES[0]]

    def test_a_fault_that_is_switched_brings_no_refused_one_forward(self) -> None:
        """They wait for their own time."""
        queue = DeliveryQueue()
        queue.put(Delivery(FILES[0], tries=1, refused=True), 3600)
        queue.misbehave(TriggerFaults(twice=True))
        queue.misbehave(TriggerFaults())
        assert is_empty(queue)

    def test_a_pause(self) -> None:
        """Nothing comes out before it ends."""
        queue = DeliveryQueue()
        put_all(queue)
        queue.pause(0.1)
        assert is_empty(queue)
        assert take(queue, 20) == FILES
