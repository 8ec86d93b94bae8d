import asyncio
import json
import math
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from emulator.api import stream as module
from emulator.api.app import web_app
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
        """As after a reset or a restart, or with a text that is not an id."""
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


class Reader:
    """A reader of the stream, straight at the application: it takes `most` messages, and then no more."""

    def __init__(self, app: Starlette, journal: list[str], name: str = "reader", most: float = math.inf) -> None:
        self.status: int | None = None
        self.is_gone = asyncio.Event()
        self._app, self._journal, self._name, self._most = app, journal, name, most

    async def read(self, host: str = "127.0.0.1") -> None:
        """Ask for the stream, and return when the application has ended the response."""
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/api/stream",
            "raw_path": b"/api/stream",
            "query_string": b"",
            "headers": [(b"host", host.encode())],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8080),
            "scheme": "http",
        }
        await self._app(scope, self._receive, self._send)

    async def _receive(self) -> dict[str, Any]:
        await self.is_gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        if self._most <= 0:
            await asyncio.Event().wait()  # its connection takes no more
        self._most -= 1
        self._journal.append(self._name)


class TestManyReaders:
    def test_there_is_a_limit(self, stack: Running, monkeypatch: pytest.MonkeyPatch) -> None:
        """One more gets 503 and is told why; whoever leaves makes room."""
        monkeypatch.setattr(module, "MOST_OPEN", 3)

        async def scenario() -> tuple[list[int | None], int | None, int | None]:
            app = web_app(stack)
            readers = [Reader(app, []) for _ in range(5)]
            reading = [asyncio.create_task(reader.read()) for reader in readers]
            await asyncio.gather(*reading[3:])
            first = [reader.status for reader in readers]
            readers[0].is_gone.set()
            await asyncio.wait(reading[:1])
            late, later = Reader(app, []), Reader(app, [])
            reading += [asyncio.create_task(late.read()), asyncio.create_task(later.read())]
            await reading[-1]
            stack.stopping.set()
            await asyncio.gather(*reading)
            return first, late.status, later.status

        assert asyncio.run(scenario()) == ([200, 200, 200, 503, 503], 200, 503)

    def test_others_do_not_wait_until_a_reader_has_everything(
        self, stack: Running, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Twenty readers with a hundred messages each: another request gets its response among their first ones."""
        monkeypatch.setattr(module, "CHUNK", 1)
        for number in range(100):
            store(stack, KEY.format(number), "{}")

        async def scenario() -> list[str]:
            app = web_app(stack)
            journal: list[str] = []
            readers = [Reader(app, journal) for _ in range(module.MOST_OPEN)]
            reading = [asyncio.create_task(reader.read()) for reader in readers]
            while not journal:
                await asyncio.sleep(0)
            await Reader(app, journal, "other").read("evil.example")  # is refused without another thread
            while journal.count("reader") < 100 * module.MOST_OPEN:
                await asyncio.sleep(0)
            stack.stopping.set()
            await asyncio.gather(*reading)
            return journal

        journal = asyncio.run(scenario())
        assert journal.index("other") <= 3 * module.MOST_OPEN

    def test_a_reader_that_takes_no_more_is_dropped(self, stack: Running, monkeypatch: pytest.MonkeyPatch) -> None:
        """It keeps no place that another could have, and holds up neither others nor the end of the stack."""
        monkeypatch.setattr(module, "MOST_OPEN", 1)
        monkeypatch.setattr(module, "STALL_SECONDS", 0.05)

        async def scenario() -> list[int | None]:
            app = web_app(stack)
            slow, second = Reader(app, [], most=1), Reader(app, [])
            slowly = asyncio.create_task(slow.read())
            await asyncio.sleep(0)
            refused = Reader(app, [])
            await refused.read()
            await slowly
            stack.stopping.set()
            await second.read()
            return [slow.status, refused.status, second.status]

        assert asyncio.run(scenario()) == [200, 503, 200]
