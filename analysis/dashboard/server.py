"""The web server of the dashboard: its page, the answers to views, exports, and the texts to copy."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Lock
from types import MappingProxyType

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from analysis.dashboard.answer import lines, panel_named, shown_for
from analysis.dashboard.bundle import bundle
from analysis.dashboard.events import Place
from analysis.dashboard.export import as_csv, as_parquet, as_python, as_sql
from analysis.dashboard.filters import values_of
from analysis.dashboard.guards import guards
from analysis.dashboard.work.streaming import streamed, worked
from analysis.engines.stopping import Stop
from analysis.errors import AnalysisError

__all__ = ["dashboard_app"]

STATIC = Path(__file__).parent / "static"
FORMATS: dict[str, tuple[Callable[..., bytes], str]] = {
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "parquet": (as_parquet, "application/vnd.apache.parquet"),
}
MOST_TABS = 100
NO_TABS: Mapping[str, str] = MappingProxyType({})


def _now() -> datetime:
    return datetime.now(UTC)


def dashboard_app(place: Place, now: Callable[[], datetime] = _now, tabs: Mapping[str, str] = NO_TABS) -> Starlette:
    """Make the application over a place; all of its addresses are relative, so it may be mounted anywhere.

    Args:
        place: Where the events are.
        now: Gives the present, aware.
        tabs: Addresses of the server's other pages, by name. `tabs.<name>` of the texts is what people read.
    """
    running = _Running()

    def page(_request: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    def vega(request: Request) -> Response:
        script = bundle()
        headers = {"ETag": script.etag, "Cache-Control": "no-cache"}
        if request.headers.get("If-None-Match") == script.etag:
            return Response(status_code=304, headers=headers)
        return Response(script.compressed, media_type="text/javascript", headers=headers | {"Content-Encoding": "gzip"})

    async def view(request: Request) -> Response:
        query, tab = _split(request)
        if request.headers.get("Cache-Control") == "no-cache":  # somebody asks for what has come since
            place.forget()
        shown = shown_for(place, query, now())
        answer = streamed(partial(lines, shown, tabs), running.begin(tab))
        return StreamingResponse(answer, media_type="application/x-ndjson", headers={"Cache-Control": "no-store"})

    async def export(request: Request) -> Response:
        query, _ = _split(request)
        write, media_type = _format(request.path_params["format"])
        name = request.path_params["panel"]
        content = await worked(lambda: write(panel_named(shown_for(place, query, now()), name).make().frame))
        file = f'attachment; filename="{name}.{request.path_params["format"]}"'
        return Response(content, media_type=media_type, headers={"Content-Disposition": file})

    async def text(request: Request) -> Response:
        query, _ = _split(request)
        name, language = request.path_params["panel"], request.path_params["language"]
        written = await worked(lambda: _text(place, query, now(), name, language))
        return JSONResponse({"text": written}, headers={"Cache-Control": "no-store"})

    async def values(request: Request) -> Response:
        query, _ = _split(request)

        def work() -> list[list[object]]:
            shown = shown_for(place, query, now())
            engine = place.opened(shown.within, shown.view).engine
            found = values_of(engine, request.path_params["filter"], shown.within.parameters)
            return [list(row) for row in found.iter_rows()]

        return JSONResponse({"values": await worked(work)}, headers={"Cache-Control": "no-store"})

    return Starlette(
        routes=[
            Route("/", page),
            Route("/vega.js", vega),
            Route("/api/view", view),
            Route("/api/values/{filter}", values),
            Route("/api/panels/{panel}.{format}", export),
            Route("/api/panels/{panel}/{language}", text),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=guards(),
        exception_handlers={AnalysisError: _problem},
    )


class _Running:
    """The views that are being computed: a newer one of the same tab stops the older one."""

    def __init__(self) -> None:
        self._stops: dict[str, Stop] = {}
        self._lock = Lock()

    def begin(self, tab: str) -> Stop:
        stop = Stop()
        with self._lock:
            older = self._stops.pop(tab, None)
            self._stops[tab] = stop
            while len(self._stops) > MOST_TABS:
                del self._stops[next(iter(self._stops))]
        if older is not None:
            older.request()
        return stop


def _split(request: Request) -> tuple[str, str]:
    """Give the query string, and the tab's id, which is no part of the view."""
    return request.url.query, request.headers.get("X-Tab", "")


def _format(name: str) -> tuple[Callable[..., bytes], str]:
    if name not in FORMATS:
        raise AnalysisError(f"there is no format {name!r}: choose from {', '.join(FORMATS)}")
    return FORMATS[name]


def _text(place: Place, query: str, now: datetime, name: str, language: str) -> str:
    shown = shown_for(place, query, now)
    panel = panel_named(shown, name)
    content = panel.make()
    shown = shown if panel.within is None else shown.at(panel.within)
    if language == "python" and content.python is not None:
        return content.python
    if language not in {"python", "sql"} or content.query is None:
        raise AnalysisError(f"the panel {name} cannot be written as {language!r}")
    return as_python(shown, content.query) if language == "python" else as_sql(shown, content.query)


def _problem(_request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"message": str(error)}, 400, headers={"Cache-Control": "no-store"})
