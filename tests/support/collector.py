"""A collector to publish into: a real HTTP server on another origin than the shop, which fails as a script says."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.stack_process import wait_for

__all__ = ["Collector", "Event", "Response", "serve"]

Event = dict[str, Any]


@dataclass(frozen=True)
class Response:
    """What the collector says to an event, and how long it takes to; status 0 hangs up without a word.

    Without a body it says whether it stored the event, as ingest does.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0
    body: str | None = None


def serve(handler: type[BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
    """Serve in a thread, on a free port of 127.0.0.1."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    return server


class Collector:
    """Answers each POST as `script` says, and keeps what came."""

    def __init__(self) -> None:
        self.script: Callable[[Event], Response] = lambda _event: Response()
        self.received: list[Event] = []  # each POST, whatever the answer
        self.accepted: list[Event] = []  # events that were answered 2xx
        self.headers: list[dict[str, str]] = []
        self.times: list[float] = []
        self.at_once: set[str] = set()  # ids of events that were under way twice at the same time
        self.preflights = 0
        self._under_way: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._server = serve(self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}/clickstream"

    def stop(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._server.server_close()

    def answer_always(self, status: int, headers: dict[str, str] | None = None, seconds: float = 0) -> None:
        """Say the same to every event from now on."""
        answer = Response(status, headers or {}, seconds)
        self.script = lambda _event: answer

    def named(self, name: str) -> list[Event]:
        """The accepted events of one name, each once, in the order of arrival."""
        return [event for event in self.unique() if event["eventName"] == name]

    def unique(self) -> list[Event]:
        """The accepted events, each once."""
        return list({event["eventId"]: event for event in list(self.accepted)}.values())

    def wait_for(self, name: str, count: int = 1, seconds: float = 30) -> list[Event]:
        """Wait until that many events of a name were accepted."""
        wait_for(lambda: len(self.named(name)) >= count, seconds)
        return self.named(name)

    def _take(self, event: Event, headers: dict[str, str]) -> Response:
        event_id = event["eventId"]
        with self._lock:
            self.received.append(event)
            self.headers.append(headers)
            self.times.append(time.monotonic())
            self._under_way[event_id] += 1
            if self._under_way[event_id] > 1:
                self.at_once.add(event_id)
        answer = self.script(event)
        time.sleep(answer.seconds)
        with self._lock:
            self._under_way[event_id] -= 1
            if 200 <= answer.status < 300:
                self.accepted.append(event)
        return answer

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # headers and body in one packet: two of them wait for each other's acknowledgement

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its own name for it
                pass

            def do_OPTIONS(self) -> None:
                collector.preflights += 1
                self.reply(Response(204))

            def do_POST(self) -> None:
                event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                answer = collector._take(event, dict(self.headers))
                if answer.status:
                    self.reply(answer)
                else:
                    self.close_connection = True

            def reply(self, answer: Response) -> None:
                success = json.dumps({"success": 200 <= answer.status < 300})
                body = (success if answer.body is None else answer.body).encode() if answer.status != 204 else b""
                self.send_response(answer.status)
                headers = {
                    "Access-Control-Allow-Origin": self.headers.get("Origin", "*"),
                    "Access-Control-Allow-Headers": "Content-Type, X-Api-Key",
                    "Access-Control-Allow-Methods": "POST",
                    "Access-Control-Expose-Headers": "Retry-After",
                    "Access-Control-Max-Age": "600",
                    "Content-Length": str(len(body)),
                    **answer.headers,
                }
                for name, value in headers.items():
                    self.send_header(name, value)
                try:
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    self.close_connection = True  # the browser is gone

        return Handler
