"""`GET /api/wait`: answers when so many events have reached the warehouse, or says which did when time is up."""

import asyncio
import time
from datetime import datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chalicelib.envelope import iso_milliseconds
from emulator.api.answers import Problem, answer
from emulator.api.arrivals import FILTERS, Arrivals
from emulator.api.parameters import check_names, integer, moment, number
from emulator.api.running import Running

__all__ = ["routes"]

POLL_SECONDS = 0.1
MOST_COUNT = 1_000_000
MOST_SECONDS = 600
PARAMETERS = (*FILTERS, "count", "timeout", "since")


def routes(running: Running) -> list[Route]:
    """The one route."""

    async def wait(request: Request) -> Response:
        query = request.query_params
        check_names(query, PARAMETERS)
        count = integer(query, "count", 1, 1, MOST_COUNT)
        timeout = number(query, "timeout", 10, 0, MOST_SECONDS)
        since = moment(query, "since") or _begin(running)
        with Arrivals(
            running.stack.dw_url, since, {name: query[name] for name in FILTERS if name in query}
        ) as arrivals:
            deadline = time.monotonic() + timeout
            while (arrived := await run_in_threadpool(arrivals.count)) < count:
                if running.stopping.is_set() or await request.is_disconnected():
                    raise Problem(503, "the stack is being stopped")
                if time.monotonic() >= deadline:
                    facts = await run_in_threadpool(arrivals.facts)
                    raise Problem(
                        408, _too_few(query, arrived, count, timeout), **facts, **_frame(arrived, count, since)
                    )
                await asyncio.sleep(POLL_SECONDS)
            facts = await run_in_threadpool(arrivals.facts)
        return answer({"success": True, **facts, **_frame(arrived, count, since)})

    return [Route("/api/wait", wait)]


def _begin(running: Running) -> datetime | None:
    """The last reset; without one, all that our own warehouse has, and of another what came since the start."""
    return running.reset.at or (None if running.stack.is_own_dw else running.started_at)


def _too_few(query: QueryParams, arrived: int, count: int, timeout: float) -> str:
    kind = f"{query['eventName']} events" if "eventName" in query else "events"
    return f"{arrived} of {count} {kind} reached the warehouse within {timeout:g} s"


def _frame(arrived: int, count: int, since: datetime | None) -> dict[str, Any]:
    return {"count": arrived, "wanted": count, "since": since and iso_milliseconds(since)}
