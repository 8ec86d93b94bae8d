"""`GET /api/wait`: responds when enough events have reached the warehouse, or lists them when the time is up."""

import asyncio
import time
from collections.abc import Sized
from contextlib import suppress

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chalicelib.envelope import iso_milliseconds
from emulator.api.arrivals import FILTERS, Arrivals, Expected
from emulator.api.parameters import check_query, integer, moment, number
from emulator.api.responses import Problem, json_response
from emulator.api.running import Running

__all__ = ["routes"]

POLL_SECONDS = 0.1
# Who waits for a question under way gets at least so long, even after the timeout.
GRACE_SECONDS = 5.0
MOST_COUNT = 1_000_000
MOST_SECONDS = 600
MOST_WAITING = 50
# The threads in which they ask the warehouse. Other requests have threads of their own: they must not wait for a
# warehouse that hangs.
THREADS = 10
PARAMETERS = (*FILTERS, "count", "timeout", "since")


def routes(running: Running) -> list[Route]:
    """Make the route."""
    waiting: set[Request] = set()
    turn = asyncio.Lock()
    threads = CapacityLimiter(THREADS)

    async def wait(request: Request) -> Response:
        if len(waiting) >= MOST_WAITING:
            raise Problem(503, f"{MOST_WAITING} requests wait already: try again later")
        waiting.add(request)
        try:
            return await _wait(running, request, waiting, turn, threads)
        finally:
            waiting.discard(request)

    return [Route("/api/wait", wait)]


async def _wait(
    running: Running, request: Request, waiting: Sized, turn: asyncio.Lock, threads: CapacityLimiter
) -> Response:
    query = request.query_params
    check_query(query, PARAMETERS)
    count = integer(query, "count", 1, 1, MOST_COUNT)
    timeout = number(query, "timeout", 10, 0, MOST_SECONDS)
    asked, beginning = moment(query, "since"), running.reset.at or running.beginning
    since = beginning.earliest if asked is None else asked
    after = beginning.transaction if asked is None else None
    filters = {name: query[name] for name in FILTERS if name in query}
    arrivals = Arrivals(running.stack.dw_url, since, filters, after)
    expected = Expected(running.traces, asked, filters)
    deadline = time.monotonic() + timeout
    arrived = 0
    while True:
        is_last = time.monotonic() >= deadline
        if is_last or expected.is_worth_asking(count - arrived, len(waiting)):
            arrived = await _count(arrivals, turn, threads, deadline, arrived)
        if is_last or arrived >= count:
            break
        if running.stopping.is_set() or await request.is_disconnected():
            raise Problem(503, "the stack is stopping: try again when it runs")
        await asyncio.sleep(POLL_SECONDS)
    found = await run_sync(arrivals.as_json, limiter=threads)
    found |= {"count": arrived, "wanted": count, "since": iso_milliseconds(since)}
    if arrived < count:
        raise Problem(408, _too_few(query, arrived, count, timeout), **found)
    return json_response({"success": True, **found})


async def _count(arrivals: Arrivals, turn: asyncio.Lock, threads: CapacityLimiter, deadline: float, before: int) -> int:
    """Count what has arrived, one request at a time; give the count before if the turn does not come in time."""
    with suppress(TimeoutError):
        await asyncio.wait_for(turn.acquire(), max(deadline - time.monotonic(), GRACE_SECONDS))
        try:
            return await run_sync(arrivals.count, limiter=threads)
        finally:
            turn.release()
    return before


def _too_few(query: QueryParams, arrived: int, count: int, timeout: float) -> str:
    kind = f"{query['eventName']} events" if "eventName" in query else "events"
    return f"{arrived} of {count} {kind} reached the warehouse within {timeout:g} s"
