import threading
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.projector import objects
from emulator.triggers import deliver as deliveries
from emulator.triggers.deliver import Deliveries
from emulator.triggers.notification import File
from emulator.triggers.queue import TriggerFaults

A = File("events/a.json", 2, 1)
B = File("events/b.json", 2, 1)


class Projector:
    """A projector that notes what it is given, and gives the outcomes it is told to."""

    def __init__(self, *outcomes: str | Exception) -> None:
        self.keys: list[str] = []
        self._outcomes = list(outcomes)

    def __call__(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        ((_, key),) = objects(event)
        self.keys.append(key)
        outcome = self._outcomes.pop(0) if self._outcomes else "projected"
        if isinstance(outcome, Exception):
            raise outcome
        return [{"outcome": outcome, "key": key}]


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "PAUSE_SECONDS", 0)


def run_until_idle(queue: Deliveries) -> None:
    """Deliver what waits, and stop."""
    stopping = threading.Event()
    thread = threading.Thread(target=queue.run, args=(stopping,))
    thread.start()
    while queue._pending:
        stopping.wait(0.01)
    stopping.set()
    queue.wake()
    thread.join()


def deliveries_to(projector: Projector, exists: Callable[[str], bool] = lambda _: False) -> Deliveries:
    return Deliveries("raw", projector, exists)


class TestDeliveries:
    def test_each_object_is_delivered_once(self) -> None:
        """However often it is offered while it waits, and afterwards."""
        projector = Projector()
        queue = deliveries_to(projector)
        queue.offer([A, B, A])
        queue.offer([B])
        run_until_idle(queue)
        queue.offer([A, B])
        assert projector.keys == [A.key, B.key]
        assert queue.pending == 0

    def test_a_changed_object_is_delivered_again(self) -> None:
        """As S3 does for an overwritten one."""
        projector = Projector()
        queue = deliveries_to(projector)
        for file in (A, A._replace(changed=2)):
            queue.offer([file])
            run_until_idle(queue)
        assert projector.keys == [A.key, A.key]

    def test_what_the_warehouse_knows_is_not_delivered(self) -> None:
        """As long as it does not change."""
        projector = Projector()
        queue = deliveries_to(projector)
        queue.mark_done([A])
        queue.offer([A])
        assert queue.pending == 0

    def test_what_fails_waits_until_it_is_offered_again(self) -> None:
        """It counts as pending, and the reason is kept until something succeeds."""
        projector = Projector(RuntimeError("the warehouse failed"))
        queue = deliveries_to(projector)
        queue.offer([A])
        run_until_idle(queue)
        assert queue.pending == 1
        assert queue.last_error == "the warehouse failed"
        queue.offer_failed()
        run_until_idle(queue)
        assert projector.keys == [A.key, A.key]
        assert queue.pending == 0
        assert queue.last_error is None

    def test_one_success_hides_no_other_failure(self) -> None:
        """The last error is that of an object that still waits."""
        queue = deliveries_to(Projector(RuntimeError("A is broken"), "projected"))
        queue.offer([A])
        run_until_idle(queue)
        queue.offer([B])
        run_until_idle(queue)
        assert queue.last_error == "A is broken"

    def test_what_failed_and_is_known_after_all_waits_no_more(self) -> None:
        """The warehouse may have stored it before its answer was lost."""
        queue = deliveries_to(Projector(RuntimeError("the answer was lost")))
        queue.offer([A])
        run_until_idle(queue)
        queue.mark_done([A])
        assert queue.pending == 0
        assert queue.last_error is None

    @pytest.mark.parametrize(("exists", "pending"), [(True, 1), (False, 0)])
    def test_gone_for_s3_but_there_on_disk_is_tried_again(self, exists: bool, pending: int) -> None:  # noqa: FBT001
        """The S3 server sees a file written by hand only after a while; a deleted one is passed over."""
        queue = deliveries_to(Projector("gone"), lambda _: exists)
        queue.offer([A])
        run_until_idle(queue)
        assert queue.pending == pending


class Observer:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, ...]] = []

    def stored(self, file: File) -> None:
        self.told.append(("stored", file.key))

    def delivered(self, file: File) -> None:
        self.told.append(("delivered", file.key))

    def projected(self, file: File, outcome: str, reason: str | None) -> None:
        self.told.append((outcome, file.key, str(reason)))


class TestObserver:
    def test_it_is_told_every_step(self) -> None:
        """In order, also of what fails and is delivered again; the reason is what failed, not how many did."""
        observer = Observer()
        failure = RuntimeError("1 objects were not projected")
        failure.__cause__ = RuntimeError("the warehouse failed")
        queue = Deliveries("raw", Projector(failure, "rejected"), lambda _: False, observer)
        queue.offer([A, A])
        run_until_idle(queue)
        queue.offer_failed()
        run_until_idle(queue)
        assert observer.told == [
            ("stored", A.key),
            ("delivered", A.key),
            ("failed", A.key, "the warehouse failed"),
            ("stored", A.key),
            ("delivered", A.key),
            ("rejected", A.key, "None"),
        ]


class TestMisbehave:
    def test_a_second_delivery_that_fails_is_not_repeated(self) -> None:
        """Its object has its row already."""
        projector = Projector("projected", RuntimeError("down"))
        queue = deliveries_to(projector)
        queue.misbehave(TriggerFaults(twice=True))
        queue.offer([A])
        stopping = threading.Event()
        thread = threading.Thread(target=queue.run, args=(stopping,))
        thread.start()
        while len(projector.keys) < 2:
            stopping.wait(0.01)
        stopping.set()
        queue.wake()
        thread.join()
        assert (queue.pending, queue.last_error) == (0, None)

    def test_retries_are_not_doubled_each_time(self) -> None:
        """However long the warehouse is away, an object waits once."""
        projector = Projector(*[RuntimeError("down")] * 40)
        queue = deliveries_to(projector)
        queue.misbehave(TriggerFaults(twice=True))
        queue.offer([A])
        for _ in range(5):
            run_until_idle(queue)
            queue.offer_failed()
        run_until_idle(queue)
        assert len(projector.keys) <= 2 + 5
        assert queue.last_error == "down"


class TestHeld:
    def test_everything_is_forgotten(self) -> None:
        """What waited is not delivered, and what was delivered is new again."""
        projector = Projector()
        queue = deliveries_to(projector)
        queue.offer([A])
        run_until_idle(queue)
        queue.offer([B])
        with queue.held():
            pass
        assert queue.pending == 0
        assert queue.is_new(A)
        queue.offer([A])
        run_until_idle(queue)
        assert projector.keys == [A.key, A.key]
