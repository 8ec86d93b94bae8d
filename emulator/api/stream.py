"""`GET /api/stream`: sends the traces as they change, as server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from emulator.api.responses import Problem
from emulator.api.running import Running

__all__ = ["routes"]

MOST_SHOWN = 10_000  # traces that the pipeline view keeps
CHUNK = 100
MOST_OPEN = 20
STALL_SECONDS = 30.0  # a reader that takes nothing for so long is dropped
MOST_DIGITS = 20
POLL_SECONDS = 0.1
POLLS_PER_FIGURES = 10


def routes(running: Running) -> list[Route]:
    """Make the route."""
    streams: set[_Stream] = set()

    async def stream(request: Request) -> Response:
        if len(streams) >= MOST_OPEN:
            raise Problem(503, f"{MOST_OPEN} streams are open already: close one, or try again later")
        return _Stream(_messages(running, request.headers.get("Last-Event-ID", "")), streams)

    return [Route("/api/stream", stream)]


class _Stream(StreamingResponse):
    """A stream of messages that is one of `streams` while it is open."""

    media_type = "text/event-stream"

    def __init__(self, messages: AsyncIterator[str], streams: "set[_Stream]") -> None:
        super().__init__(messages, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._streams = streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._streams.add(self)
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._streams.discard(self)

    async def stream_response(self, send: Send) -> None:
        """Send the messages, one after the other, until they end or the reader stops reading."""

        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(STALL_SECONDS):
                await send(message)
            # A reader that has much to get must not keep the others waiting until it has everything.
            await asyncio.sleep(0)

        with suppress(TimeoutError):
            await super().stream_response(send_in_time)


async def _messages(running: Running, last: str) -> AsyncIterator[str]:
    """Yield the changes since the message with the id `last` (`<epoch>-<revision>`), until the stack stops."""
    traces, polls = running.traces, 0
    epoch, _, text = last.partition("-")
    revision = int(text) if text.isascii() and text.isdigit() and len(text) < MOST_DIGITS else 0
    while not running.stopping.is_set():
        if epoch != traces.epoch:
            epoch, revision = traces.epoch, 0
            yield _message("reset", {})
        changed = traces.changed_since(revision, MOST_SHOWN)
        for start in range(0, len(changed), CHUNK):
            chunk = changed[start : start + CHUNK]
            revision = chunk[-1].revision
            yield _message("traces", [trace.as_json() for trace in chunk], f"{epoch}-{revision}")
        if polls % POLLS_PER_FIGURES == 0:
            yield _message("stats", traces.figures())
        polls += 1
        await asyncio.sleep(POLL_SECONDS)


def _message(event: str, data: Any, identity: str | None = None) -> str:  # noqa: ANN401  # whatever JSON can say
    name = "" if identity is None else f"id: {identity}\n"
    return f"event: {event}\n{name}data: {json.dumps(data)}\n\n"
