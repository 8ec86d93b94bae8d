from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.servers import logs
from emulator.servers.logs import Logs
from emulator.servers.processes import Child, wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Logs]:
    """Logs of at most 10,000 bytes."""
    monkeypatch.setattr(logs, "MOST_BYTES", 10_000)
    monkeypatch.setattr(logs, "POLL_SECONDS", 0.01)
    part = Logs(tmp_path)
    part.start()
    yield part
    part.stop()


class TestLogs:
    @pytest.mark.usefixtures("watched")
    def test_a_log_does_not_grow_for_ever_while_its_server_runs(self, tmp_path: Path) -> None:
        """The end of what was written before is kept beside it, and the server writes on."""
        script = "for i in $(seq 30); do seq 1000; sleep 0.1; done; echo end; exec sleep 60"
        child = Child("part", ["/bin/sh", "-c", script], tmp_path / "part.log")
        child.start()
        largest = 0
        while not wait_until(lambda: "end" in child.last_lines(), 0):
            largest = max(largest, child.log.stat().st_size)
        child.stop()
        assert largest < 10 * 3893  # of 30 times 3,893 bytes
        assert 10_000 < (tmp_path / "part.log.1").stat().st_size < 10 * 3893
        assert child.log.read_bytes()[:1] != b"\0"

    def test_no_line_is_lost_while_nothing_is_written(self, watched: Logs, tmp_path: Path) -> None:
        """Short logs, and other files, stay as they are."""
        lines = b"".join(b"%d\n" % number for number in range(3000))
        for name, content in {"long.log": lines, "short.log": b"short\n", "other": lines}.items():
            (tmp_path / name).write_bytes(content)
        assert wait_until(lambda: (tmp_path / "long.log").stat().st_size == 0, 5)
        watched.stop()
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
            "long.log": b"",
            "long.log.1": lines,
            "short.log": b"short\n",
            "other": lines,
        }

    def test_a_log_that_cannot_be_moved_stays(self, watched: Logs, tmp_path: Path) -> None:
        """And the watch goes on."""
        (tmp_path / "a.log.1").mkdir()
        for name in ("a.log", "b.log"):
            (tmp_path / name).write_bytes(b"x" * 20_000)
        assert wait_until(lambda: (tmp_path / "b.log").stat().st_size == 0, 5)
        assert watched.is_alive
        assert (tmp_path / "a.log").stat().st_size == 20_000
        assert not list(tmp_path.glob("*.partial"))
