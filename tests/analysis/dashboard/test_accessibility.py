"""axe-core finds nothing on any page of the dashboard: in light and dark, on a desktop and on a phone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from analysis.dashboard.pages import PAGES
from tests.analysis.dashboard.test_browser import address, drawn

pytestmark = [pytest.mark.slow, pytest.mark.browser]

AXE = Path(__file__).parents[2] / "lint_web" / "node_modules" / "axe-core" / "axe.min.js"
SCREENS = [(width, scheme) for width in (1280, 360) for scheme in ("light", "dark")]
# What axe found, as lines to read.
RUN = """async () => (await axe.run(document, { resultTypes: ["violations"] })).violations.flatMap((found) =>
    found.nodes.map((node) => `${found.id}: ${node.target} ${node.failureSummary}`))"""

__all__ = ["address"]


@pytest.fixture(params=SCREENS, ids=lambda screen: f"{screen[0]}-{screen[1]}")
def page(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Page]:
    """Give a tab of one width and colour scheme."""
    width, scheme = request.param
    context = browser.new_context(
        viewport={"width": width, "height": 900}, base_url=address, color_scheme=scheme, reduced_motion="reduce"
    )
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


def findings(page: Page) -> list[Any]:
    """Run axe-core in the page."""
    page.evaluate(AXE.read_text())
    found: list[Any] = page.evaluate(RUN)
    return found


class TestAccessibility:
    @pytest.mark.parametrize("name", PAGES)
    def test_axe_finds_nothing(self, page: Page, name: str) -> None:
        """On the page as it opens, with a filter; then with every table and menu of a panel open."""
        page.goto(f"?page={name}&start=2026-11-16&end=2026-11-20&zone=UTC&device=mobile")
        drawn(page)
        assert not findings(page), "\n".join(findings(page))
        page.evaluate(
            """() => {
                for (const each of document.querySelectorAll("[data-table][aria-expanded=false]")) each.click();
                document.querySelector("details.more").open = true;
            }"""
        )
        assert not findings(page), "\n".join(findings(page))

    def test_axe_finds_nothing_on_a_page_with_a_problem(self, page: Page) -> None:
        """A wrong address is explained to everybody."""
        page.goto("?range=fortnight")
        page.get_by_role("alert").first.wait_for()
        assert not findings(page), "\n".join(findings(page))
