import time
from collections.abc import Callable
from threading import Event, Thread

import pytest

from analysis.dashboard.work import kept as module
from analysis.dashboard.work.kept import Kept
from analysis.engines.stopping import Stop, Stopped


class Counted:
    """Work that counts how often it is done."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> int:
        self.times += 1
        return self.times


def in_thread(work: Callable[[], object]) -> Thread:
    thread = Thread(target=work)
    thread.start()
    return thread


class TestKept:
    def test_a_result_is_given_again_until_it_is_old(self) -> None:
        """Each key has its own; without an age, it never is old."""
        kept, work = Kept[int](9), Counted()
        assert [kept.get("a", work, None), kept.get("a", work, None), kept.get("b", work, None)] == [1, 1, 2]
        time.sleep(0.01)
        assert kept.get("a", work, 0) == 3
        assert kept.get("a", work, 60) == 3

    def test_what_took_long_is_kept_longer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Ten times as long as it took, if that is the rest."""
        clock = [0.0]
        monkeypatch.setattr(module, "monotonic", lambda: clock[0])
        kept, work = Kept[int](9, rest=10), Counted()

        def slow() -> int:
            clock[0] += 6
            return work()

        assert kept.get("a", slow, 1) == 1
        clock[0] += 59
        assert kept.get("a", slow, 1) == 1
        clock[0] += 2
        assert kept.get("a", slow, 1) == 2

    def test_forgotten_and_surplus_results_are_made_again(self) -> None:
        """The result that was not asked for the longest goes first."""
        kept, work = Kept[int](2), Counted()
        for key in ("a", "b", "a", "c"):
            kept.get(key, work, None)
        assert [kept.get("a", work, None), kept.get("b", work, None)] == [1, 4]
        kept.forget()
        assert kept.get("b", work, None) == 5

    def test_two_who_ask_at_once_have_the_work_done_once(self) -> None:
        """The second one waits for the first."""
        kept, begun, found = Kept[int](9), Event(), list[int]()
        work = Counted()

        def slow() -> int:
            begun.set()
            time.sleep(0.3)
            return work()

        threads = [in_thread(lambda: found.append(kept.get("a", slow, None))) for _ in range(2)]
        for thread in threads:
            thread.join()
        assert found == [1, 1]

    def test_work_that_was_stopped_is_not_kept(self) -> None:
        """The one who waits does it instead, and whoever waits can be stopped, too."""
        kept, begun, goes_on = Kept[int](9), Event(), Event()

        def stopped() -> int:
            begun.set()
            goes_on.wait()
            raise Stopped("stopped")

        def ask() -> None:
            with pytest.raises(Stopped):
                kept.get("a", stopped, None)

        first = in_thread(ask)
        begun.wait()
        stop = Stop()
        stop.request()
        with stop.watched(), pytest.raises(Stopped):
            kept.get("a", lambda: 1, None)
        goes_on.set()
        assert kept.get("a", lambda: 2, None) == 2
        first.join()
