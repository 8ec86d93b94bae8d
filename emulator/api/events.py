"""`GET /api/events`: what became of the events that this stack has seen, all or one."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.api.parameters import check_query, integer, moment
from emulator.api.responses import Problem, json_response
from emulator.api.running import Running
from emulator.traces.detail import detail
from emulator.traces.trace import STATES, Trace
from emulator.traces.traces import MOST_TRACES

__all__ = ["FILTERS", "routes"]

# The parameter, and what it is compared with.
FILTERS = {
    "eventName": "event_name",
    "eventId": "event_id",
    "sessionId": "session_id",
    "clientId": "client_id",
    "tabId": "tab_id",
    "userId": "user_id",
    "state": "state",
}
TEXTS = ("event_name", "event_id", "session_id", "client_id", "user_id", "product_name", "key", "reason")
PARAMETERS = (*FILTERS, "text", "since", "limit")


def routes(running: Running) -> list[Route]:
    """The two routes."""

    def events(request: Request) -> Response:
        query = request.query_params
        check_query(query, PARAMETERS)
        if query.get("state", STATES[0]) not in STATES:
            raise Problem(400, f"state is one of {', '.join(STATES)}, not {query['state']!r}")
        since, text = moment(query, "since"), query.get("text", "").casefold()
        limit = integer(query, "limit", MOST_TRACES, 1, MOST_TRACES)
        found = [
            trace
            for trace in running.traces.all()
            if all(getattr(trace, field) == query[name] for name, field in FILTERS.items() if name in query)
            and (since is None or (trace.accepted_at or trace.stored_at or 0) >= since.timestamp())
            and _has_text(trace, text)
        ]
        found.sort(key=lambda trace: trace.accepted_at or trace.stored_at or 0)
        shown = [trace.as_json() for trace in found[-limit:]]
        return json_response({"count": len(found), "events": shown, "stats": running.traces.figures()})

    def event(request: Request) -> Response:
        identity = request.path_params["identity"]
        found = detail(identity, running.traces, running.bucket, running.stack.dw_url)
        if found is None:
            raise Problem(404, f"no event {identity} was seen since the stack was started or reset, and none has a row")
        return json_response(found)

    return [Route("/api/events", events), Route("/api/events/{identity:path}", event)]


def _has_text(trace: Trace, text: str) -> bool:
    return not text or any(text in (getattr(trace, field) or "").casefold() for field in TEXTS)
