"""The web application: the API, and unless it is headless the pages."""

from collections.abc import Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from emulator.api import events, steering, stream, wait
from emulator.api.answers import Problem, answer, answer_emulator_error, answer_problem, answer_unforeseen
from emulator.api.guards import guards
from emulator.api.running import Running
from emulator.errors import EmulatorError

__all__ = ["web_app"]

WEB = Path(__file__).parents[1] / "web"
PUBLISHER = Path(__file__).parents[2] / "publisher"
# The shop's routes are made in the browser; each can be opened and reloaded.
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
    """The application of one stack. Only loopback names are answered."""
    routes: list[BaseRoute] = [
        *_stack_routes(running),
        *events.routes(running),
        *wait.routes(running),
        *stream.routes(running),
        *steering.routes(running),
    ]
    return Starlette(
        routes=routes if is_headless else [*routes, *_pages()],
        middleware=guards(running.stack.ingest_url),
        exception_handlers={
            Problem: answer_problem,
            EmulatorError: answer_emulator_error,
            HTTPException: _answer_http_exception,
            Exception: answer_unforeseen,
        },
    )


def _stack_routes(running: Running) -> list[Route]:
    def health(_request: Request) -> Response:
        report = running.health()
        return answer(report, 200 if report["healthy"] else 503)

    def stack(_request: Request) -> Response:
        return answer({"endpoint": running.stack.endpoint})

    return [Route("/api/health", health), Route("/api/stack", stack)]


def _pages() -> list[BaseRoute]:
    def page(folder: str) -> Callable[[Request], Response]:
        return lambda _request: FileResponse(WEB / folder / "index.html")

    pages = [Route(path, page(folder)) for path, folder in PAGES.items()]
    return [*pages, Mount("/web", StaticFiles(directory=WEB)), Mount("/publisher", StaticFiles(directory=PUBLISHER))]


def _answer_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # it is registered for these only
    message = f"{request.method} {request.url.path}: {error.detail}"
    found = answer({"success": False, "message": message}, error.status_code)
    found.headers.update(error.headers or {})
    return found
