import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib.projection.projector import objects
from emulator.triggers import sweep, watch
from emulator.triggers.notification import File
from emulator.triggers.watch import Triggers
from tests.support.stack_process import wait_for

pytestmark = pytest.mark.slow


class Pipeline:
    """Triggers on a directory, with a projector and a warehouse that only take notes."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.delivered: list[str] = []
        self.known: set[str] = set()
        self.asked: list[str] = []
        self.failing = False
        self.while_asked: Callable[[], None] | None = None
        self.triggers = Triggers(directory, self._project, self._known)

    def put(self, key: str) -> None:
        """Put an object as the S3 server does: it is there as a whole, or not at all."""
        path = self.directory / key
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.partial")
        partial.write_text("{}")
        partial.rename(path)

    def _project(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        keys = [named.key for named in objects(event)]
        self.delivered += keys
        return [{"outcome": "projected", "key": key} for key in keys]

    def _known(self, files: list[File]) -> list[File]:
        if self.failing:
            raise ConnectionError("the warehouse is away")
        if self.while_asked is not None:
            self.while_asked()
        self.asked += [file.key for file in files]
        return [file for file in files if file.key in self.known]


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Pipeline]:
    """Give triggers on an empty bucket, not yet started."""
    directory = tmp_path / "raw"
    directory.mkdir()
    pipeline = Pipeline(directory)
    yield pipeline
    pipeline.triggers.stop()


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the watcher see nothing."""

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("too many watches")

    monkeypatch.setattr(watch, "watch", fail)


