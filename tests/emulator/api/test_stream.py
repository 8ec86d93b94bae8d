import json
from pathlib import Path
from typing import Any

import pytest

from emulator.api import stream as module
from emulator.api.running import Running
from tests.support.running import client, running, store

KEY = "events/2026/11/24/09/event-{}.json"
Message = dict[str, Any]


@pytest.fixture
def stack(tmp_path: Path) -> Running:
    """Give a stack that stops once its stream has nothing new to tell."""
    return running(tmp_path)


def messages(stack: Running, last: str | None = None) -> list[Message]:
    """What the stream says until it has told everything once."""
    figures = stack.traces.figures
    stack.traces.figures = lambda: stack.stopping.set() or figures()  # type: ignore[func-returns-value, method-assign]
    headers = {} if last is None else {"Last-Event-ID": last}
    answer = client(stack).get("/api/stream", headers=headers)
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    return [_message(part) for part in answer.text.split("\n\n") if part]


def _message(part: str) -> Message:
    fields = dict(line.split(": ", 1) for line in part.split("\n"))
    return {**fields, "data": json.loads(fields["data"])}


class TestStream:
    def test_a_new_reader_gets_everything(self, stack: Running) -> None:
        """After a reset, so that nothing of an earlier stack is left; then the figures."""
        for number in range(3):
            store(stack, KEY.format(number), "{}")
        reset, traces, figures = messages(stack)
        assert [reset["event"], traces["event"], figures["event"]] == ["reset", "traces", "stats"]
        assert [trace["key"] for trace in traces["data"]] == [KEY.format(number) for number in range(3)]
        assert traces["id"] == f"{stack.traces.epoch}-3"
        assert figures["data"]["accepted"] == 3

    def test_a_reader_that_comes_back_gets_what_changed(self, stack: Running) -> None:
        """Since the last message that it had."""
        files = [store(stack, KEY.format(number), "{}") for number in range(3)]
        last = f"{stack.traces.epoch}-{stack.traces.revision}"
        stack.traces.projected(files[1], "projected", None)
        traces, figures = messages(stack, last)
        assert [trace["state"] for trace in traces["data"]] == ["row"]
        assert figures["event"] == "stats"

    @pytest.mark.parametrize("last", ["", "x", "another-7", "another-x", "-", "-9"])
    def test_a_reader_of_another_time_begins_anew(self, stack: Running, last: str) -> None:
        """As after a reset or a restart, or with an id that is none."""
        store(stack, KEY.format(1), "{}")
        assert [message["event"] for message in messages(stack, last)] == ["reset", "traces", "stats"]

    def test_many_traces_come_in_pieces(self, stack: Running, monkeypatch: pytest.MonkeyPatch) -> None:
        """The last 10,000 at most, so that a browser can show the first ones soon."""
        monkeypatch.setattr(module, "CHUNK", 4)
        monkeypatch.setattr(module, "MOST_SHOWN", 10)
        for number in range(12):
            store(stack, KEY.format(number), "{}")
        pieces = [message["data"] for message in messages(stack) if message["event"] == "traces"]
        assert [len(piece) for piece in pieces] == [4, 4, 2]
        assert pieces[0][0]["key"] == KEY.format(2)

    def test_hostile_text_stays_within_its_message(self, stack: Running) -> None:
        """A line break in an event's name begins no other message."""
        name = "x\n\nevent: reset\ndata: {}\n\n\u2028<script>"
        store(stack, KEY.format(1), json.dumps({"eventName": name}))
        _, traces, _ = messages(stack)
        assert traces["data"][0]["eventName"] == name
