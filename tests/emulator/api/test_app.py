from dataclasses import replace
from pathlib import Path

import pytest

from analysis.dashboard.guards import POLICY
from tests.support.running import client, running

PAGES = (
    "/",
    "/category/jackets",
    "/product/p-1",
    "/cart",
    "/checkout",
    "/order",
    "/sign-in",
    "/wishlist",
    "/pipeline",
    "/dashboard",
)


class TestWebApp:
    @pytest.mark.parametrize("path", PAGES)
    def test_every_page_can_be_opened_and_reloaded(self, tmp_path: Path, path: str) -> None:
        """The shop's routes are made in the browser."""
        answer = client(running(tmp_path)).get(path)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/html")

    def test_headless_has_the_api_and_no_page(self, tmp_path: Path) -> None:
        """Not even its scripts."""
        http = client(running(tmp_path), is_headless=True)
        assert http.get("/api/events").status_code == 200
        for path in (*PAGES, "/publisher/src/index.js"):
            answer = http.get(path)
            assert answer.status_code == 404
            assert answer.json()["success"] is False

    def test_the_publisher_is_served_as_a_shop_would(self, tmp_path: Path) -> None:
        """The very file, as a script."""
        answer = client(running(tmp_path)).get("/publisher/src/index.js")
        assert answer.headers["Content-Type"].startswith("text/javascript")
        assert answer.headers["Cache-Control"] == "no-cache"

    @pytest.mark.parametrize(("healthy", "status"), [(True, 200), (False, 503)])
    def test_health_is_an_http_status_too(self, tmp_path: Path, *, healthy: bool, status: int) -> None:
        """For programs that only look at that."""
        stack = replace(running(tmp_path), health=lambda: {"healthy": healthy, "parts": {}})
        answer = client(stack).get("/api/health")
        assert (answer.status_code, answer.json()["healthy"]) == (status, healthy)

    def test_the_pages_learn_where_events_are_posted(self, tmp_path: Path) -> None:
        """The shop's publisher needs it."""
        assert client(running(tmp_path)).get("/api/stack").json() == {"endpoint": "http://127.0.0.1:8000/clickstream"}

    @pytest.mark.parametrize(
        "path", ["/web/../page.py", "/web/%2e%2e/page.py", "/web//etc/passwd", "/publisher/%2e%2e/README.md"]
    )
    def test_no_file_outside_is_served(self, tmp_path: Path, path: str) -> None:
        """Static files are those of the page."""
        assert client(running(tmp_path)).get(path).status_code == 404

    @pytest.mark.parametrize(("method", "path", "status"), [("GET", "/api/nothing", 404), ("POST", "/api/events", 405)])
    def test_errors_are_json_and_say_what_was_asked(self, tmp_path: Path, method: str, path: str, status: int) -> None:
        """As those of ingest."""
        answer = client(running(tmp_path)).request(method, path)
        assert answer.status_code == status
        assert answer.json()["message"].startswith(f"{method} {path}: ")


class TestGuards:
    @pytest.mark.parametrize(("host", "status"), [("localhost", 200), ("127.0.0.1", 200), ("evil.example", 400)])
    @pytest.mark.parametrize("path", ["/", "/api/events", "/api/faults", "/publisher/src/index.js"])
    def test_only_loopback_names_are_answered(self, tmp_path: Path, host: str, status: int, path: str) -> None:
        """A page elsewhere whose name is made to resolve here must not read a shop's events."""
        assert client(running(tmp_path), host).get(path).status_code == status

    @pytest.mark.parametrize(
        ("origin", "status"),
        [
            (None, 200),
            ("http://127.0.0.1:8080", 200),
            ("http://localhost:8080", 403),
            ("https://127.0.0.1:8080", 403),
            ("http://127.0.0.1:8081", 403),
            ("http://evil.example", 403),
            ("null", 403),
            ("", 403),
        ],
    )
    @pytest.mark.parametrize("change", ["PUT /api/faults", "POST /api/reset", "DELETE /api/shoppers"])
    def test_no_other_page_changes_the_stack(
        self, tmp_path: Path, change: str, origin: str | None, status: int
    ) -> None:
        """Its own page does, and programs, which send no origin."""
        stack = running(tmp_path)
        headers = {} if origin is None else {"Origin": origin}
        method, path = change.split()
        answer = client(stack).request(method, path, json={}, headers=headers)
        assert answer.status_code == status
        assert path != "/api/reset" or vars(stack.reset)["count"] == (status == 200)

    def test_the_dashboard_has_the_same_guards(self, tmp_path: Path) -> None:
        """Its policy is even stricter: it talks to this server alone."""
        stack = running(tmp_path)
        answer = client(stack).get("/dashboard/")
        assert answer.headers["Content-Security-Policy"] == POLICY
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        for path in ("/dashboard/", "/dashboard/api/view", "/dashboard/static/dashboard.js"):
            assert client(stack, "evil.example").get(path).status_code == 400
            assert client(stack).post(path).status_code == 405

    def test_pages_run_only_their_own_scripts(self, tmp_path: Path) -> None:
        """And talk to nobody but this server and ingest."""
        policy = client(running(tmp_path)).get("/").headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "connect-src 'self' http://127.0.0.1:8000;" in policy
        assert "unsafe" not in policy
