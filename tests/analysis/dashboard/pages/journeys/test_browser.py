"""Retention and Paths in a real browser, in two languages."""

from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from emulator.seed.answers import carts, visitors
from tests.analysis.dashboard.conftest import Seeded
from tests.analysis.dashboard.test_browser import MARKS, WEEK, address, cells, drawn, number, open_at, page, rounded

__all__ = ["address", "page"]

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def texts(page: Page, panel: str) -> list[str]:
    """The texts that the marks of a chart show."""
    return page.locator(f"#panel-{panel} .mark-text.role-mark text").all_text_contents()


class TestRetention:
    @pytest.mark.parametrize("language", MARKS)
    def test_its_figures_and_cells_are_the_seeds(self, page: Page, seeded: Seeded, language: str) -> None:
        """Each cell has its share, rounded, and each cohort the number of its visitors; the days are the language's."""
        open_at(page, f"page=retention&{WEEK}&zone=UTC&lang={language}")
        answer = seeded.answer(visitors.retention, grain="day", cohort="first_visit")
        sizes = [row["visitors"] for row in answer if row["period"] == 0]
        assert number(page.locator("#panel-visitors .value").inner_text(), language) == sum(sizes)
        active = sum(row["active"] for row in answer if row["period"] == 1)
        share = Decimal(active) / sum(sizes[:-1])
        assert number(page.locator("#panel-returned .value").inner_text(), language) in rounded(share * 100, "0.1")
        shown = texts(page, "cohorts")
        assert len(shown) == 28
        assert [int(text) for text in shown if "%" not in text] == sizes
        back = {round(row["share"] * 100) for row in answer if row["period"] > 0} | {0}
        assert {int(text.strip("%")) for text in shown if "%" in text} == back
        days = page.locator("#panel-cohorts .mark-text.role-axis-label text")
        expect(days.filter(has_text={"en": "13 Nov", "vi": "13 thg 11"}[language])).to_have_count(1)
        expect(page.locator("#panel-cohorts")).to_contain_text({"en": "days later", "vi": "số ngày sau"}[language])

    def test_a_narrow_screen_has_fewer_periods(self, page: Page) -> None:
        """Each is as readable as on a wide one, and the table has all."""
        open_at(page, "page=retention&start=2026-11-13&end=2026-11-22&zone=UTC&cohort=range&compare=none")
        cells = page.locator("#panel-cohorts .mark-text.role-mark text")
        expect(cells).to_have_count(9 + 8 + 7 + 6 + 5 + 4 + 3)
        page.set_viewport_size({"width": 320, "height": 900})
        expect(cells).to_have_count(8 + 8 + 7 + 6 + 5 + 4 + 3)
        page.locator("#panel-cohorts summary").click()
        page.locator("#panel-cohorts").get_by_role("button", name="Table").click()
        expect(page.locator("#panel-cohorts tbody tr")).to_have_count(42)

    def test_an_incomplete_cell_says_so(self, page: Page) -> None:
        """In its look, and in its tooltip."""
        open_at(page, "page=retention&start=2026-11-18&end=2026-11-23&zone=UTC&cohort=range&compare=none")
        cells = page.locator("#panel-cohorts .mark-rect path[stroke-dasharray]")
        expect(cells).to_have_count(2)  # of the cohorts of 18 and 19 November on 21 November
        page.locator("#panel-cohorts .mark-text.role-mark text").filter(has_text="0%").last.hover()
        expect(page.locator("#tooltip")).to_contain_text("not complete yet")
        expect(page.locator("#tooltip")).to_contain_text("19 Nov 2026")


class TestPaths:
    @pytest.mark.parametrize("language", MARKS)
    def test_its_figures_and_nodes_are_the_seeds(self, page: Page, seeded: Seeded, language: str) -> None:
        """The sessions that go on, the links, and a node for each page with its sessions; ends are named."""
        open_at(page, f"page=paths&{WEEK}&lang={language}&depth=2&per_step=12")
        every = seeded.answer(carts.path_links, node=None, direction="from", steps=2, limit=1000)
        first = [row for row in every if row["step"] == 1]
        sessions = sum(row["sessions"] for row in first)
        assert number(page.locator("#panel-sessions .value").inner_text(), language) == sessions
        share = Decimal(sum(row["sessions"] for row in first if row["to_node"])) / sessions
        assert number(page.locator("#panel-goes_on .value").inner_text(), language) in rounded(share * 100, "0.1")
        listed = seeded.answer(carts.path_links, node=None, direction="from", steps=2, limit=10)
        assert [number(each, language) for each in cells(page, "links", "sessions")] == [
            row["sessions"] for row in listed
        ]
        home = sum(row["sessions"] for row in first if row["from_node"] == "/")
        left = sum(row["sessions"] for row in first if row["to_node"] is None)
        end = {"en": "(session ends)", "vi": "(kết thúc phiên)"}[language]
        shown = texts(page, "sankey")
        assert f"{home}  /" in shown
        assert f"{left}  {end}" in shown

    def test_a_click_on_a_node_follows_its_paths(self, page: Page, seeded: Seeded) -> None:
        """By its name or by its box; the chip leads back. The end of a session is no page."""
        open_at(page, f"page=paths&{WEEK}")
        chart = page.locator("#panel-sankey")
        chart.locator(".mark-text.role-mark text").filter(has_text="/sign-in").first.click()
        drawn(page, "path=%2Fsign-in")
        links = seeded.answer(carts.path_links, node="/sign-in", direction="from", steps=3, limit=1000)
        expected = sum(row["sessions"] for row in links if row["step"] == 1)
        assert number(page.locator("#panel-sessions .value").inner_text(), "en") == expected
        page.get_by_label("Paths", exact=True).select_option("to")
        drawn(page, "direction=to")
        links = seeded.answer(carts.path_links, node="/sign-in", direction="to", steps=3, limit=1000)
        expected = sum(row["sessions"] for row in links if row["step"] == 1)
        assert number(page.locator("#panel-sessions .value").inner_text(), "en") == expected
        page.locator("#chips .chip").click()
        drawn(page, "^((?!path=).)*$")
        chart.locator(".mark-rect path").first.click()
        drawn(page, "path=")
        shown = page.url
        chart.locator(".mark-text.role-mark text").filter(has_text="(session begins)").first.click()
        assert page.url == shown

    def test_a_narrow_screen_has_the_steps_next_to_the_page(self, page: Page) -> None:
        """The first two columns from a page, the last two to it; every name is inside of the chart."""
        for direction in ("from", "to"):
            open_at(page, f"page=paths&{WEEK}&direction={direction}")
            wide = len(texts(page, "sankey"))
            page.set_viewport_size({"width": 360, "height": 900})
            names = page.locator("#panel-sankey .mark-text.role-mark text")
            expect(names).not_to_have_count(wide)
            page.wait_for_timeout(300)
            boxes = [box for each in names.all() if (box := each.bounding_box())]
            assert len({round(box["x"]) for box in boxes}) == 2
            assert all(box["x"] + box["width"] <= 350 for box in boxes)
            page.set_viewport_size({"width": 1280, "height": 900})
