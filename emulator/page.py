"""The emulator's own web server: a status page, and the health of every part as JSON."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from emulator.errors import EmulatorError
from emulator.processes import wait_until

__all__ = ["Page", "web_app"]

WEB = Path(__file__).parent / "web"
START_SECONDS = 10


def web_app(health: Callable[[], dict[str, Any]]) -> Starlette:
    """The web application; `health` tells the state of every part. Only loopback names are answered."""

    def index(_request: Request) -> FileResponse:
        return FileResponse(WEB / "index.html", headers={"Content-Security-Policy": "default-src 'self'"})

    def api_health(_request: Request) -> JSONResponse:
        report = health()
        return JSONResponse(
            report, status_code=200 if report["healthy"] else 503, headers={"Cache-Control": "no-store"}
        )

    return Starlette(
        routes=[Route("/", index), Route("/api/health", api_health), Mount("/web", StaticFiles(directory=WEB))],
        # A page elsewhere whose name is made to resolve to 127.0.0.1 must not read a shop's events.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
    )


class Page:
    """The web server as a part of the stack: a thread of this process."""

    name = "page"

    def __init__(self, port: int, health: Callable[[], dict[str, Any]]) -> None:
        self._port = port
        self._app = web_app(health)
        self._thread: threading.Thread | None = None
        self._server: uvicorn.Server | None = None

    def start(self) -> None:
        """Start serving on 127.0.0.1. Raises EmulatorError if that fails."""
        server = uvicorn.Server(uvicorn.Config(self._app, "127.0.0.1", self._port, log_level="error", access_log=False))
        self._server = server
        self._thread = threading.Thread(target=server.run, name=self.name, daemon=True)
        self._thread.start()
        if not wait_until(lambda: server.started or not self.is_alive, START_SECONDS) or not server.started:
            raise EmulatorError(f"the web page cannot be served on port {self._port}: choose another with --web-port")

    def stop(self) -> None:
        """Answer what is under way, and stop."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(timeout=10)

    @property
    def is_alive(self) -> bool:
        """Whether it serves."""
        return self._thread is not None and self._thread.is_alive()

    def check(self) -> str | None:
        """Nothing can be wrong: this is asked through the page itself."""
        return None

    def last_lines(self) -> list[str]:
        """Nothing: it logs nothing."""
        return []
