import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from command_line.errors import CommandError
from emulator.stack.supervisor import MAX_RESTARTS, Supervisor, back_off, handlers_kept, interruptible
from tests.support.stack_process import wait_for


class FakePart:
    """A part that dies as often as it is told to."""

    def __init__(self, name: str, deaths: int = 0, *, startable: bool = True) -> None:
        self.name = name
        self.log: list[str] = []
        self.deaths = deaths
        self.startable = startable
        self.silent = False
        self.starting: threading.Event | None = None  # what a start waits for
        self._runs = False

    def start(self) -> None:
        self.log.append("start")
        if self.starting is not None:
            self.starting.wait(30)
        if not self.startable:
            raise CommandError(f"{self.name} cannot start")
        self.silent = False
        self._runs = True

    def stop(self) -> None:
        self.log.append("stop")
        if self.starting is not None:
            self.starting.set()
        self._runs = False

    def check(self) -> str | None:
        self.log.append("check")
        return "timed out" if self.silent else None

    @property
    def is_alive(self) -> bool:
        if self._runs and self.deaths:
            self.deaths -= 1
            self._runs = False
        return self._runs

    def last_lines(self) -> list[str]:
        return ["its last words"]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("POLL_SECONDS", "CHECK_SECONDS"):
        monkeypatch.setattr(f"emulator.stack.supervisor.{name}", 0.01)


@contextmanager
def kept(supervisor: Supervisor) -> Iterator[None]:
    """Supervise while the block runs, then stop all parts."""
    threading.Thread(target=supervisor.run, daemon=True).start()
    try:
        yield
    finally:
        supervisor.stop()


