from collections import Counter
from typing import Any

import polars as pl
import pytest

from analysis.dashboard.answer import shown_for
from analysis.dashboard.pages.journeys.paths import DIRECTIONS, LAST, PATHS, flows
from analysis.dashboard.panel import Chart, Figure, Query, Table, as_json
from analysis.metrics.paths import path_links
from emulator.seed.answers import acquisition, carts
from tests.analysis.dashboard.conftest import NOW, Chosen, Seeded
from tests.analysis.dashboard.pages.contents import EARLIER, LATER, WEEK, check_compared, figures, made, rows

pytestmark = pytest.mark.slow

ALL = 1_000_000
LINKS = {"step": pl.Int64(), "from_node": pl.String(), "to_node": pl.String(), "sessions": pl.Int64()}


class TestPaths:
    @pytest.mark.parametrize("zone", ["UTC", "Asia/Ho_Chi_Minh"])
    @pytest.mark.parametrize("direction", DIRECTIONS)
    @pytest.mark.parametrize("path", ["", "/cart"])
    @pytest.mark.parametrize(
        ("added", "filters"), [("", {}), ("&device=mobile", {"device": ["mobile"]})], ids=["all", "filtered"]
    )
    def test_every_figure_is_exact(
        self, seeded: Seeded, zone: str, direction: str, path: str, added: str, filters: Chosen
    ) -> None:
        """Beside the seed's answers, in two zones, from a page and to it, with and without filters."""
        address = f"{WEEK}&zone={zone}&direction={direction}&path={path}&depth=4{added}"
        contents = made(seeded, "paths", address)
        arguments: dict[str, Any] = {"node": path or None, "direction": direction, "steps": 4}
        every = seeded.answer(carts.path_links, filters, zone, **arguments, limit=ALL)
        first = [row for row in every if row["step"] == 1]
        sessions = sum(row["sessions"] for row in first)
        there = "to_node" if direction == "from" else "from_node"
        followed = sum(row["sessions"] for row in first if row[there] is not None)
        assert sessions >= followed > 0
        name = "goes_on" if direction == "from" else "comes_from"
        assert figures(contents) == {"sessions": sessions, name: followed / sessions}
        assert rows(contents, "links") == seeded.answer(carts.path_links, filters, zone, **arguments, limit=10)
        assert rows(contents, "transitions") == seeded.answer(carts.paths, filters, zone, limit=10)
        assert rows(contents, "pages") == seeded.answer(acquisition.top_pages, filters, zone, limit=10)
        drawn = rows(contents, "sankey")
        assert sum(row["sessions"] for row in drawn) == sum(row["sessions"] for row in every)
        named = {row["from_node"] for row in drawn} | {row["to_node"] for row in drawn}
        assert named - LAST.keys() <= {row["from_node"] for row in every} | {row["to_node"] for row in every}

    def test_with_all_pages_the_diagram_has_every_link(self, seeded: Seeded) -> None:
        """Without a node of other pages, its bands are the links."""
        links = seeded.answer(carts.path_links, node=None, direction="to", steps=3, limit=ALL)
        frame = pl.DataFrame([tuple(row.values()) for row in links], LINKS, orient="row")
        found = {(3 - flow.column, flow.source, flow.target): flow.size for flow in flows(frame, "to", 1000)}
        assert found == {
            (row["step"], row["from_node"] or "begin", row["to_node"] or "end"): row["sessions"] for row in links
        }

    @pytest.mark.parametrize("direction", DIRECTIONS)
    @pytest.mark.parametrize("per_step", PATHS.options["per_step"])
    def test_what_comes_to_a_page_leaves_it(self, seeded: Seeded, direction: str, per_step: str) -> None:
        """In every column between the first and the last one, so the bands of both sides are equally thick."""
        contents = made(seeded, "paths", f"{WEEK}&direction={direction}&per_step={per_step}&depth=5")
        into, out = Counter[tuple[int, str]](), Counter[tuple[int, str]]()
        for row in rows(contents, "sankey"):
            out[row["column"], row["from_node"]] += row["sessions"]
            into[row["column"] + 1, row["to_node"]] += row["sessions"]
        middle = [(column, name) for column, name in into | out if 1 < column < 6 and name not in {"begin", "end"}]
        assert {into[node] - out[node] for node in middle} == {0}
        named = Counter(column for column, name in into | out if name not in LAST)
        assert max(named.values()) == int(per_step)

    def test_it_is_compared_with_the_period_before(self, seeded: Seeded) -> None:
        """Figures, links and transitions."""
        later, earlier = made(seeded, "paths", LATER), made(seeded, "paths", f"{EARLIER}&limit=500")
        assert {name: each.previous for name, each in later.items() if isinstance(each, Figure)} == figures(earlier)
        check_compared(later, earlier, "links", ("step", "from_node", "to_node"), "sessions")
        check_compared(later, earlier, "transitions", ("from_event", "to_event"), "transitions")

    def test_a_click_makes_a_page_that_of_the_paths(self, seeded: Seeded) -> None:
        """In the diagram and in the tables; neither other pages nor the end of a session is one."""
        contents = made(seeded, "paths", WEEK)
        chart, links, pages = (contents[name] for name in ("sankey", "links", "pages"))
        assert isinstance(chart, Chart)
        assert isinstance(links, Table)
        assert isinstance(pages, Table)
        spec: Any = as_json(chart)["spec"]
        boxes = [row for dataset in spec["datasets"].values() for row in dataset if "node" in row]
        assert chart.sets == {"path": ("path", "path")}
        assert {row["path"] for row in boxes if row["node"] in LAST} == {None}
        assert all(row["path"] == row["node"] for row in boxes if row["node"] not in LAST)
        assert {row["node"] for row in boxes} >= {"/", "other", "end"}
        assert {option for option, _ in [*links.sets.values(), *pages.sets.values()]} == {"path"}

    def test_a_shop_of_many_pages_is_drawn(self, seeded: Seeded) -> None:
        """With the most steps and pages that can be chosen, and a link between any two pages."""
        shown = shown_for(seeded.place, f"page=paths&{WEEK}&depth=5&per_step=12", NOW)
        names = [f"/{number}" for number in range(30)]
        links = [(step, source, target, 1) for step in range(1, 6) for source in names for target in [*names, None]]
        every = {"node": None, "direction": "from", "steps": 5}
        shown.once(Query(path_links, every).key, lambda: pl.DataFrame(links, LINKS, orient="row"))
        [content] = [panel.make() for panel in PATHS.panels(shown) if panel.name == "sankey"]
        drawn: Any = as_json(content)
        assert drawn["table"]["height"] == 5 * 13 * 14
        assert sum(row["sessions"] for row in content.frame.to_dicts()) == len(links)

    def test_a_page_without_sessions_shows_nothing(self, seeded: Seeded) -> None:
        """No sessions, no share, no diagram, and no error; nor over an empty range."""
        for address in (f"{WEEK}&path=/nowhere", "start=2026-10-01&end=2026-10-02&direction=to"):
            contents = made(seeded, "paths", address)
            assert list(figures(contents).values()) == [0, None]
            assert rows(contents, "sankey") == rows(contents, "links") == []
            for content in contents.values():
                as_json(content)
