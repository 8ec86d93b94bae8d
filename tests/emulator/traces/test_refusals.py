import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.servers import logs
from emulator.traces.refusals import POLL_SECONDS, Refusals
from emulator.traces.traces import Traces
from tests.support.stack_process import wait_for

pytestmark = pytest.mark.slow


class Following:
    """A log that is followed."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "ingest.log"
        self.traces = Traces(folder)
        self.refusals = Refusals(self.log, self.traces)

    def write(self, text: str) -> None:
        with self.log.open("a") as file:
            file.write(text)

    def wait_for(self, *statuses: int) -> None:
        """Wait until these were seen; fails if others are."""
        wait_for(lambda: len(self.traces.all()) >= len(statuses))
        assert [trace.status for trace in self.traces.all()] == list(statuses)


def line(status: int, component: str = "ingest") -> str:
    return json.dumps({"component": component, "status": status, "error": f"because {status}"}) + "\n"


@pytest.fixture
def following(tmp_path: Path) -> Iterator[Following]:
    following = Following(tmp_path)
    following.refusals.start()
    yield following
    following.refusals.stop()


class TestRefusals:
    def test_each_refusal_is_told_once(self, following: Following) -> None:
        """With its status and reason; other lines are passed over."""
        following.write(
            '127.0.0.1 - - "POST /clickstream"\n' + line(200) + line(400) + line(500, "projector") + line(415)
        )
        following.wait_for(400, 415)
        assert following.traces.all()[0].reason == "because 400"

    def test_half_a_line_is_waited_for(self, following: Following) -> None:
        """A reader may see it before it is all there."""
        text = line(413)
        following.write(line(400) + text[:10])
        following.wait_for(400)
        following.write(text[10:])
        following.wait_for(400, 413)

    def test_a_log_begun_anew_is_followed(self, following: Following) -> None:
        """As when ingest is started again."""
        following.write(line(400))
        following.wait_for(400)
        following.log.replace(following.log.with_suffix(".1"))
        following.write(line(503))
        following.wait_for(400, 503)

    def test_a_log_that_is_emptied_is_followed(
        self, following: Following, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No refusal is missed or told twice, also if it was written just before."""
        monkeypatch.setattr(logs, "MOST_BYTES", 1000)
        monkeypatch.setattr(logs, "POLL_SECONDS", 0.01)
        part = logs.Logs(tmp_path)
        part.start()
        for start in range(400, 500, 10):
            following.write("".join(map(line, range(start, start + 10))))
            following.wait_for(*range(400, start + 10))
            time.sleep(3 * POLL_SECONDS)  # longer than the log needs to reach its old length again
        assert (tmp_path / "ingest.log.1").exists()
        part.stop()
