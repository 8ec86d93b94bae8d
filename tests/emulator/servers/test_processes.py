import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGSTOP, SIGTERM

import psutil
import pytest

from command_line.errors import CommandError
from emulator.servers.processes import Child, User, is_live, stop_orphan, wait_until

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
# Ends its child on SIGTERM, and waits for it.
PARENT = """
import signal, subprocess, sys
child = subprocess.Popen(["sleep", "60"])
def end(*_):
    child.terminate()
    child.wait()
    sys.exit(7)
signal.signal(signal.SIGTERM, end)
print("up", flush=True)
signal.pause()
"""


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Callable[[str], Child]]:
    """Children that run a shell script, stopped when the test ends."""
    children = []

    def start(script: str) -> Child:
        child = Child("part", ["/bin/sh", "-c", script], tmp_path / "part.log", record=tmp_path / "run" / "part.json")
        children.append(child)
        child.start()
        return child

    yield start
    for child in children:
        child.stop(SIGKILL)


def ended(child: Child) -> bool:
    """Whether the child ends by itself, soon."""
    return wait_until(lambda: not child.is_alive, 5)


class TestChild:
    """One child process, from its start to its end."""

    def test_runs_and_stops(self, shell: Callable[[str], Child]) -> None:
        """A started child is alive; stopped, it is gone and its end is known."""
        child = shell("exec sleep 60")
        pid = child.pid
        assert child.is_alive
        assert child.returncode is None
        child.stop()
        assert not child.is_alive
        assert child.returncode == -SIGTERM
        assert pid is not None
        assert not psutil.pid_exists(pid)

    def test_before_the_start(self, tmp_path: Path) -> None:
        """A child that was never started has no pid, no end and no lines, and can be stopped."""
        child = Child("part", ["true"], tmp_path / "part.log")
        child.stop()
        assert (child.pid, child.returncode, child.is_alive, child.last_lines()) == (None, None, False, [])

    def test_sends_the_first_signal_asked_for(self, shell: Callable[[str], Child]) -> None:
        """The first signal can be chosen."""
        child = shell("trap 'exit 7' INT; echo up; while :; do sleep 0.02; done")
        assert wait_until(lambda: child.last_lines() == ["up"], 5)
        child.stop(SIGINT)
        assert child.returncode == 7

    def test_kills_what_ignores_the_signal(self, tmp_path: Path) -> None:
        """A child that ignores SIGTERM is killed after the timeout."""
        child = Child("part", [sys.executable, "-c", STUBBORN], tmp_path / "part.log")
        child.start()
        assert wait_until(lambda: child.last_lines() == ["up"], 10)
        child.stop(timeout=0.2)
        assert child.returncode == -SIGKILL

    def test_a_frozen_one_gets_the_signal(self, shell: Callable[[str], Child]) -> None:
        """It is continued, so that it can end as it was asked to, and need not be killed."""
        child = shell("exec sleep 60")
        assert child.pid is not None
        os.kill(child.pid, SIGSTOP)
        child.stop(timeout=5)
        assert child.returncode == -SIGTERM

    def test_one_whose_children_are_frozen_ends_at_the_first_signal(self, tmp_path: Path) -> None:
        """They are continued too: PostgreSQL waits for its processes when it shuts down."""
        child = Child("part", [sys.executable, "-c", PARENT], tmp_path / "part.log")
        child.start()
        assert wait_until(lambda: child.last_lines() == ["up"], 10)
        processes = [psutil.Process(child.pid), *psutil.Process(child.pid).children()]
        assert len(processes) == 2
        for process in processes:
            process.suspend()
        assert wait_until(lambda: all(process.status() == psutil.STATUS_STOPPED for process in processes), 5)
        child.stop(timeout=5)
        assert child.returncode == 7

    def test_stops_twice(self, shell: Callable[[str], Child]) -> None:
        """Stopping what has ended changes nothing."""
        child = shell("exit 3")
        assert ended(child)
        child.stop()
        child.stop()
        assert child.returncode == 3

    def test_starts_once(self, shell: Callable[[str], Child]) -> None:
        """Starting what is running changes nothing."""
        child = shell("exec sleep 60")
        pid = child.pid
        child.start()
        assert child.pid == pid

    def test_logs_both_streams(self, shell: Callable[[str], Child]) -> None:
        """Standard output and standard error go to the log, whose last lines can be had."""
        child = shell("echo one; echo two >&2; printf 'thr\\303\\251\\377e'")
        assert ended(child)
        assert child.last_lines() == ["one", "two", "thré\ufffde"]
        assert child.last_lines(1) == ["thré\ufffde"]
        assert child.last_lines(0) == []

    def test_keeps_the_previous_log(self, shell: Callable[[str], Child]) -> None:
        """The log of the start before is kept beside the new one."""
        child = shell("echo $$")
        assert ended(child)
        before = child.last_lines()
        child.start()
        assert ended(child)
        assert child.log.with_name("part.log.1").read_text().splitlines() == before
        assert child.last_lines() == [str(child.pid)]

    def test_is_out_of_reach_of_the_terminal(self, shell: Callable[[str], Child]) -> None:
        """A child has a session of its own, so that Ctrl-C does not reach it, and an empty standard input."""
        child = shell("cat; echo read; exec sleep 60")
        assert child.pid is not None
        assert os.getsid(child.pid) == child.pid
        assert wait_until(lambda: child.last_lines() == ["read"], 5)

    def test_passes_environment_and_folder(self, tmp_path: Path) -> None:
        """A child gets the environment and the working directory it was given, and nothing else."""
        child = Child("part", ["/bin/sh", "-c", "echo $A $HOME; pwd"], tmp_path / "log", {"A": "b"}, cwd=tmp_path)
        child.start()
        assert ended(child)
        assert child.last_lines() == ["b", str(tmp_path)]

    @pytest.mark.parametrize("program", ["no-such-program", "/etc/hostname", "/"])
    def test_says_what_cannot_run(self, program: str, tmp_path: Path) -> None:
        """One line names a program that is missing or cannot run."""
        child = Child("part", [program], tmp_path / "part.log")
        with pytest.raises(CommandError) as raised:
            child.start()
        assert raised.value.message.startswith(f"cannot start part: {program}: ")
        assert "\n" not in raised.value.message
        assert not child.is_alive

    def test_says_that_there_can_be_no_log(self, tmp_path: Path) -> None:
        """A log that cannot be written is named in one line."""
        (tmp_path / "file").touch()
        with pytest.raises(CommandError, match=r"cannot start part: .*file"):
            Child("part", ["true"], tmp_path / "file" / "part.log").start()

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can run a child as another user")
    def test_runs_as_another_user(self, tmp_path: Path) -> None:
        """As root, a child can be another user, without any of root's groups."""
        child = Child("part", ["id"], tmp_path / "part.log", user=User(65534, 65534, "nobody"), cwd=Path("/"))
        child.start()
        assert ended(child)
        assert "uid=65534" in child.last_lines()[0]
        assert "root" not in child.last_lines()[0]


