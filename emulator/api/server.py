"""The web server of the emulator's page and API, as a part of the stack."""

import logging
import threading

import uvicorn

from command_line.errors import CommandError
from emulator.api.app import web_app
from emulator.api.running import Running
from emulator.servers.processes import wait_until

__all__ = ["Page"]

START_SECONDS = 10
STOP_SECONDS = 3
# What uvicorn reports when a reader of the stream was dropped. It is no error, and would fill the terminal.
DROPPED = "without completing response"


class Page:
    """Serves the page and the API (only the API if headless) on 127.0.0.1, in a thread of this process."""

    name = "page"

    def __init__(self, port: int, running: Running, *, is_headless: bool) -> None:
        self._port = port
        self._running = running
        self._app = web_app(running, is_headless=is_headless)
        self._thread: threading.Thread | None = None
        self._server: uvicorn.Server | None = None

    def start(self) -> None:
        """Start serving. Raises CommandError if that fails."""
        self._running.stopping.clear()
        logging.getLogger("uvicorn.error").addFilter(_is_error)
        server = uvicorn.Server(uvicorn.Config(self._app, "127.0.0.1", self._port, log_level="error", access_log=False))
        self._server = server
        self._thread = threading.Thread(target=server.run, name=self.name, daemon=True)
        self._thread.start()
        if not wait_until(lambda: server.started or not self.is_alive, START_SECONDS) or not server.started:
            raise CommandError(f"cannot serve the page on port {self._port}: choose another port with --web-port")

    def stop(self) -> None:
        """End waiting requests and streams, answer the other requests under way, and stop."""
        self._running.stopping.set()
        self._running.shoppers.stop()
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(timeout=STOP_SECONDS)

    @property
    def is_alive(self) -> bool:
        """Whether the server runs."""
        return self._thread is not None and self._thread.is_alive()

    def check(self) -> str | None:
        """Return None: whoever asks gets the answer through this server, so it works."""
        return None

    def last_lines(self) -> list[str]:
        """Return no lines: it has no log."""
        return []


def _is_error(record: logging.LogRecord) -> bool:
    return DROPPED not in record.getMessage()
