import asyncio
import json
import time
from collections.abc import Iterator

import pytest

from analysis.dashboard.work import streaming
from analysis.dashboard.work.streaming import streamed
from analysis.engines.stopping import Stop, Stopped
from command_line.progress import progress


class TestStreamed:
    def test_long_work_tells_how_far_it_is_and_how_long_the_rest_takes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """By the speed so far; between the lines, as long as there is something new."""
        monkeypatch.setattr(streaming, "TELL_SECONDS", 0.05)

        def work() -> Iterator[bytes]:
            yield b"first\n"
            with progress("reading objects", 40) as advance:
                for _ in range(4):
                    time.sleep(0.1)
                    advance(10)
                time.sleep(0.1)
            yield b"last\n"

        async def gather() -> list[bytes]:
            return [line async for line in streamed(work, Stop())]

        first, *told, last = asyncio.run(gather())
        assert (first, last) == (b"first\n", b"last\n")
        found = [json.loads(line)["progress"] for line in told]
        assert [each["done"] for each in found] == [10, 20, 30, 40]
        assert {(each["work"], each["total"]) for each in found} == {("reading objects", 40)}
        assert found[-1]["left"] == 0

    def test_whoever_goes_away_stops_work_between_two_steps(self) -> None:
        """Also work that asks no database."""
        ended: list[bool] = []

        def work() -> Iterator[bytes]:
            yield b"first\n"
            try:
                with progress("reading objects", 1000) as advance:
                    for _ in range(1000):
                        time.sleep(0.01)
                        advance(1)
            except Stopped:
                ended.append(True)
                raise
            yield b"last\n"

        async def leave() -> None:
            lines = streamed(work, Stop())
            assert await anext(lines) == b"first\n"
            waiting = asyncio.ensure_future(anext(lines))
            await asyncio.sleep(0.1)
            waiting.cancel()
            await asyncio.sleep(0.2)

        asyncio.run(leave())
        assert ended == [True]
