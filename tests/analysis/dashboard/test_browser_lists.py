"""The lists of the dashboard in a real browser: visitors, one visitor, the latest events, and a page that refreshes."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from threading import Thread
from time import monotonic, sleep

import pytest
import uvicorn
from playwright.sync_api import Page, expect

from analysis.dashboard.server import dashboard_app
from emulator.seed.answers import overview, visitors
from tests.analysis.dashboard.conftest import Seeded
from tests.analysis.dashboard.pages.test_live import NOON, between
from tests.analysis.dashboard.test_browser import MARKS, WEEK, cells, drawn, number, open_at, page

__all__ = ["page"]

pytestmark = [pytest.mark.slow, pytest.mark.browser]


class Clock:
    """The present of the server, which a test sets."""

    now = NOON

    def __call__(self) -> datetime:
        """Give it."""
        return self.now


@pytest.fixture(scope="module")
def clock() -> Clock:
    """Give the clock of the server."""
    return Clock()


@pytest.fixture(scope="module")
def address(seeded: Seeded, clock: Clock) -> Iterator[str]:
    """Serve the dashboard over the seeded week, and give its address."""
    config = uvicorn.Config(dashboard_app(seeded.place, clock), "127.0.0.1", 0, log_level="error")
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    deadline = monotonic() + 10
    while not server.started and monotonic() < deadline:
        sleep(0.02)
    [listening] = [each for part in server.servers for each in part.sockets]
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    server.should_exit = True
    thread.join(timeout=10)


class TestVisitors:
    @pytest.mark.parametrize("language", MARKS)
    def test_a_visitor_opens_with_their_events(self, page: Page, seeded: Seeded, language: str) -> None:
        """The list page by page; a visitor's events in order; an event with its trace; and back."""
        listed = seeded.answer(visitors.visitors, limit=20, orders=True)
        open_at(page, f"page=visitors&{WEEK}&lang={language}")
        [key] = seeded.answer(overview.key_figures)
        assert number(page.locator("#panel-visitors .value").inner_text(), language) == key["visitors"]
        assert cells(page, "list", "visitor") == [row["visitor"] for row in listed[:10]]
        page.locator("#panel-list [data-page=nextPage]").click()
        drawn(page, "place=")
        assert cells(page, "list", "visitor") == [row["visitor"] for row in listed[10:]]
        page.locator("#panel-list [data-page=firstPage]").click()
        drawn(page, "^((?!place).)*$")
        row = max(listed[:10], key=lambda each: each["events"])
        page.locator("#panel-list").get_by_role("link", name=row["visitor"]).click()
        drawn(page, "person=")
        assert number(page.locator("#panel-one_events .value").inner_text(), language) == row["events"]
        events = seeded.answer(
            visitors.visitor_events, visitor=row["visitor"], kind=row["visitor_kind"], limit=10, derived=True
        )
        assert cells(page, "events", "event_id") == [each["event_id"] for each in events]
        assert cells(page, "events", "event_name") == [each["event_name"] for each in events]
        page.locator("#panel-events [data-column=event_name] a").first.click()
        drawn(page, "page=live.*event=")
        assert cells(page, "trace", "key")[0].startswith("events/2026/11/")
        page.locator("#chips .chip").click()
        drawn(page, "page=live((?!event).)*$")
        expect(page.locator("#panel-trace")).to_have_count(0)


class TestLive:
    def test_it_refreshes_until_it_is_paused(self, page: Page, seeded: Seeded, clock: Clock) -> None:
        """Ten seconds later it shows who is there then; the list stays where it is; a pause keeps it as it is."""
        clock.now = NOON

        def at(now: datetime) -> int:
            end = now.replace(second=0) + timedelta(minutes=1)
            [key] = between(seeded, end - timedelta(minutes=30), end).answer(overview.key_figures)
            views: int = key["views"]
            return views

        later = next(now for hours in range(1, 40) if at(now := NOON + timedelta(hours=hours)) != at(NOON))
        open_at(page, f"page=live&{WEEK}")
        views = page.locator("#panel-views .value")
        assert number(views.inner_text(), "en") == at(NOON)
        events = seeded.answer(visitors.latest_events, limit=10, derived=True)
        assert cells(page, "events", "event_id") == [each["event_id"] for each in events]
        expect(page.locator("#panel-minutes svg")).to_be_visible()
        clock.now = later
        expect(views).to_have_text(re.compile(f"^{at(later):,}$"), timeout=20_000)
        page.get_by_label("Refresh: seconds").select_option("paused")
        drawn(page, "refresh=paused")
        clock.now = NOON
        page.wait_for_timeout(11_500)
        assert number(views.inner_text(), "en") == at(later)
