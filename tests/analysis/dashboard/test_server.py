import gzip
import io
import json
import time
from collections.abc import Iterator
from threading import Thread
from typing import Any

import polars as pl
import pytest
from starlette.testclient import TestClient

from analysis.dashboard import answer
from analysis.dashboard.events import Shown
from analysis.dashboard.guards import POLICY
from analysis.dashboard.pages import PAGES
from analysis.dashboard.pages.page import Page
from analysis.dashboard.panel import Panel, Query, Table
from analysis.dashboard.server import dashboard_app
from emulator.seed.answers import overview
from tests.analysis.dashboard.conftest import NOW, Seeded

pytestmark = pytest.mark.slow

WEEK = "start=2026-11-13&end=2026-11-20"
LOCAL = "http://127.0.0.1:8090"


@pytest.fixture(scope="module")
def client(seeded: Seeded) -> Iterator[TestClient]:
    """Give a client of the dashboard over the seeded week."""
    with TestClient(dashboard_app(seeded.place, lambda: NOW), base_url=LOCAL) as client:
        yield client


def lines(client: TestClient, query: str, tab: str = "a") -> list[dict[str, Any]]:
    response = client.get(f"/api/view?{query}", headers={"X-Tab": tab})
    assert response.status_code == 200, response.text
    return [json.loads(line) for line in response.text.splitlines()]


