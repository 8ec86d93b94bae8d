import threading
from random import Random

import pytest

from command_line.errors import CommandError
from emulator.triggers import queue as delivery_queue
from emulator.triggers.notification import File
from emulator.triggers.queue import DeliveryQueue, TriggerFaults

FILES = [File(f"events/{number}.json", 2, 1) for number in range(20)]


def put_all(queue: DeliveryQueue) -> None:
    for file in FILES:
        queue.put(file)


def take(queue: DeliveryQueue, count: int) -> list[File | None]:
    """The next ones, each dealt with at once."""
    files = []
    for _ in range(count):
        files.append(queue.get())
        queue.done()
    return files


def is_empty(queue: DeliveryQueue) -> bool:
    """Whether nothing comes out but what wakes it."""
    queue.wake()
    return queue.get() is None


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
        threading.Timer(0.05, queue.put, [FILES[0]]).start()
        assert queue.get() == FILES[0]

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
        queue.put(FILES[0])
        assert is_empty(queue)
        assert queue.get() == FILES[0]

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
        queue.put(FILES[0])
        assert queue.get() == FILES[0]

    def test_held_waits_for_what_is_under_way(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """And gives up on what never ends, forgetting nothing."""
        queue = DeliveryQueue()
        put_all(queue)
        queue.get()
        monkeypatch.setattr(delivery_queue, "HOLD_SECONDS", 0.01)
        with pytest.raises(CommandError, match="try again"), queue.held():
            pass
        monkeypatch.setattr(delivery_queue, "HOLD_SECONDS", 30)
        threading.Timer(0.05, queue.done).start()
        with queue.held():
            assert is_empty(queue)
