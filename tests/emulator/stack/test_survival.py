"""The whole stack, when it is told to stop, when a part of it dies, and when all of it does."""

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from secrets import token_urlsafe
from uuid import uuid4

import httpx2
import psutil
import psycopg
import pytest

from command_line.home import Home
from emulator.servers.processes import is_live
from emulator.soak.disks import SmallDisk, small_disks
from emulator.soak.faults.disks import WRITE_WAL
from tests.support.stack_process import StackProcess, wait_for

pytestmark = pytest.mark.stack


class TestStopping:
    def test_three_signals_at_once_stop_every_part_too(self, new_stack: Callable[..., StackProcess]) -> None:
        """A closing terminal may send several."""
        stack = new_stack().start()
        processes = stack.tree()
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            processes[0].send_signal(number)
        assert stack.process is not None
        assert stack.process.wait(60) == 0
        assert not psutil.wait_procs(processes, 10)[1]

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_a_signal_stops_every_part(self, number: signal.Signals, new_stack: Callable[..., StackProcess]) -> None:
        """Exit code 0, no process left, and the ports are free again."""
        stack = new_stack().start()
        processes = stack.tree()
        assert stack.stop(number) == 0
        assert not psutil.wait_procs(processes, 10)[1]
        assert not (stack.home.postgres / "postmaster.pid").exists()

    def test_after_nohup_a_hangup_stops_nothing(self, new_stack: Callable[..., StackProcess]) -> None:
        """`nohup` lets the stack ignore SIGHUP: the next event becomes a row, and SIGTERM stops the stack."""
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a child process inherits it, as of `nohup`
        try:
            stack = new_stack().start()
        finally:
            signal.signal(signal.SIGHUP, before)
        for process in stack.tree():
            if process.name() != "postgres":  # which reloads its settings
                process.send_signal(signal.SIGHUP)
        event_id = str(uuid4())
        assert stack.post(json.dumps({"eventId": event_id})).status_code == 200
        stack.wait_for_rows([event_id])
        assert "started again" not in stack.output()
        assert stack.stop() == 0


class TestParts:
    @pytest.mark.parametrize("part", ["rclone", "chalice_local", "postgres"])
    def test_a_part_that_dies_is_reported_and_started_again(
        self, part: str, new_stack: Callable[..., StackProcess]
    ) -> None:
        """`kill -9` of any of them; the next event becomes a row."""
        stack = new_stack().start()
        supervisor = stack.tree()[0]
        (victim,) = [child for child in supervisor.children() if part in " ".join(child.cmdline())]
        victim.kill()
        wait_for(lambda: "runs again" in stack.output(), 60)
        assert "died and is started again" in stack.output()
        event_id = str(uuid4())
        assert stack.post(json.dumps({"eventId": event_id})).status_code == 200
        stack.wait_for_rows([event_id])

    def test_one_that_cannot_be_kept_running_stops_the_stack(self, new_stack: Callable[..., StackProcess]) -> None:
        """Its last log lines are shown, exit code 2."""
        stack = new_stack().start()
        assert stack.process is not None
        supervisor = stack.tree()[0]
        deadline = time.monotonic() + 60
        while stack.process.poll() is None and time.monotonic() < deadline:
            for child in supervisor.children() if supervisor.is_running() else []:
                if "rclone" in child.name():
                    child.kill()
            time.sleep(0.2)
        assert stack.process.wait(30) == 2
        assert "s3 has died 6 times in a minute; its last lines:" in stack.output()


class TestWarehouse:
    def test_a_warehouse_that_cannot_be_kept_running_stops_nothing_else(
        self, new_stack: Callable[..., StackProcess]
    ) -> None:
        """Ingest accepts events, the page says why the warehouse is down, and rows come once it can start again.

        As when its disk is full: PostgreSQL crashes, and cannot start again.
        """
        stack = new_stack().start()
        [[directory]] = stack.ask("SHOW data_directory")
        control = Path(directory, "global", "pg_control")
        control.rename(control.with_name("pg_control.away"))
        wait_for(lambda: self._kill_postgres(stack) and stack.output().count("warehouse did not start") > 3, 90)
        event_ids = [str(uuid4()) for _ in range(3)]
        for event_id in event_ids:
            assert stack.post(json.dumps({"eventId": event_id})).status_code == 200
        parts = stack.health()["parts"]
        assert parts["warehouse"]["state"] == "down"
        assert "does not start" in parts["warehouse"]["detail"]
        assert "pg_control" in parts["warehouse"]["detail"]
        assert [parts[name]["state"] for name in ("ingest", "s3", "page")] == ["ok"] * 3
        control.with_name("pg_control.away").rename(control)
        wait_for(lambda: stack.health()["healthy"], 60)
        stack.wait_for_rows(event_ids)

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGSTOP])
    def test_one_that_runs_and_does_not_answer_is_restarted(
        self, number: signal.Signals, new_stack: Callable[..., StackProcess]
    ) -> None:
        """SIGTERM asks PostgreSQL to wait for its sessions, and the projector's own never ends."""
        stack = new_stack().start()
        first = str(uuid4())
        stack.post(json.dumps({"eventId": first}))
        stack.wait_for_rows([first])
        self._postgres(stack)[0].send_signal(number)
        event_id = str(uuid4())
        assert stack.post(json.dumps({"eventId": event_id})).status_code == 200
        wait_for(lambda: "warehouse does not answer and is started again" in stack.output(), 60)
        wait_for(lambda: "warehouse runs again" in stack.output(), 60)
        stack.wait_for_rows([event_id])

    @staticmethod
    def _postgres(stack: StackProcess) -> list[psutil.Process]:
        return [child for child in stack.tree()[0].children() if child.name() == "postgres"]

    def _kill_postgres(self, stack: StackProcess) -> bool:
        for process in self._postgres(stack):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        return True


