from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.page import web_app


def client(*, healthy: bool = True, host: str = "127.0.0.1") -> TestClient:
    """A client of the page of a stack in that state."""
    health: dict[str, Any] = {"healthy": healthy, "parts": {}}
    return TestClient(web_app(lambda: health), base_url=f"http://{host}:8080")


class TestWebApp:
    def test_the_status_page_runs_only_its_own_scripts(self) -> None:
        """And shows what it is told as text."""
        answer = client().get("/")
        assert answer.status_code == 200
        assert answer.headers["Content-Security-Policy"] == "default-src 'self'"
        script = client().get("/web/status.js").text
        assert "textContent" in script
        assert "innerHTML" not in script

    @pytest.mark.parametrize(("healthy", "status"), [(True, 200), (False, 503)])
    def test_health_is_an_http_status_too(self, healthy: bool, status: int) -> None:  # noqa: FBT001
        """For those who only look at that."""
        answer = client(healthy=healthy).get("/api/health")
        assert answer.status_code == status
        assert answer.json()["healthy"] is healthy

    @pytest.mark.parametrize(("host", "status"), [("localhost", 200), ("127.0.0.1", 200), ("evil.example", 400)])
    def test_only_loopback_names_are_answered(self, host: str, status: int) -> None:
        """A page elsewhere whose name is made to resolve here must not read a shop's events."""
        assert client(host=host).get("/api/health").status_code == status

    @pytest.mark.parametrize("path", ["/web/../page.py", "/web/%2e%2e/page.py", "/web//etc/passwd"])
    def test_no_file_outside_is_served(self, path: str) -> None:
        """Static files are those of the page."""
        assert client().get(path).status_code == 404
