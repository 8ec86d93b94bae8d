"""Runs `chalice local` as a child process of the stack, behind a server that HTTP clients cannot upset."""

from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from json import dumps
from socketserver import BaseRequestHandler, TCPServer, ThreadingMixIn
from typing import Any

from chalice import local
from chalice.app import Chalice
from chalice.cli import main
from chalice.config import Config
from chalice.local import LocalDevServer, LocalGateway, LocalGatewayException

from chalicelib import log
from chalicelib.api.cors import cors_headers
from chalicelib.settings import Settings
from emulator.servers.connection import Connection, Refused, Request

__all__ = ["ingest_server"]

Response = tuple[int, Iterable[tuple[str, str]], bytes]


class _Server(ThreadingMixIn, TCPServer):
    """Takes connections, each in a thread of its own."""

    allow_reuse_address = True
    daemon_threads = True
    # Connections that wait to be taken. With the usual 5, the system resets some of many that come at once.
    request_queue_size = 1024


class _Handler(BaseRequestHandler):
    """Responds to the requests of one connection, in the place of API Gateway."""

    # `args` are what every handler gets: the socket, the client's address and the server.
    def __init__(self, *args: Any, app_object: Chalice, config: Config, settings: Settings) -> None:  # noqa: ANN401
        self._gateway = LocalGateway(app_object, config)
        self._settings = settings
        super().__init__(*args)

    def handle(self) -> None:
        """Respond to each request until the connection ends."""
        connection = Connection(self.request, self._settings.max_event_bytes)
        with suppress(OSError):  # the client is gone, or silent
            try:
                while (request := connection.next_request()) is not None:
                    connection.respond(*self._response(request))
            except Refused as refusal:
                connection.respond(*self._refusal(refusal.status, str(refusal), refusal.headers))
        connection.close()

    def _response(self, request: Request) -> Response:
        """Return the app's response."""
        # Nothing here reads a token, and Chalice would quote it in its own response to an unknown path.
        headers = {name: value for name, value in request.headers.items() if name != "authorization"}
        try:
            found = self._gateway.handle_request(request.method, request.target, headers, request.body or None)
        except LocalGatewayException as error:
            return error.CODE, _lines(error.headers), error.body or b""
        except Exception as error:  # noqa: BLE001  # whatever happens, the client gets a response, and no log quotes it
            message = "internal error: the event may not be stored; send it again"
            return self._refusal(500, message, request.headers, log.where(error))
        body = found["body"] or b""
        lines = _lines(found["headers"] | found["multiValueHeaders"])
        return found["statusCode"], lines, body if isinstance(body, bytes) else body.encode()

    def _refusal(self, status: int, message: str, headers: dict[str, str], error: str | None = None) -> Response:
        """Log a request that the app does not get, as the app would, and return a response of the same form."""
        level, outcome = ("WARNING", "refused") if error is None else ("ERROR", "failed")
        log.write("ingest", outcome, level=level, status=status, error=error or message)
        cors = cors_headers(self._settings.allowed_origins, headers.get("origin"))
        return status, _lines(cors), dumps({"success": False, "message": message}).encode()


def ingest_server(app_object: Chalice, config: Config, host: str, port: int) -> LocalDevServer:
    """Make Chalice's local server, with our own handling of connections. It listens when it is made."""
    handler: Any = partial(_Handler, settings=Settings.from_environment())
    server: Any = _Server
    return LocalDevServer(app_object, config, host, port, handler, server)


def _lines(headers: dict[str, Any]) -> list[tuple[str, str]]:
    """Return Chalice's headers, which may have several values, as pairs, with the content type that it leaves out."""
    named = headers if "content-type" in map(str.lower, headers) else headers | {"Content-Type": "application/json"}
    return [(name, each) for name, value in named.items() for each in (value if isinstance(value, list) else [value])]


if __name__ == "__main__":
    vars(local)[LocalDevServer.__name__] = ingest_server  # what `chalice local` makes its server with
    main()