class TestFullDisk:
    """PostgreSQL's disk is really full: ingest accepts events, the stack goes on, and rows come when there is space."""

    @pytest.fixture
    def disks(self, tmp_path: Path) -> Iterator[Mapping[str, SmallDisk]]:
        """Give the home of the stack small disks."""
        home = Home(tmp_path / "home")
        home.create()
        with small_disks(home, 2**28) as disks:
            if not disks:
                pytest.skip("only root, on Linux, outside of most containers, can mount a disk")
            yield disks

    @pytest.fixture
    def stack(
        self,
        disks: Mapping[str, SmallDisk],  # noqa: ARG002  # mounted before the stack starts, until after it has ended
        new_stack: Callable[..., StackProcess],
    ) -> Iterator[StackProcess]:
        """Give a stack on these disks, stopped before they are gone."""
        stack = new_stack().start()
        yield stack
        stack.stop()

    def test_without_space_for_wal(self, disks: Mapping[str, SmallDisk], stack: StackProcess) -> None:
        """PostgreSQL crashes, and cannot start: it is tried again and again, and the page says why it is down."""
        disks["wal"].fill()
        wait_for(lambda: self._crash(stack) and stack.output().count("warehouse did not start") > 3, 90)
        event_ids = self._post(stack)
        parts = stack.health()["parts"]
        assert parts["warehouse"]["state"] == "down"
        assert "No space left on device" in parts["warehouse"]["detail"]
        assert [parts[name]["state"] for name in ("ingest", "s3", "page")] == ["ok"] * 3
        disks["wal"].free()
        wait_for(lambda: stack.health()["healthy"], 60)
        stack.wait_for_rows(event_ids)

    def test_without_space_for_rows(self, disks: Mapping[str, SmallDisk], stack: StackProcess) -> None:
        """PostgreSQL goes on, and refuses rows: the events wait in raw, and the page says why."""
        [first] = self._post(stack, 1)
        stack.wait_for_rows([first])
        disks["warehouse"].fill()
        event_ids = self._post(stack, 300)
        wait_for(lambda: "No space left on device" in str(stack.health()["parts"]["projector"]["detail"]))
        assert not set(event_ids) <= set(stack.event_ids())
        disks["warehouse"].free()
        stack.wait_for_rows(event_ids)
        wait_for(lambda: stack.health()["healthy"])
        assert "started again" not in stack.output()

    @staticmethod
    def _post(stack: StackProcess, number: int = 3) -> list[str]:
        """Post events of about 2 kB that PostgreSQL cannot compress, each of which is accepted; give their ids."""
        event_ids = [str(uuid4()) for _ in range(number)]
        for event_id in event_ids:
            event = {"eventId": event_id, "pageUrl": f"https://shop.example/{token_urlsafe(1500)}"}
            assert stack.post(json.dumps(event)).status_code == 200
        return event_ids

    @staticmethod
    def _crash(stack: StackProcess) -> bool:
        """Make PostgreSQL write more WAL than there is space for, if it runs."""
        with suppress(psycopg.Error):
            stack.ask(WRITE_WAL)
        return True


class TestKillEverything:
    def test_what_was_acknowledged_is_in_raw_and_reaches_the_warehouse_once(
        self, new_stack: Callable[..., StackProcess]
    ) -> None:
        """`kill -9` of every process amid a stream of events, twice, and up again each time."""
        stack = new_stack()
        acknowledged: dict[str, str] = {}
        for _ in range(2):
            stack.start()
            going = threading.Event()
            posters = [threading.Thread(target=self._post, args=(stack, acknowledged, going)) for _ in range(4)]
            for poster in posters:
                poster.start()
            enough = len(acknowledged) + 150
            wait_for(lambda: len(acknowledged) > enough)  # noqa: B023  # asked before the loop goes on
            stack.kill_all()
            going.set()
            for poster in posters:
                poster.join()
        stack.start()
        assert set(acknowledged.values()) <= stack.raw_keys()
        stack.wait_for_rows(acknowledged, seconds=30)
        wait_for(lambda: stack.health()["parts"]["projector"]["pending"] == 0)
        in_raw = [json.loads((stack.bucket / key).read_bytes())["eventId"] for key in stack.raw_keys()]
        assert sorted(stack.event_ids()) == sorted(set(in_raw))

    @staticmethod
    def _post(stack: StackProcess, acknowledged: dict[str, str], stopping: threading.Event) -> None:
        with httpx2.Client(timeout=10) as client:
            while not stopping.is_set():
                event_id = str(uuid4())
                try:
                    answer = client.post(stack.stack.endpoint, json={"eventId": event_id})
                except httpx2.HTTPError:
                    return
                if answer.status_code == 200:
                    acknowledged[event_id] = answer.json()["key"]

    def test_orphans_of_a_killed_supervisor_are_replaced(self, new_stack: Callable[..., StackProcess]) -> None:
        """Only the supervisor is killed: the next one finds its children on the ports and the data."""
        stack = new_stack().start()
        event_id = str(uuid4())
        stack.post(json.dumps({"eventId": event_id}))
        stack.wait_for_rows([event_id])
        supervisor = stack.tree()[0]
        orphans = supervisor.children()
        supervisor.kill()
        assert stack.process is not None
        stack.process.wait(10)
        assert len(orphans) == 3
        assert all(is_live(orphan) for orphan in orphans)
        stack.start()
        assert not any(is_live(orphan) for orphan in orphans)
        assert stack.event_ids() == [event_id]
