"""Retention and Paths in a real browser, in two languages."""

from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from emulator.seed.answers import visitors
from tests.analysis.dashboard.conftest import Seeded
from tests.analysis.dashboard.test_browser import MARKS, WEEK, address, number, open_at, page, rounded

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