class TestStopOrphan:
    """What an earlier run left running."""

    def test_stops_the_process_of_an_earlier_run(self, shell: Callable[[str], Child]) -> None:
        """The recorded process is stopped and its record removed."""
        child = shell("exec sleep 60")
        assert child.record is not None
        assert stop_orphan(child.record)
        assert not child.is_alive
        assert not child.record.exists()

    def test_kills_what_ignores_sigterm(self, tmp_path: Path) -> None:
        """An orphan that ignores SIGTERM is killed."""
        record = tmp_path / "part.json"
        child = Child("part", [sys.executable, "-c", STUBBORN], tmp_path / "part.log", record=record)
        child.start()
        assert wait_until(lambda: child.last_lines() == ["up"], 10)
        assert stop_orphan(record, timeout=0.2)
        assert child.returncode == -SIGKILL

    def test_stops_a_true_orphan(self, tmp_path: Path) -> None:
        """A child whose supervisor was killed is stopped by the next one."""
        supervisor = (
            "import sys, time; from pathlib import Path; from emulator.servers.processes import Child\n"
            "Child('part', ['sleep', '60'], Path(sys.argv[1], 'log'), record=Path(sys.argv[1], 'part.json')).start()\n"
            "print('up', flush=True); time.sleep(60)"
        )
        with subprocess.Popen([sys.executable, "-c", supervisor, tmp_path], stdout=subprocess.PIPE) as earlier:
            assert earlier.stdout is not None
            assert earlier.stdout.readline() == b"up\n"
            earlier.kill()
        orphan = psutil.Process(json.loads((tmp_path / "part.json").read_text())["pid"])
        assert is_live(orphan)
        assert stop_orphan(tmp_path / "part.json")
        assert not is_live(orphan)

    def test_spares_a_reused_pid(self, shell: Callable[[str], Child]) -> None:
        """A live process with the recorded pid but another creation time is not touched."""
        child = shell("exec sleep 60")
        assert child.record is not None
        identity = json.loads(child.record.read_text())
        child.record.write_text(json.dumps(identity | {"create_time": identity["create_time"] - 1}))
        assert not stop_orphan(child.record)
        assert child.is_alive

    def test_knows_a_process_after_the_clock_was_set(self, shell: Callable[[str], Child]) -> None:
        """A clock adjustment, which moves creation times and boot time alike, does not hide an orphan."""
        child = shell("exec sleep 60")
        assert child.record is not None
        identity = json.loads(child.record.read_text())
        moved = {name: identity[name] - 3600 for name in ("create_time", "boot_time")}
        child.record.write_text(json.dumps(identity | moved))
        assert stop_orphan(child.record)

    def test_finds_nothing_after_a_stop(self, shell: Callable[[str], Child]) -> None:
        """A child that was stopped leaves no record."""
        child = shell("exec sleep 60")
        child.stop()
        assert child.record is not None
        assert not child.record.exists()
        assert not stop_orphan(child.record)

    def test_ignores_the_dead(self, shell: Callable[[str], Child]) -> None:
        """A process that ended by itself, even if nobody has reaped it, is no orphan."""
        child = shell("exit 0")
        assert child.pid is not None
        process = psutil.Process(child.pid)
        assert wait_until(lambda: process.status() == psutil.STATUS_ZOMBIE, 5)
        assert child.record is not None
        assert not stop_orphan(child.record)

    @pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"pid": "x", "create_time": 0, "boot_time": 0}'])
    def test_ignores_a_damaged_record(self, text: str, tmp_path: Path) -> None:
        """A record that says nothing stops nothing, and is removed."""
        record = tmp_path / "part.json"
        record.write_text(text)
        assert not stop_orphan(record)
        assert not record.exists()


class TestWaitUntil:
    """Waiting for something to become true."""

    def test_gives_up(self) -> None:
        """A condition that is never met is given up after the timeout."""
        assert not wait_until(lambda: False, 0.01)
