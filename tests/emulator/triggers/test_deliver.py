import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from chalicelib.errors import ProjectionFailed
from chalicelib.projection.projector import objects
from emulator.triggers import deliver as deliveries
from emulator.triggers.deliver import Deliveries
from emulator.triggers.notification import File
from emulator.triggers.queue import Delivery, TriggerFaults
from tests.support.stack_process import wait_for

A = File("events/a.json", 2, 1)
B = File("events/b.json", 2, 1)


class Projector:
    """A projector that notes what it is given, and gives the outcomes it is told to.

    `refused` names keys that the warehouse refuses, with the reason; `down` makes it unavailable.
    """

    def __init__(self, *outcomes: str | Exception) -> None:
        self.batches: list[list[str]] = []
        self.refused: dict[str, str] = {}
        self.down = False
        self._outcomes = list(outcomes)

    @property
    def keys(self) -> list[str]:
        return [key for batch in self.batches for key in batch]

    def __call__(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        keys = [named.key for named in objects(event)]
        self.batches.append(keys)
        outcomes = [self._outcome(key, is_alone=len(keys) == 1) for key in keys]
        if any(outcome["outcome"] == "failed" for outcome in outcomes):
            raise ProjectionFailed("some objects could not be projected", outcomes)
        return outcomes

    def _outcome(self, key: str, *, is_alone: bool) -> dict[str, Any]:
        if self.down:
            return {"outcome": "failed", "key": key, "kind": "WarehouseUnavailable", "error": "the warehouse is away"}
        if key in self.refused:
            return {"outcome": "failed", "key": key, "kind": "RowRefused", "error": self.refused[key]}
        outcome = self._outcomes.pop(0) if self._outcomes else "projected"
        if isinstance(outcome, Exception) and is_alone:
            raise outcome
        if isinstance(outcome, Exception):
            return {"outcome": "failed", "key": key, "kind": "InternalError", "error": str(outcome)}
        return {"outcome": outcome, "key": key}


@pytest.fixture(autouse=True)
def _no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test wait for a retry, unless it sets the waits itself."""
    for name in ("PAUSE_SECONDS", "FIRST_SECONDS"):
        monkeypatch.setattr(deliveries, name, 0)


def deliver(queue: Deliveries, projector: Projector, count: int = 1) -> None:
    """Deliver until so many more objects have been given to the projector, and stop before the next notification."""
    wanted = len(projector.keys) + count

    class Enough(threading.Event):
        def is_set(self) -> bool:
            return super().is_set() or len(projector.keys) >= wanted

    with delivering(queue, stopping=Enough()):
        wait_for(lambda: len(projector.keys) >= wanted)


@contextmanager
def delivering(queue: Deliveries, threads: int = 1, stopping: threading.Event | None = None) -> Iterator[None]:
    """Deliver while the block runs."""
    stopping = stopping or threading.Event()
    running = [threading.Thread(target=queue.run, args=(stopping,)) for _ in range(threads)]
    for thread in running:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for _ in running:
            queue.wake()
        for thread in running:
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
        deliver(queue, projector, 2)
        queue.offer([A, B])
        assert projector.keys == [A.key, B.key]
        assert queue.pending == 0

    def test_a_changed_object_is_delivered_again(self) -> None:
        """As S3 does for an overwritten one."""
        projector = Projector()
        queue = deliveries_to(projector)
        for file in (A, A._replace(changed=2)):
            queue.offer([file])
            deliver(queue, projector)
        assert projector.keys == [A.key, A.key]

    def test_what_the_warehouse_knows_is_not_delivered(self) -> None:
        """As long as it does not change."""
        projector = Projector()
        queue = deliveries_to(projector)
        queue.mark_done([A])
        queue.offer([A])
        assert queue.pending == 0

    @pytest.mark.parametrize("failure", [RuntimeError("the warehouse failed"), ValueError()])
    def test_what_fails_is_delivered_again(self, failure: Exception) -> None:
        """It counts as pending, and the reason is kept until it succeeds."""
        projector = Projector(failure)
        queue = deliveries_to(projector)
        queue.offer([A])
        deliver(queue, projector)
        assert (queue.pending, queue.failing) == (1, 1)
        assert queue.problem == (str(failure) or "ValueError")
        deliver(queue, projector)
        assert projector.keys == [A.key, A.key]
        assert (queue.pending, queue.failing) == (0, 0)
        assert queue.problem is None

    def test_a_failed_object_that_is_offered_again_keeps_its_wait(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The sweep finds it every few seconds; only a new version of it is delivered at once."""
        monkeypatch.setattr(deliveries, "FIRST_SECONDS", 3600)
        projector = Projector(RuntimeError("down"))
        queue = deliveries_to(projector)
        queue.offer([A])
        deliver(queue, projector)
        queue.offer([A])
        queue.offer([B])
        deliver(queue, projector)
        queue.offer([A._replace(changed=2)])
        deliver(queue, projector)
        assert projector.keys == [A.key, B.key, A.key]
        assert queue.pending == 0

    def test_one_success_hides_no_other_failure(self) -> None:
        """The problem is that of an object that still waits."""
        projector = Projector()
        projector.refused = {A.key: "A is broken"}
        queue = deliveries_to(projector)
        queue.offer([A])
        deliver(queue, projector)
        queue.offer([B])
        with delivering(queue):
            wait_for(lambda: B.key in projector.keys)
        assert queue.problem == "A is broken"

    def test_what_failed_and_is_known_after_all_waits_no_more(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The warehouse may have stored it before its answer was lost."""
        monkeypatch.setattr(deliveries, "FIRST_SECONDS", 3600)
        projector = Projector(RuntimeError("the answer was lost"))
        queue = deliveries_to(projector)
        queue.offer([A])
        deliver(queue, projector)
        queue.mark_done([A])
        assert queue.pending == 0
        assert queue.problem is None

    @pytest.mark.parametrize(("exists", "pending"), [(True, 1), (False, 0)])
    def test_gone_for_s3_but_there_on_disk_is_tried_again(
        self,
        exists: bool,  # noqa: FBT001
        pending: int,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The S3 server sees a file written by hand only after a while; a deleted one is passed over."""
        monkeypatch.setattr(deliveries, "FIRST_SECONDS", 3600)
        projector = Projector("gone")
        queue = deliveries_to(projector, lambda _: exists)
        queue.offer([A])
        deliver(queue, projector)
        assert queue.pending == pending


def files_of(name: str, count: int) -> list[File]:
    return [File(f"events/2026/11/24/22/{name}-{number:03}.json", 2, 1) for number in range(count)]


class TestBatches:
    def test_what_waits_is_delivered_together(self) -> None:
        """As several records of one notification, so that it costs one transaction."""
        projector = Projector()
        queue = deliveries_to(projector)
        queue.offer(files_of("a", 2 * deliveries.BATCH + 1))
        deliver(queue, projector, 2 * deliveries.BATCH + 1)
        assert [len(batch) for batch in projector.batches] == [deliveries.BATCH, deliveries.BATCH, 1]
        assert queue.pending == 0

    def test_one_that_fails_is_the_only_one_to_be_delivered_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The projector tells how each object fared."""
        monkeypatch.setattr(deliveries, "FIRST_SECONDS", 3600)
        projector = Projector()
        files = files_of("a", 20)
        projector.refused = {files[7].key: "CheckViolation"}
        queue = deliveries_to(projector)
        queue.offer(files)
        deliver(queue, projector, 20)
        assert (queue.pending, queue.failing, queue.problem) == (1, 1, "CheckViolation")

    def test_a_notification_that_fails_as_a_whole_is_delivered_object_by_object(self) -> None:
        """One of them may have broken the projector."""

        class Broken(Projector):
            def __call__(self, event: dict[str, Any]) -> list[dict[str, Any]]:
                outcomes = super().__call__(event)
                if A.key in self.batches[-1]:
                    raise MemoryError("too large")
                return outcomes

        projector = Broken()
        queue = deliveries_to(projector)
        queue.offer([A, B])
        deliver(queue, projector, 4)
        assert projector.batches[:3] == [[A.key, B.key], [A.key], [B.key]]
        assert (queue.failing, queue.problem) == (1, "too large")


class TestRefused:
    """Objects that the warehouse refuses, because an analyst has added a constraint, for example."""

    @pytest.mark.parametrize("count", [5, 25, 65])
    def test_new_events_never_wait_for_them(self, count: int) -> None:
        """A new event comes with the next notification, and no deliverer pauses, though all retries are due."""
        projector = Projector()
        refused = files_of("refused", count)
        projector.refused = dict.fromkeys((file.key for file in refused), "CheckViolation")
        pauses: list[float] = []
        queue = deliveries_to(projector)
        queue._queue.pause = pauses.append  # type: ignore[method-assign, assignment]
        fresh = iter(files_of("fresh", 20))
        project, offered = queue._project, []

        def offer_meanwhile(event: dict[str, Any]) -> list[dict[str, Any]]:
            if len(projector.batches) % 3 == 2 and (file := next(fresh, None)):
                queue.offer([file])
                offered.append(len(projector.batches))
            return project(event)

        queue._project = offer_meanwhile
        queue.offer(refused)
        deliver(queue, projector, 30 * count)
        assert [n for n, batch in enumerate(projector.batches) if "fresh" in batch[0]] == [n + 1 for n in offered]
        assert len(offered) >= 5
        assert pauses == []
        assert (queue.pending, queue.failing) == (count, count)
        assert queue.problem == f"{count} objects failed, and are tried again; the last: CheckViolation"

    def test_each_waits_twice_as_long_after_every_try(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Up to a minute; what one of them waits changes nothing for another."""
        monkeypatch.setattr(deliveries, "FIRST_SECONDS", 0.5)
        projector = Projector()
        projector.refused = {A.key: "CheckViolation"}
        queue = deliveries_to(projector)
        waits: dict[str, list[float]] = {A.key: [], B.key: []}
        put = queue._queue.put

        def put_at_once(delivery: Delivery, delay: float = 0) -> None:
            waits[delivery.file.key].append(delay)
            put(delivery)

        queue._queue.put = put_at_once  # type: ignore[method-assign]
        queue.offer([A])
        deliver(queue, projector, 10)
        queue.offer([B])
        with delivering(queue):
            wait_for(lambda: B.key in projector.keys)
        assert waits[A.key][:10] == [0, 0.5, 1, 2, 4, 8, 16, 32, 60, 60]
        assert waits[B.key] == [0]

    def test_all_are_tried_at_once_when_one_is_taken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The constraint was dropped; those with another reason go on waiting."""
        projector = Projector()
        refused = files_of("refused", 30)
        projector.refused = dict.fromkeys((file.key for file in refused), "CheckViolation") | {A.key: "other"}
        queue = deliveries_to(projector)
        monkeypatch.setattr(deliveries, "FIRST_SECONDS", 3600)
        monkeypatch.setattr(deliveries, "MOST_SECONDS", 3600)
        queue.offer([*refused[1:], A])
        deliver(queue, projector, 30)
        monkeypatch.setattr(deliveries, "FIRST_SECONDS", 0)
        queue.offer(refused[:1])
        deliver(queue, projector)
        projector.refused = {A.key: "other"}
        with delivering(queue):
            wait_for(lambda: queue.pending == 1)
        assert queue.problem == "other"
        assert projector.keys.count(A.key) == 1


class TestWarehouseDown:
    def test_one_object_at_a_time_tries_whether_it_is_back(self) -> None:
        """The others wait; then all come together again, the newest first."""
        projector = Projector()
        projector.down = True
        queue = deliveries_to(projector)
        queue.offer(files_of("a", 200))
        deliver(queue, projector, deliveries.BATCH + 10)
        assert {len(batch) for batch in projector.batches[1:]} == {1}
        assert queue.pending == 200
        projector.down = False
        before = len(projector.batches)
        with delivering(queue):
            wait_for(lambda: queue.pending == 0)
        assert len(projector.batches) - before <= 1 + 200 // deliveries.BATCH + 2

    def test_the_deliverers_pause(self) -> None:
        """Until it may have recovered: this is the fault of no object."""
        projector = Projector()
        projector.down = True
        queue = deliveries_to(projector)
        pauses: list[float] = []
        queue._queue.pause = pauses.append  # type: ignore[method-assign, assignment]
        queue.offer([A])
        deliver(queue, projector, 3)
        assert len(pauses) >= 3

    def test_an_object_waits_two_seconds_at_most(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """So that its row comes within seconds of the warehouse."""
        monkeypatch.setattr(deliveries, "FIRST_SECONDS", 0.5)
        projector = Projector()
        projector.down = True
        queue = deliveries_to(projector)
        waits: list[float] = []
        put = queue._queue.put

        def put_at_once(delivery: Delivery, delay: float = 0) -> None:
            waits.append(delay)
            put(delivery)

        queue._queue.put = put_at_once  # type: ignore[method-assign]
        queue.offer([A])
        deliver(queue, projector, 6)
        assert waits[:6] == [0, 0.5, 1, 2, 2, 2]


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
        projector = Projector(failure, "rejected")
        queue = Deliveries("raw", projector, lambda _: False, observer)
        queue.offer([A, A])
        deliver(queue, projector)
        deliver(queue, projector)
        assert observer.told == [
            ("stored", A.key),
            ("delivered", A.key),
            ("failed", A.key, "the warehouse failed"),
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
        deliver(queue, projector, 2)
        assert (queue.pending, queue.problem) == (0, None)

    def test_retries_are_not_doubled_each_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """However long the warehouse is away, an object waits once."""
        for name in ("FIRST_SECONDS", "MOST_SECONDS_DOWN"):
            monkeypatch.setattr(deliveries, name, 3600)
        projector = Projector()
        projector.down = True
        queue = deliveries_to(projector)
        queue.misbehave(TriggerFaults(twice=True))
        queue.offer([A])
        deliver(queue, projector, 2)
        for _ in range(5):
            queue.misbehave(TriggerFaults(twice=True))  # which brings forward what waits
            deliver(queue, projector)
        queue.misbehave(TriggerFaults())
        projector.down = False
        deliver(queue, projector)
        queue.offer([B])
        deliver(queue, projector)
        assert projector.keys == [A.key] * (2 + 5 + 1) + [B.key]


class TestHeld:
    def test_everything_is_forgotten(self) -> None:
        """What waited is not delivered, and what was delivered is new again."""
        projector = Projector()
        queue = deliveries_to(projector)
        queue.offer([A])
        deliver(queue, projector)
        queue.offer([B])
        with queue.held():
            pass
        assert queue.pending == 0
        assert queue.is_new(A)
        queue.offer([A])
        deliver(queue, projector)
        assert projector.keys == [A.key, A.key]