class TestView:
    def test_the_whole_comes_first_then_each_panel(self, client: TestClient, seeded: Seeded) -> None:
        """In the order of the page, with the figures of the seed."""
        head, *panels, done = lines(client, f"{WEEK}&compare=none")
        assert head["head"]["query"] == f"page=overview&{WEEK}&zone=UTC&compare=none"
        assert [panel["panel"] for panel in panels] == [panel["name"] for panel in head["head"]["panels"]]
        assert done == {"done": True}
        [key] = seeded.answer(overview.key_figures)
        shown = {panel["panel"]: panel["content"] for panel in panels}
        assert shown["visitors"]["value"] == key["visitors"]
        assert shown["add_rate"]["value"] == key["add_rate"]
        assert shown["visitors"]["copies"] == {"sql": True, "python": True}

    @pytest.mark.parametrize("page", PAGES)
    def test_no_panel_of_any_page_has_a_problem(self, client: TestClient, page: str) -> None:
        """In both languages, and with every default."""
        for language in ("en", "vi"):
            assert [line for line in lines(client, f"page={page}&{WEEK}&lang={language}") if "problem" in line] == []

    def test_a_bad_address_is_answered_in_words(self, client: TestClient) -> None:
        """Status 400, and what to write instead."""
        response = client.get("/api/view?range=fortnight")
        assert response.status_code == 400
        assert "range is 'fortnight': choose from today" in response.json()["message"]

    def test_one_fault_does_not_take_the_page(self, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
        """The panel says that there is one, and the next panel is computed."""

        def fail() -> Table:
            raise ZeroDivisionError

        fine = Panel("fine", "table", lambda: Table(pl.DataFrame({"one": [1]})))
        page = Page("overview", lambda _shown: [Panel("broken", "table", fail), fine])
        monkeypatch.setattr(answer, "PAGES", {"overview": page})
        _, broken, after, _ = lines(client, WEEK)
        assert broken["problem"] == "internal error (ZeroDivisionError): see the terminal of the dashboard"
        assert after["content"]["table"]["rows"] == [[1]]

    def test_a_newer_view_of_the_tab_stops_the_older(self, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
        """Its query ends within seconds, though it would take minutes; another tab's goes on."""
        begun: list[float] = []

        def endless(shown: Shown) -> Table:
            begun.append(time.monotonic())
            numbers = "generate_series(1, 1000000)"
            sql = f"SELECT count(*) AS n FROM {numbers} AS a (x) INNER JOIN {numbers} AS b (y) ON (x * y) % 7 = 3"
            return Table(shown.engine.query(sql, {}))

        slow = Page("quality", lambda shown: [Panel("slow", "table", lambda: endless(shown))])
        monkeypatch.setattr(answer, "PAGES", {**PAGES, "quality": slow})
        found: list[list[dict[str, Any]]] = []
        thread = Thread(target=lambda: found.append(lines(client, f"page=quality&{WEEK}")))
        thread.start()
        while not begun:
            time.sleep(0.05)
        lines(client, WEEK, "another tab")
        assert thread.is_alive()
        lines(client, WEEK)
        thread.join(timeout=10)
        assert not thread.is_alive()
        assert [line for line in found[0] if "done" in line] == []


class TestExports:
    def test_csv_and_parquet_have_every_row(self, client: TestClient) -> None:
        """With the columns of the metric."""
        csv = client.get(f"/api/panels/top_events.csv?{WEEK}")
        assert csv.headers["Content-Disposition"] == 'attachment; filename="top_events.csv"'
        parquet = client.get(f"/api/panels/top_events.parquet?{WEEK}")
        frame = pl.read_parquet(io.BytesIO(parquet.content))
        assert pl.read_csv(csv.content).equals(frame)
        assert frame.columns == ["event_name", "events", "share"]

    def test_texts_to_copy(self, client: TestClient) -> None:
        """SQL and Python of a panel; Python only, of one that no metric gives."""
        assert "COUNT(DISTINCT visitor)" in client.get(f"/api/panels/visitors/sql?{WEEK}").json()["text"]
        assert "key_figures(history.raw, within)" in client.get(f"/api/panels/visitors/python?{WEEK}").json()["text"]
        quality = client.get(f"/api/panels/checks/python?page=quality&{WEEK}").json()["text"]
        assert "frame = report.as_frame()" in quality
        refused = client.get(f"/api/panels/checks/sql?page=quality&{WEEK}")
        assert (refused.status_code, refused.json()["message"]) == (
            400,
            "the panel checks cannot be written as 'sql'",
        )

    def test_unknown_names_are_refused(self, client: TestClient) -> None:
        """The message lists the known ones."""
        assert (
            "there is no format 'xlsx': choose from csv, parquet" in client.get(f"/api/panels/orders.xlsx?{WEEK}").text
        )
        assert "no panel 'x': choose from visitors" in client.get(f"/api/panels/x.csv?{WEEK}").json()["message"]


class TestValues:
    def test_a_menu_has_the_values_of_the_range(self, client: TestClient, seeded: Seeded) -> None:
        """The most frequent first, with their counts."""
        values = client.get(f"/api/values/device?{WEEK}").json()["values"]
        assert dict(values) == {device: len(seeded.events({"device": [device]}).all) for device, _ in values}


class TestGuards:
    def test_every_response_has_the_policy(self, client: TestClient) -> None:
        """No inline script or style, no `eval`, no other site."""
        for path in ("/", "/static/dashboard.js", f"/api/view?{WEEK}", "/api/view?range=x", "/nowhere"):
            headers = client.get(path).headers
            assert headers["Content-Security-Policy"] == POLICY
            assert headers["X-Content-Type-Options"] == "nosniff"
        assert "unsafe" not in POLICY
        assert "http" not in POLICY

    def test_other_host_names_are_refused(self, client: TestClient) -> None:
        """A page whose name resolves to this computer reads nothing."""
        assert client.get("/", headers={"Host": "evil.example"}).status_code == 400
        assert client.get(f"/api/view?{WEEK}", headers={"Host": "evil.example:8090"}).status_code == 400

    def test_nothing_can_be_written(self, client: TestClient) -> None:
        """There is no other method than GET."""
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            assert client.request(method, f"/api/view?{WEEK}").status_code == 405

    def test_files_outside_of_static_are_not_served(self, client: TestClient) -> None:
        """Whatever the path says."""
        assert client.get("/static/%2e%2e/view.py").status_code == 404
        assert client.get("/static/../server.py").status_code == 404


class TestVega:
    def test_it_is_served_once_and_then_kept(self, client: TestClient) -> None:
        """Compressed, with the interpreter; a browser that has it is told so."""
        response = client.get("/vega.js")
        assert len(gzip.compress(response.content)) < 400_000
        assert "clickstreamVega" in response.text
        again = client.get("/vega.js", headers={"If-None-Match": response.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_queries_of_one_panel_are_not_repeated(seeded: Seeded) -> None:
    """The figures of a page share their frames."""
    shown = answer.shown_for(seeded.place, WEEK, NOW)
    query = Query(lambda engine, within: engine.query("SELECT 1 AS one", within.parameters))
    query.metric.__name__ = "one"
    assert shown.frame(query) is shown.frame(query)