class TestSupervisor:
    def test_a_part_that_dies_is_reported_and_started_again(self) -> None:
        """With the end of its log."""
        reports: list[str] = []
        supervisor = Supervisor(reports.append)
        supervisor.add(FakePart("steady"))
        supervisor.add(FakePart("shaky", deaths=MAX_RESTARTS))
        ended = threading.Thread(target=supervisor.run, daemon=True)
        ended.start()
        deadline = time.monotonic() + 10
        while reports.count("shaky runs again") < MAX_RESTARTS:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert "shaky died and is started again; its last lines:\nits last words" in reports
        assert "steady runs again" not in reports

    def test_one_that_dies_too_often_ends_the_run(self) -> None:
        """The error shows its last lines."""
        supervisor = Supervisor(lambda _: None)
        supervisor.add(FakePart("hopeless", deaths=100))
        with pytest.raises(
            CommandError, match="hopeless has died 6 times in a minute; its last lines:\nits last words"
        ):
            supervisor.run()

    def test_one_that_is_not_vital_never_ends_the_run(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """However often it dies; the others go on, and it is said why it does not run."""
        monkeypatch.setattr("emulator.stack.supervisor.MOST_BACK_OFF_SECONDS", 0.01)
        warehouse, ingest = FakePart("warehouse", deaths=20), FakePart("ingest")
        reports: list[str] = []
        supervisor = Supervisor(reports.append)
        supervisor.add(warehouse, is_vital=False)
        supervisor.add(ingest)
        with kept(supervisor):
            wait_for(lambda: warehouse.log.count("start") == 20 + 1)
            assert ingest.log == ["start"]
            assert supervisor.problem(warehouse) is None
            warehouse.startable, warehouse.deaths = False, 1
            wait_for(lambda: supervisor.problem(warehouse) == "warehouse cannot start")
            wait_for(lambda: reports.count("warehouse did not start: warehouse cannot start") > MAX_RESTARTS)
            warehouse.startable = True
            wait_for(lambda: supervisor.problem(warehouse) is None)
        assert warehouse.log[-1] == ingest.log[-1] == "stop"

    def test_one_that_is_not_vital_is_restarted_less_and_less_often(self) -> None:
        """The first time at once, then after a wait that doubles."""
        assert [back_off(restarts) for restarts in range(1, 8)] == [1, 2, 4, 8, 15, 15, 15]

    def test_a_part_that_waits_for_its_next_try_is_left_alone(self) -> None:
        """The back-off counts, not the poll."""
        part = FakePart("warehouse", deaths=100)
        reports: list[str] = []
        supervisor = Supervisor(reports.append)
        supervisor.add(part, is_vital=False)
        with kept(supervisor):
            wait_for(lambda: "warehouse runs again" in reports)
            time.sleep(0.2)
            assert part.log == ["start", "stop", "start"]
            assert supervisor.problem(part) == "it died: its last words"

    def test_one_that_does_not_answer_is_restarted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Though its process runs: PostgreSQL in a smart shutdown, for example, waits for the sessions that it has."""
        monkeypatch.setattr("emulator.stack.supervisor.SILENT_SECONDS", 0.1)
        reports: list[str] = []
        supervisor = Supervisor(reports.append)
        warehouse, projector = FakePart("warehouse"), FakePart("projector")
        supervisor.add(warehouse, must_answer=True)
        supervisor.add(projector)
        warehouse.silent = projector.silent = True
        with kept(supervisor):
            wait_for(lambda: "warehouse runs again" in reports)
            assert reports[2].startswith("warehouse does not answer and is started again")
            assert warehouse.log.count("check") > 2
            assert projector.log == ["start"]

    def test_the_silence_counts_from_the_start_of_a_check(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A check that gets no response takes seconds itself: two of 0.3 s are enough for 0.5 s of silence."""
        monkeypatch.setattr("emulator.stack.supervisor.SILENT_SECONDS", 0.5)
        part = FakePart("ingest")

        def check() -> str | None:
            part.log.append("check")
            time.sleep(0.3)
            return "timed out"

        part.check = check  # type: ignore[method-assign]
        reports: list[str] = []
        supervisor = Supervisor(reports.append)
        supervisor.add(part, must_answer=True)
        with kept(supervisor):
            wait_for(lambda: "stop" in part.log)
            assert part.log[: part.log.index("stop")] == ["start", "check", "check"]

    def test_one_missed_check_restarts_nothing(self) -> None:
        """A part may be busy for a moment."""
        part = FakePart("s3")
        supervisor = Supervisor(lambda _: None)
        supervisor.add(part, must_answer=True)
        with kept(supervisor):
            for silent in (True, False, True, False):
                part.silent = silent
                before = part.log.count("check")
                wait_for(lambda: part.log.count("check") > before + 1)  # noqa: B023  # asked before the loop goes on
            assert "stop" not in part.log

    def test_a_slow_restart_keeps_no_other_part_down(self) -> None:
        """The recovery of a warehouse may take minutes; and stopping the stack does not wait for it."""
        slow, other = FakePart("warehouse", deaths=1), FakePart("ingest")
        supervisor = Supervisor(lambda _: None)
        supervisor.add(slow, is_vital=False)
        supervisor.add(other)
        slow.stop = lambda: slow.log.append("stop")  # type: ignore[method-assign]
        slow.starting = threading.Event()
        with kept(supervisor):
            wait_for(lambda: slow.log == ["start", "stop", "start"])
            other.deaths = 1
            wait_for(lambda: other.log == ["start", "stop", "start"])
            del slow.stop
        assert not slow.is_alive

    def test_all_are_stopped_the_last_first(self) -> None:
        """Also one that could not be started."""
        order: list[str] = []
        parts = [FakePart("a"), FakePart("b"), FakePart("c", startable=False)]
        for part in parts:
            part.stop = lambda name=part.name: order.append(name)  # type: ignore[method-assign, misc]
        supervisor = Supervisor(lambda _: None)
        supervisor.add(parts[0])
        supervisor.add(parts[1])
        with pytest.raises(CommandError):
            supervisor.add(parts[2])
        supervisor.stop()
        assert order == ["c", "b", "a"]

    def test_one_that_does_not_stop_keeps_no_other(self) -> None:
        """Whatever the error."""
        reports: list[str] = []
        stubborn, other = FakePart("stubborn"), FakePart("other")
        supervisor = Supervisor(reports.append)
        supervisor.add(other)
        supervisor.add(stubborn)

        def fail() -> None:
            raise OSError("no")

        stubborn.stop = fail  # type: ignore[method-assign]
        supervisor.stop()
        assert other.log == ["start", "stop"]
        assert "stubborn did not stop: no" in reports


class TestTakeDown:
    def test_a_part_that_was_taken_down_stays_down(self) -> None:
        """Until it is brought up; from then on it is kept running again."""
        reports: list[str] = []
        part, other = FakePart("s3"), FakePart("other", deaths=1)
        supervisor = Supervisor(reports.append)
        supervisor.add(part)
        supervisor.add(other)
        supervisor.take_down("s3")
        threading.Thread(target=supervisor.run, daemon=True).start()
        wait_for(lambda: "other runs again" in reports)
        assert part.log == ["start", "stop"]
        part.deaths = 1
        supervisor.bring_up("s3")
        wait_for(lambda: "s3 runs again" in reports)
        assert part.log == ["start", "stop", "start", "stop", "start"]

    def test_one_that_does_not_start_again_is_still_down(self) -> None:
        """And can be brought up later."""
        part = FakePart("s3")
        supervisor = Supervisor(lambda _: None)
        supervisor.add(part)
        supervisor.take_down("s3")
        part.startable = False
        with pytest.raises(CommandError):
            supervisor.bring_up("s3")
        assert supervisor.down == {"s3"}
        part.startable = True
        supervisor.bring_up("s3")
        assert supervisor.down == set()


class TestInterruptible:
    @pytest.fixture(autouse=True)
    def _signals(self) -> Iterator[None]:
        """Set the handlers back at the end."""
        with handlers_kept():
            yield

    def test_handlers_are_set_back(self) -> None:
        """A program that runs a stack and goes on can be stopped."""
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = [signal.getsignal(number) for number in numbers]
        with handlers_kept(), interruptible():
            signal.raise_signal(signal.SIGTERM)
        assert [signal.getsignal(number) for number in numbers] == before

    @pytest.mark.parametrize(
        ("number", "before"),
        [
            (signal.SIGINT, signal.SIG_IGN),
            (signal.SIGTERM, signal.SIG_IGN),
            (signal.SIGINT, signal.SIG_DFL),
            (signal.SIGTERM, signal.SIG_DFL),
            (signal.SIGHUP, signal.SIG_DFL),
        ],
    )
    def test_signals_end_the_block(self, number: signal.Signals, before: signal.Handlers) -> None:
        """Without an error; Ctrl-C and SIGTERM also where they were ignored before."""
        signal.signal(number, before)
        with interruptible():
            signal.raise_signal(number)
            signal.raise_signal(number)
            pytest.fail("the block went on")

    def test_a_hangup_that_was_ignored_before_stays_ignored(self) -> None:
        """As `nohup` asks for."""
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        went_on = False
        with interruptible():
            signal.raise_signal(signal.SIGHUP)
            went_on = True
        assert went_on
