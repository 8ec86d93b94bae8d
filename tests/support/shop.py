"""A bare shop that uses the publisher as a stranger would, and what its tests share."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.support.collector import Collector, Event, serve
from tests.support.stack_process import ROOT

__all__ = ["PUBLISHER", "PublisherTest", "Shop", "assert_gapless", "open_page", "queue", "stored_keys"]

PUBLISHER = ROOT / "publisher"


class Shop:
    """Serves the publisher's files and the pages that a test writes, on an origin of its own."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        self.bodies: dict[str, str] = {}
        self.scripts: dict[str, str] = {}
        self.headers: dict[str, str] = {}
        self.pages: dict[str, str] = {}  # whole pages, in place of the usual one
        self.files: dict[str, str] = {}  # scripts besides the publisher's
        self._server = serve(self._handler())
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._server.server_close()

    def page(self, path: str) -> str:
        """The HTML of a page: the publisher, then what the test put there. Scripts find everything it exports."""
        return f"""<!doctype html><title>Shop</title><body>{self.bodies.get(path, "")}
<script type="module">
  import * as clickstream from "/publisher/src/index.js";
  Object.assign(window, clickstream);
  clickstream.init({json.dumps(self.options)});
  {self.scripts.get(path, "")}
  window.ready = true;
</script>"""

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        shop = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its own name for it
                pass

            def do_GET(self) -> None:
                path = urlsplit(self.path).path
                if path.startswith("/publisher/"):
                    content, kind = (PUBLISHER.parent / path[1:]).read_bytes(), "text/javascript"
                elif path in shop.files:
                    content, kind = shop.files[path].encode(), "text/javascript"
                else:
                    content, kind = (shop.pages.get(path) or shop.page(path)).encode(), "text/html; charset=utf-8"
                self.send_response(200)
                headers = {"Content-Type": kind, "Content-Length": str(len(content)), "Cache-Control": "no-store"}
                # A page in a sandbox has no origin, and needs leave to import even the shop's own files.
                for name, value in (headers | {"Access-Control-Allow-Origin": "*"} | shop.headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

        return Handler


class PublisherTest:
    """What a test of the publisher needs: a collector, a shop that sends to it, and a new visitor's browser."""

    @pytest.fixture
    def collector(self) -> Iterator[Collector]:
        """Give a running collector."""
        collector = Collector()
        yield collector
        collector.stop()

    @pytest.fixture
    def shop(self, collector: Collector) -> Iterator[Shop]:
        """Give a shop that sends to the collector."""
        shop = Shop({"endpoint": collector.url})
        yield shop
        shop.stop()

    @pytest.fixture
    def visitor(self, browser: Browser) -> Iterator[BrowserContext]:
        """Give the browser of a visitor who never was here before."""
        context = browser.new_context()
        context.set_default_timeout(15_000)
        yield context
        context.close()

    @pytest.fixture
    def page(self, visitor: BrowserContext) -> Page:
        """Give a tab in which nothing may go wrong unnoticed."""
        return visitor.new_page()


def open_page(page: Page, url: str) -> None:
    """Go there, and wait until the page's script has run."""
    page.goto(url)
    page.wait_for_function("window.ready")


def queue(page: Page) -> list[Event]:
    """The events that wait in the browser's storage."""
    events: list[Event] = page.evaluate(
        "Object.keys(localStorage).filter(key => key.startsWith('clickstream.queue.')).sort()"
        ".map(key => JSON.parse(localStorage[key]))"
    )
    return events


def stored_keys(page: Page) -> list[str]:
    """The keys of everything that the publisher stores."""
    keys: list[str] = page.evaluate(
        "[localStorage, sessionStorage].flatMap(Object.keys).filter(key => key.startsWith('clickstream.')).sort()"
    )
    return keys


def assert_gapless(events: list[Event]) -> None:
    """Every tab's `seq` runs from 1 without a gap."""
    tabs: dict[tuple[str, str], list[int]] = {}
    for event in events:
        tabs.setdefault((event["clientId"], event["tabId"]), []).append(event["seq"])
    for numbers in tabs.values():
        assert sorted(numbers) == list(range(1, len(numbers) + 1))
