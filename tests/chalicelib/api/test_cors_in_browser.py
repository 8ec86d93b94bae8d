"""CORS as a real browser understands it: what a page of an allowed origin may do, and what any other page may do."""

import threading
from collections.abc import Iterator

import pytest
from chalice.config import Config
from playwright.sync_api import Browser

import app as clickstream_app
from chalicelib.settings import Settings
from emulator.servers.chalice_local import ingest_server
from tests.support.shop import Shop

# Whether the page may read the response. A browser hides it, or does not even send the request, with the same error.
POST = """([url, headers, mode]) =>
    fetch(url, { method: "POST", headers, mode, body: '{"eventName": "page_view"}' })
        .then((response) => response.json()).then((body) => body.success, () => false)"""
TEXT = {"Content-Type": "text/plain"}
JSON = {"Content-Type": "application/json"}
WITH_KEY = TEXT | {"X-Api-Key": "key"}


class Storage:
    """A bucket in memory."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def put(self, bucket: str, key: str, body: bytes) -> None:
        del bucket, key
        self.bodies.append(body)


@pytest.fixture
def storage(monkeypatch: pytest.MonkeyPatch) -> Storage:
    """Give the bucket of the app."""
    storage = Storage()
    monkeypatch.setattr(clickstream_app, "storage", storage)
    return storage


@pytest.fixture
def shop() -> Iterator[Shop]:
    """Give the server of an empty page, which has an origin for each name of this computer."""
    shop = Shop({})
    shop.pages["/"] = "<!doctype html><title>Page</title>"
    yield shop
    shop.stop()


@pytest.fixture
def endpoint(shop: Shop, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Give the URL of an ingest server that allows the shop's origin by the name of localhost."""
    del storage
    allowed = frozenset({f"http://localhost:{shop.port}"})
    monkeypatch.setattr(clickstream_app, "settings", Settings(allowed_origins=allowed))
    server = ingest_server(clickstream_app.app, Config(), "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server.server_address[1]}/clickstream"
    server.shutdown()
    thread.join()
    server.server.server_close()


@pytest.mark.browser
class TestPages:
    @pytest.mark.parametrize(
        ("host", "headers", "mode", "is_read", "is_stored"),
        [
            ("localhost", TEXT, "cors", True, True),
            ("localhost", JSON, "cors", True, True),
            ("localhost", WITH_KEY, "cors", True, True),
            ("127.0.0.1", TEXT, "cors", False, True),
            ("127.0.0.1", TEXT, "no-cors", False, True),
            ("127.0.0.1", JSON, "cors", False, False),
            ("127.0.0.1", WITH_KEY, "cors", False, False),
        ],
    )
    def test_what_is_read_and_what_is_stored(
        self,
        host: str,
        headers: dict[str, str],
        mode: str,
        browser: Browser,
        shop: Shop,
        endpoint: str,
        storage: Storage,
        *,
        is_read: bool,
        is_stored: bool,
    ) -> None:
        """Another page can post events as text, reads no response, and sends neither JSON nor a key."""
        page = browser.new_page()
        try:
            page.goto(f"http://{host}:{shop.port}/")
            assert page.evaluate(POST, [endpoint, headers, mode]) is is_read
        finally:
            page.close()
        assert len(storage.bodies) == is_stored
