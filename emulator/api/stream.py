"""`GET /api/stream`: sends the traces as they change, as server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from emulator.api.running import Running

__all__ = ["routes"]

MOST_SHOWN = 10_000  # traces that the pipeline view keeps
CHUNK = 500
MOST_DIGITS = 20
POLL_SECONDS = 0.1
POLLS_PER_FIGURES = 10


def routes(running: Running) -> list[Route]:
    """Make the route."""

    def stream(request: Request) -> Response:
        messages = _messages(running, request.headers.get("Last-Event-ID", ""))
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(messages, media_type="text/event-stream", headers=headers)

    return [Route("/api/stream", stream)]


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
