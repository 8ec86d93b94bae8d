"""Runs work in threads, tells how far it is, and stops it when whoever asked goes away."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from time import monotonic
from typing import TypeVar

import anyio

from analysis.engines.stopping import Stop, Stopped
from command_line.progress import watched

__all__ = ["streamed", "worked"]

Result = TypeVar("Result")

TELL_SECONDS = 1.0


class _Telling:
    """How far the work is that runs now, and how long the rest will take at the speed so far."""

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        self._name, self._began, self._told, self._now = "", 0.0, 0, (0, 0)

    def note(self, name: str, done: int, total: int) -> None:
        """Take a step of the work. Raises Stopped between two steps if it shall end."""
        self._stop.check()
        if done == 0 or name != self._name:
            self._name, self._began = name, monotonic()
        self._now = done, total

    def line(self) -> bytes | None:
        """Give a line about what came since the last one; None if nothing did."""
        (done, total), name = self._now, self._name
        if done == self._told or not 0 < done <= total:
            return None
        self._told = done
        left = round((monotonic() - self._began) * (total - done) / done)
        told = {"work": name, "done": done, "total": total, "left": left}
        return json.dumps({"progress": told}, separators=(",", ":")).encode() + b"\n"


async def streamed(make: Callable[[], Iterator[bytes]], stop: Stop) -> AsyncIterator[bytes]:
    """Give each line as soon as a thread has made it, and meanwhile lines that tell how far a long one is."""
    parts, telling = make(), _Telling(stop)

    def step() -> bytes | None:
        with stop.watched(), watched(telling.note):
            return next(parts, None)

    task = None
    try:
        while True:
            task = asyncio.ensure_future(anyio.to_thread.run_sync(step, abandon_on_cancel=True))
            while not (await asyncio.wait([task], timeout=TELL_SECONDS))[0]:
                if line := telling.line():
                    yield line
            part = task.result()
            if part is None:
                return
            yield part
    except Stopped:
        return
    finally:
        stop.request()
        if task is not None:
            task.cancel()


async def worked(work: Callable[[], Result]) -> Result:
    """Do something in a thread; who goes away stops it."""
    stop = Stop()

    def step() -> Result:
        with stop.watched(), watched(_Telling(stop).note):
            return work()

    try:
        return await anyio.to_thread.run_sync(step, abandon_on_cancel=True)
    finally:
        stop.request()