class TestTriggers:
    def test_what_is_there_at_the_start_is_delivered_unless_it_is_known(self, pipeline: Pipeline) -> None:
        """The warehouse is asked about every object."""
        for name in "abc":
            pipeline.put(f"events/2026/11/24/22/{name}.json")
        pipeline.known = {"events/2026/11/24/22/b.json"}
        pipeline.triggers.start()
        wait_for(lambda: len(pipeline.delivered) == 2)
        assert sorted(pipeline.delivered) == ["events/2026/11/24/22/a.json", "events/2026/11/24/22/c.json"]
        assert pipeline.triggers.check() is None

    def test_a_new_object_is_delivered_before_the_next_sweep(
        self, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The watcher sees it, in a directory that exists and in one just created."""
        monkeypatch.setattr(sweep, "SWEEP_SECONDS", 3600)
        (pipeline.directory / "events").mkdir()
        pipeline.triggers.start()
        watching = "events/watching.json"

        def is_seen() -> bool:
            pipeline.put(watching)
            return watching in pipeline.delivered

        wait_for(is_seen)
        pipeline.put("events/a.json")
        pipeline.put("events/2026/11/24/22/b.json")
        wait_for(lambda: {"events/2026/11/24/22/b.json", "events/a.json"} <= set(pipeline.delivered))

    @pytest.mark.usefixtures("blind")
    def test_a_backlog_is_delivered_from_the_newest_hour_on(self, pipeline: Pipeline) -> None:
        """The sweep asks the warehouse about the newest hour first, too."""
        hours = [f"events/2026/11/{day}/{hour:02}/a.json" for day in (23, 24) for hour in (0, 9, 10, 23)]
        for key in hours:
            pipeline.put(key)
        pipeline.triggers.start()
        wait_for(lambda: len(pipeline.delivered) == len(hours))
        assert pipeline.asked == hours[::-1]
        assert pipeline.delivered[0] == hours[-1]

    @pytest.mark.usefixtures("blind")
    def test_what_came_while_they_were_held_is_delivered_afterwards(
        self, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Though it was offered and forgotten, and its directory has not changed since it was swept."""
        monkeypatch.setattr(sweep, "SETTLED_NANOSECONDS", 0)
        monkeypatch.setattr(sweep, "SWEEP_SECONDS", 0.05)
        pipeline.triggers.start()
        with pipeline.triggers.held():
            pipeline.put("events/2026/11/24/22/a.json")
            for _ in range(3):
                pipeline.triggers.sweep()
            assert pipeline.asked == ["events/2026/11/24/22/a.json"]
            assert pipeline.delivered == []
        wait_for(lambda: pipeline.delivered == ["events/2026/11/24/22/a.json"])

    def test_only_events_are_delivered(self, pipeline: Pipeline) -> None:
        """As the notification's filter says; an upload under way is no object."""
        for key in (
            "other/a.json",
            "events/a.txt",
            "events/.rclone_temp_put_x/a.json",
            "events/.rclone_temp_put_y.json",
        ):
            pipeline.put(key)
        pipeline.put("events/good.json")
        pipeline.triggers.start()
        wait_for(lambda: pipeline.delivered)
        assert pipeline.delivered == ["events/good.json"]

    @pytest.mark.usefixtures("blind")
    def test_the_sweep_finds_what_the_watcher_misses(
        self, pipeline: Pipeline, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Nothing depends on the watcher but speed."""
        pipeline.triggers.start()
        for n in range(50):
            pipeline.put(f"events/2026/11/24/{n % 24:02}/{n}.json")
        wait_for(lambda: len(set(pipeline.delivered)) == 50)  # a file that is swept half-written comes twice
        assert pipeline.triggers.is_alive
        printed = capsys.readouterr()
        assert "objects wait for the sweep: too many watches" in printed.err
        assert printed.out == ""  # a program waits for the one line of a headless stack

    @pytest.mark.usefixtures("blind")
    def test_a_warehouse_that_is_away_is_asked_again(self, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nothing is taken for known in the meantime."""
        monkeypatch.setattr(sweep, "SWEEP_SECONDS", 0.1)
        pipeline.failing = True
        pipeline.put("events/a.json")
        pipeline.triggers.start()
        wait_for(lambda: pipeline.triggers.check() == "sweep: the warehouse is away")
        pipeline.failing = False
        wait_for(lambda: pipeline.delivered == ["events/a.json"])
        wait_for(lambda: pipeline.triggers.check() is None)

    def test_a_settled_directory_is_not_listed_again(self, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
        """Sweeping costs one look per directory, however many objects are in it; a change is seen all the same."""
        pipeline.put("events/2026/a.json")
        long_ago = time.time() - 60
        for directory in ("events/2026", "events"):
            os.utime(pipeline.directory / directory, (long_ago, long_ago))
        listed: list[str] = []
        scandir = os.scandir

        def noted(path: str) -> Any:
            listed.append(path)
            return scandir(path)

        monkeypatch.setattr(os, "scandir", noted)
        pipeline.triggers.sweep()
        assert len(listed) == 2
        pipeline.triggers.sweep()
        assert len(listed) == 2
        pipeline.put("events/2026/b.json")
        pipeline.triggers.sweep()
        assert len(listed) == 3
        assert pipeline.triggers.pending == 2

    def test_a_directory_that_has_just_changed_is_listed_again(self, pipeline: Pipeline) -> None:
        """Its time is too coarse to tell whether another file came within the same tick."""
        pipeline.put("events/a.json")
        pipeline.triggers.sweep()
        changed = (pipeline.directory / "events").stat().st_mtime_ns
        pipeline.put("events/b.json")
        os.utime(pipeline.directory / "events", ns=(changed, changed))
        pipeline.triggers.sweep()
        assert pipeline.triggers.pending == 2

    def test_a_file_that_comes_while_the_warehouse_is_asked_is_found(
        self, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whether a directory has settled is asked before it is listed, not after a slow answer."""
        pipeline.put("events/a.json")
        changed = (pipeline.directory / "events").stat().st_mtime_ns
        now = changed + 1

        def is_slow() -> None:
            nonlocal now
            pipeline.while_asked = None
            pipeline.put("events/b.json")
            os.utime(pipeline.directory / "events", ns=(changed, changed))
            now += 2 * sweep.SETTLED_NANOSECONDS

        monkeypatch.setattr(time, "time_ns", lambda: now)
        pipeline.while_asked = is_slow
        pipeline.triggers.sweep()
        pipeline.triggers.sweep()
        assert pipeline.triggers.pending == 2

    @pytest.mark.usefixtures("blind")
    def test_nothing_in_the_bucket_keeps_the_rest_waiting(self, pipeline: Pipeline) -> None:
        """Whatever was put there: directories with a file's name, loops, pipes, names that are no text."""
        strange = pipeline.directory / "events" / "0"
        pipeline.put("events/0/a.json/b.json")
        (strange / "loop.json").symlink_to(strange / "loop.json")
        (strange / "up").symlink_to(strange.parent)
        os.mkfifo(strange / "pipe.json")
        Path(os.fsdecode(os.fsencode(strange) + b"/\xff.json")).write_text("{}")
        pipeline.put("events/1/good.json")
        pipeline.triggers.start()
        wait_for(lambda: len(pipeline.delivered) == 2)
        assert sorted(pipeline.delivered) == ["events/0/a.json/b.json", "events/1/good.json"]
        assert pipeline.triggers.check() is None

    def test_a_name_that_is_not_utf_8_keeps_the_watcher_alive(
        self, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """It is no key in S3, and is left out; the next object is delivered at once."""
        monkeypatch.setattr(sweep, "SWEEP_SECONDS", 3600)
        pipeline.put("events/2026/11/24/22/a.json")
        pipeline.triggers.start()
        wait_for(lambda: pipeline.delivered == ["events/2026/11/24/22/a.json"])
        hour = os.fsencode(pipeline.directory) + b"/events/2026/11/24/22"
        Path(os.fsdecode(hour + b"/\xff.json")).write_text("{}")

        def is_seen() -> bool:
            pipeline.put("events/2026/11/24/22/b.json")
            return "events/2026/11/24/22/b.json" in pipeline.delivered

        wait_for(is_seen)
        assert set(pipeline.delivered) == {"events/2026/11/24/22/a.json", "events/2026/11/24/22/b.json"}
        assert capsys.readouterr().err == ""

    @pytest.mark.usefixtures("blind")
    def test_what_is_closed_to_us_keeps_nothing_waiting(
        self, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The neighbours of a directory that may not be read are delivered."""
        scandir = os.scandir

        def closed(path: str) -> Any:
            if path.endswith("/0"):
                raise PermissionError(path)
            return scandir(path)

        monkeypatch.setattr(os, "scandir", closed)
        pipeline.put("events/0/closed.json")
        pipeline.put("events/1/good.json")
        pipeline.triggers.start()
        wait_for(lambda: pipeline.delivered == ["events/1/good.json"])

    def test_it_can_be_started_again(self, pipeline: Pipeline) -> None:
        """After a stop nothing is delivered, after a start everything."""
        pipeline.triggers.start()
        pipeline.triggers.stop()
        assert not pipeline.triggers.is_alive
        pipeline.put("events/a.json")
        pipeline.triggers.start()
        wait_for(lambda: pipeline.delivered == ["events/a.json"])
