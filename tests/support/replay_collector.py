"""A collector to replay into: a real HTTP server, with fakes of the storage and the warehouse behind it."""

import json
import math
import socket
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from rich.console import Console

from command_line.errors import CommandError
from emulator.replay.ends import Ends
from emulator.replay.rees46 import HEADER
from emulator.replay.report import ReplayReport
from emulator.replay.run import replay

__all__ = ["HOUR", "Collector", "Failing", "ReplayTest", "Reply", "accepted", "free_port", "line", "run"]

Reply = tuple[int, dict[str, Any] | None, dict[str, str]]  # status, body, headers
HOUR = "events/2026/01/02/03/"


def accepted(_event: dict[str, Any], _attempt: int) -> Reply:
    """The answer of a collector that is well: a new object each time."""
    return 200, {"success": True, "key": f"{HOUR}event-{uuid.uuid4()}.json"}, {}


@dataclass
class Collector:
    """What a real HTTP server answers (`script`; None: hang up), and the fakes that accepted events reach."""

    script: Callable[[dict[str, Any], int], Reply | None] = accepted
    received: list[dict[str, Any]] = field(default_factory=list)
    content_types: set[str | None] = field(default_factory=set)
    attempts: dict[str, int] = field(default_factory=dict)
    objects: set[str] = field(default_factory=set)
    rows: set[UUID] = field(default_factory=set)
    in_flight: int = 0
    most_in_flight: int = 0
    projects: bool = True
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, event: dict[str, Any]) -> Reply | None:
        """Keep what an accepted event leaves behind."""
        with self.lock:
            attempt = self.attempts[event["eventId"]] = self.attempts.get(event["eventId"], 0) + 1
        answer = self.script(event, attempt)
        if answer is not None and answer[0] == 200 and answer[1] is not None and "key" in answer[1]:
            with self.lock:
                self.received.append(event)
                self.objects.add(answer[1]["key"])
                if self.projects:
                    self.rows.add(UUID(event["eventId"]))
        return answer

    # The two ends as a replay sees them.

    def known(self, ids: Sequence[UUID]) -> set[UUID]:
        """The warehouse."""
        return self.rows & set(ids)

    def keys(self, prefix: str) -> Iterator[str]:
        """The storage."""
        return (key for key in sorted(self.objects) if key.startswith(prefix))


def handler(collector: Collector) -> type[BaseHTTPRequestHandler]:
    """The HTTP side of a collector."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # headers and body in one packet: two of them wait for each other's acknowledgement

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its own name for it
            pass

        def do_OPTIONS(self) -> None:
            self.reply(200, {}, {})

        def do_POST(self) -> None:
            with collector.lock:
                collector.in_flight += 1
                collector.most_in_flight = max(collector.most_in_flight, collector.in_flight)
                collector.content_types.add(self.headers["Content-Type"])
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = collector.answer(event)
            with collector.lock:
                collector.in_flight -= 1
            if answer is None:
                self.close_connection = True
            else:
                self.reply(*answer)

        def reply(self, status: int, body: dict[str, Any] | None, headers: dict[str, str]) -> None:
            content = b"<html>" if body is None else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

    return Handler


@dataclass
class Failing:
    """Storage and warehouse that go down after some questions, for good or until some more were asked."""

    collector: Collector
    after: int
    until: float = math.inf
    asked: int = 0

    def known(self, ids: Sequence[UUID]) -> set[UUID]:
        """The warehouse."""
        self.ask()
        return self.collector.known(ids)

    def keys(self, prefix: str) -> Iterator[str]:
        """The storage."""
        self.ask()
        return self.collector.keys(prefix)

    def ask(self) -> None:
        """Count a question."""
        self.asked += 1
        if self.after < self.asked <= self.until:
            raise CommandError("down")


class ReplayTest:
    """What a test of a replay needs: a running collector, a log, short delays, and no end of a real environment."""

    @pytest.fixture(autouse=True)
    def quick(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Shorten the delays, and forget the environment's ends."""
        monkeypatch.setattr("emulator.posting.retry.FIRST_DELAY", 0.001)
        monkeypatch.setattr("emulator.replay.checks.POLL", 0.005)
        for name in ("DW_URL", "RAW_BUCKET_NAME", "CLICKSTREAM_HOME"):
            monkeypatch.delenv(name, raising=False)

    @pytest.fixture
    def collector(self) -> Iterator[Collector]:
        """Give a running collector."""
        collector = Collector()
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler(collector))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        collector.url = f"http://127.0.0.1:{server.server_port}/clickstream"
        yield collector
        server.shutdown()
        thread.join()
        server.server_close()

    @pytest.fixture
    def log(self, tmp_path: Path) -> Callable[..., Path]:
        """Give a function that writes a log of some lines under a good header."""

        def write(*lines: str) -> Path:
            path = tmp_path / "log.csv"
            path.write_text(f"{HEADER}\n{''.join(lines)}")
            return path

        return write


def line(number: int, kind: str = "view") -> str:
    """A good line of the log, another for each number."""
    return f"2019-10-01 00:00:01 UTC,{kind},{number},205,computers.notebook,lenovo,251.74,55,7c90\n"


def run(
    collector: Collector, file: Path, *, timeout: float = 0.05, ends: dict[str, Any] | None = None, **options: Any
) -> tuple[ReplayReport, str]:
    """A replay against the collector and its fakes, or other ends: the report, and what the console showed."""
    output = StringIO()
    chosen = Ends(collector.url, **({"storage": collector, "warehouse": collector} | (ends or {})))
    report = replay(file, chosen, timeout=timeout, console=Console(file=output, width=120), **options)
    return report, output.getvalue()


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
