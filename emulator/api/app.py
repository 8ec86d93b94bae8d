"""The web application: the API, and the pages unless it is headless."""

from collections.abc import Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from command_line.errors import CommandError
from emulator.api import control, events, stream, wait
from emulator.api.dashboard import Dashboard
from emulator.api.guards import guards
from emulator.api.responses import Problem, command_error_response, json_response, problem_response, unforeseen_response
from emulator.api.running import Running

__all__ = ["web_app"]

WEB = Path(__file__).parents[1] / "web"
PUBLISHER = Path(__file__).parents[2] / "publisher"
# The shop resolves its routes in the browser; each of them can be opened and reloaded.
PAGES = {
    "/": "shop",
    "/category/{slug}": "shop",
    "/product/{id}": "shop",
    "/cart": "shop",
    "/checkout": "shop",
    "/order": "shop",
    "/sign-in": "shop",
    "/wishlist": "shop",
    "/pipeline": "pipeline",
}


def web_app(running: Running, *, is_headless: bool = False) -> Starlette:
    """Make the application of one stack; it answers requests to loopback names only."""
    routes: list[BaseRoute] = [
        *_stack_routes(running),
        *events.routes(running),
        *wait.routes(running),
        *stream.routes(running),
        *control.routes(running),
    ]
    return Starlette(
        routes=routes if is_headless else [*routes, *_pages(running)],
        middleware=guards(running.stack.ingest_url),
        exception_handlers={
            Problem: problem_response,
            CommandError: command_error_response,
            HTTPException: _http_exception_response,
            Exception: unforeseen_response,
        },
    )


def _stack_routes(running: Running) -> list[Route]:
    def health(_request: Request) -> Response:
        report = running.health()
        return json_response(report, 200 if report["healthy"] else 503)

    def stack(_request: Request) -> Response:
        return json_response({"endpoint": running.stack.endpoint})

    return [Route("/api/health", health), Route("/api/stack", stack)]


def _pages(running: Running) -> list[BaseRoute]:
    def page(folder: str) -> Callable[[Request], Response]:
        return lambda _request: FileResponse(WEB / folder / "index.html")

    pages = [Route(path, page(folder)) for path, folder in PAGES.items()]
    return [
        *pages,
        Mount("/dashboard", Dashboard(running)),
        Mount("/web", StaticFiles(directory=WEB)),
        Mount("/publisher", StaticFiles(directory=PUBLISHER)),
    ]


def _http_exception_response(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # it is registered for these only
    message = f"{request.method} {request.url.path}: {error.detail}"
    response = json_response({"success": False, "message": message}, error.status_code)
    response.headers.update(error.headers or {})
    return response
