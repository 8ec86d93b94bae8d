"""The dashboard as a tab of the stack's page, in a real browser."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.emulator.web.test_shop import KETTLE
from tests.support.stack_process import StackProcess, wait_for

pytestmark = pytest.mark.stack

# Headless Chromium says that it is headless, and bots are left out by default.
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0.0.0 Safari/537.36"
SECONDS = 60_000  # libraries are imported, and Vega's scripts are made


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackProcess]:
    """Give one running stack."""
    stack = StackProcess(tmp_path_factory.mktemp("dashboard") / "home").start()
    yield stack
    stack.clean_up()


def stored(stack: StackProcess) -> int:
    """How many events are in raw."""
    return sum(1 for _ in (stack.home.s3 / stack.stack.bucket / "events").rglob("*.json"))


def views(page: Page) -> int:
    """What the dashboard says, once all of it is drawn."""
    expect(page.locator("body")).to_have_attribute("data-shown", re.compile("page="), timeout=SECONDS)
    return int(page.locator("#panel-views .value").inner_text())


class TestTab:
    def test_what_is_clicked_in_the_shop_is_counted(self, browser: Browser, stack: StackProcess) -> None:
        """Shop, pipeline and dashboard lead to each other; Refresh counts what came since."""
        context = browser.new_context(
            viewport={"width": 1440, "height": 900}, base_url=stack.stack.web_url, user_agent=AGENT
        )
        errors: list[str] = []
        context.on("weberror", lambda error: errors.append(str(error.error)))
        context.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        shop = context.new_page()
        shop.goto("/")
        with context.expect_page() as opened:
            shop.locator("#pipeline").get_by_role("link", name="Dashboard").click()
        dashboard = opened.value
        before = views(dashboard)
        already = stored(stack)
        shop.goto(KETTLE["urlPath"])
        wait_for(lambda: stored(stack) > already)
        dashboard.get_by_role("button", name="Refresh").click()
        expect(dashboard.locator("#panel-views .value")).to_have_text(str(before + 1), timeout=SECONDS)
        expect(dashboard.locator("#panel-over_time svg.marks")).to_be_visible(timeout=SECONDS)
        tabs = dashboard.get_by_role("navigation", name="Stack")
        expect(tabs.get_by_role("link")).to_have_text(["Shop", "Pipeline", "Dashboard"])
        tabs.get_by_role("link", name="Pipeline").click()
        tabs = dashboard.get_by_role("navigation", name="Pages")
        expect(tabs.get_by_role("link")).to_have_text(["Shop", "Pipeline", "Dashboard"])
        tabs.get_by_role("link", name="Dashboard").click()
        assert views(dashboard) == before + 1
        context.close()
        assert errors == []
