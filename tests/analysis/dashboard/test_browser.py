"""The dashboard in a real browser: what is on the screen is what the seed knows, in two languages."""

import os
import re
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from analysis.dashboard.pages.saved import read_saved
from analysis.dashboard.server import dashboard_app
from emulator.seed.answers import acquisition, overview, products, revenue
from tests.analysis.dashboard.conftest import NOW, Chosen, Seeded

pytestmark = [pytest.mark.slow, pytest.mark.browser]

WEEK = "start=2026-11-13T00:00Z&end=2026-11-20T00:00Z&compare=none"
OWN_PICTURES = ("paths",)
IMAGES = Path(__file__).parents[3] / "docs" / "images"
# Thousands, decimals, and what follows a percentage, as each language writes them.
MARKS = {"en": (",", "."), "vi": (".", ",")}


@pytest.fixture(scope="module")
def address(seeded: Seeded) -> Iterator[str]:
    """Serve the dashboard over the seeded week, and give its address."""
    config = uvicorn.Config(dashboard_app(seeded.place, lambda: NOW), "127.0.0.1", 0, log_level="error")
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


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """Give a tab; what the page's policy refuses is an error, and so is every other message of its console."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, base_url=address, locale="en-GB")
    context.set_default_timeout(20_000)
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    # A refused address is an answer: Chromium notes its status, too.
    context.on("console", lambda message: errors.extend([message.text] if "status of 400" not in message.text else []))
    yield context.new_page()
    context.close()
    assert errors == []


def open_at(page: Page, query: str) -> None:
    """Open an address, and wait until all of it is drawn."""
    page.goto(f"?{query}")
    drawn(page)


def drawn(page: Page, address: str = "page=") -> None:
    """Wait until all of a view is on the screen, whose address has this part."""
    expect(page.locator("body")).to_have_attribute("data-shown", re.compile(address), timeout=20_000)


def number(text: str, language: str) -> Decimal:
    """What a text on the screen says, whatever stands around the number."""
    thousands, decimal = MARKS[language]
    [found] = re.findall(r"-?\d[\d.,]*", text.replace("\u00a0", " "))
    return Decimal(found.replace(thousands, "").replace(decimal, "."))


def rounded(value: Any, digits: str) -> set[Decimal]:
    """A value as a screen may round it."""
    exact = Decimal(str(value))
    return {exact.quantize(Decimal(digits), each) for each in (ROUND_HALF_UP, ROUND_HALF_EVEN)}


def check_figures(page: Page, seeded: Seeded, language: str, filters: Chosen, login: str | None = None) -> None:
    """Compare every figure of Overview with the seed's answers."""
    [key] = seeded.answer(overview.key_figures, filters, login_state=login)
    money = max(seeded.answer(revenue.revenue, filters, login_state=login), key=lambda row: row["orders"])
    for name in ("visitors", "sessions", "views", "orders", "revenue", "add_rate", "visitor_conversion"):
        text, value = page.locator(f"#panel-{name} .value").inner_text(), (key | money)[name]
        if value is None:
            assert text == "\N{EN DASH}", name
        elif name in {"add_rate", "visitor_conversion"}:
            assert number(text, language) in rounded(Decimal(str(value)) * 100, "0.1"), name
        else:
            assert number(text, language) == value, name


def cells(page: Page, panel: str, column: str) -> list[str]:
    return page.locator(f"#panel-{panel} [data-column={column}] bdi").all_inner_texts()


class TestOverview:
    @pytest.mark.parametrize("language", ["en", "vi"])
    def test_every_figure_is_the_seeds(self, page: Page, seeded: Seeded, language: str) -> None:
        """The eight figures and the tops; then those of a filter that a click adds, and of the filter's end."""
        open_at(page, f"{WEEK}&lang={language}")
        expect(page.locator("html")).to_have_attribute("lang", language)
        check_figures(page, seeded, language, {})
        top = seeded.answer(products.products, limit=10)
        assert cells(page, "top_products", "product_id") == [row["product_id"] for row in top]
        assert [number(each, language) for each in cells(page, "top_products", "views")] == [
            row["views"] for row in top
        ]
        channels = seeded.answer(acquisition.sessions_by, by="channel", limit=10)
        assert cells(page, "channels", "group") == [row["group"] for row in channels]
        channel = channels[0]["group"]
        page.locator("#panel-channels").get_by_role("button", name=channel, exact=True).click()
        drawn(page, "channel=")
        check_figures(page, seeded, language, {"channel": [channel]})
        page.locator("#chips .chip").click()
        drawn(page, "^((?!channel).)*$")
        check_figures(page, seeded, language, {})

    def test_range_and_filters_are_chosen_in_the_bar(self, page: Page, seeded: Seeded) -> None:
        """The address follows, and the browser's Back leads to the view before."""
        open_at(page, WEEK)
        page.get_by_label("Filter", exact=True).select_option("device")
        page.locator(".values select").select_option("mobile")
        drawn(page, "device=mobile")
        check_figures(page, seeded, "en", {"device": ["mobile"]})
        page.get_by_label("Filter", exact=True).select_option("login")
        page.locator(".values select").select_option("logged_in")
        drawn(page, "login=logged_in")
        check_figures(page, seeded, "en", {"device": ["mobile"]}, "logged_in")
        page.get_by_label("To", exact=True).fill("2026-11-18")
        page.get_by_label("To", exact=True).blur()
        drawn(page, "start=2026-11-13&end=2026-11-19")
        page.go_back()
        drawn(page, "start=2026-11-13&end=2026-11-20")
        check_figures(page, seeded, "en", {"device": ["mobile"]}, "logged_in")
        page.get_by_label("Range", exact=True).select_option("last_week")
        drawn(page, "range=last_week")

    def test_saved_views_and_segments_are_in_the_bar(self, page: Page, seeded: Seeded) -> None:
        """A segment keeps the range; a view brings its own, and drops the filters."""
        open_at(page, f"{WEEK}&lang=vi")
        page.locator("select[name=saved]").select_option("Phones")
        drawn(page, "device=mobile")
        check_figures(page, seeded, "vi", {"device": ["mobile"]})
        page.locator("select[name=saved]").select_option("Revenue: last week and the week before")
        drawn(page, "range=last_week.*measure=revenue")
        expect(page.locator("#chips .chip")).to_have_count(0)
        expect(page.locator("html")).to_have_attribute("lang", "vi")

    def test_a_view_is_copied_as_a_file(self, page: Page, tmp_path: Path) -> None:
        """The last choice of the menu of saved views; what it copies is a saved view."""
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        open_at(page, f"{WEEK}&zone=UTC&page=products&device=mobile")
        page.locator("select[name=saved]").select_option("Copy this view as a file")
        expect(page.locator("#status")).to_contain_text("Copied. Save it as dashboards/")
        expect(page.locator("select[name=saved]")).to_have_value("")
        (tmp_path / "copied.toml").write_text(page.evaluate("navigator.clipboard.readText()"))
        [saved], _ = read_saved(tmp_path)
        assert (saved.view["page"], saved.view["device"]) == (("products",), ("mobile",))

    def test_the_chart_is_drawn_with_its_days(self, page: Page) -> None:
        """Its axis shows the zone's days, a point that is not complete is hollow, and a table has the same figures."""
        open_at(page, "start=2026-11-18T12:00Z&end=2026-11-22T00:00Z&grain=day&compare=none")
        chart = page.locator("#panel-over_time")
        expect(chart.locator("svg")).to_contain_text("19 Nov")
        expect(page.locator("#complete")).to_have_attribute("data-complete", "false")
        points = chart.locator(".mark-symbol path")
        expect(points).to_have_count(4)
        filled = [points.nth(place).get_attribute("fill-opacity") for place in range(4)]
        assert filled == ["0", "1", "1", "0"]
        points.nth(1).hover()
        expect(page.locator("#tooltip")).to_contain_text("visitors")
        expect(page.locator("#tooltip")).to_contain_text("Thu, 19 Nov 2026")
        chart.locator("summary").click()
        chart.get_by_role("button", name="Table").click()
        expect(chart.locator("tbody tr")).to_have_count(4)
        expect(chart.locator("tbody tr").first).to_contain_text("no")

    def test_what_is_copied_and_downloaded_comes_from_the_panel(self, page: Page, seeded: Seeded) -> None:
        """A file of all rows; SQL and Python."""
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        open_at(page, WEEK)
        panel = page.locator("#panel-top_events")
        panel.locator("summary").click()
        panel.get_by_role("button", name="Copy as SQL").click()
        expect(panel.get_by_role("button", name="Copied")).to_be_visible()
        assert "TIMESTAMPTZ '2026-11-13" in page.evaluate("navigator.clipboard.readText()")
        with page.expect_download() as download:
            panel.get_by_role("link", name="CSV").click()
        assert len(download.value.path().read_text().splitlines()) == 1 + len(seeded.answer(overview.top_events))

    def test_a_wrong_address_is_explained(self, page: Page) -> None:
        """In words, on the page."""
        page.goto("?range=fortnight")
        expect(page.get_by_role("alert").first).to_contain_text("range is 'fortnight': choose from today")


class TestAcquisition:
    @pytest.mark.parametrize("language", ["en", "vi"])
    def test_its_tables_are_the_seeds(self, page: Page, seeded: Seeded, language: str) -> None:
        """A click on a campaign keeps its sessions."""
        open_at(page, f"page=acquisition&{WEEK}&lang={language}")
        for panel, by in (("channels", "channel"), ("campaigns", "campaign"), ("exit_pages", "exit_page")):
            answer = seeded.answer(acquisition.sessions_by, by=by, limit=10)
            assert cells(page, panel, "group") == [row["group"] for row in answer]
            assert [number(each, language) for each in cells(page, panel, "sessions")] == [
                row["sessions"] for row in answer
            ]
        campaign = seeded.answer(acquisition.sessions_by, by="campaign", limit=10)[1]
        page.locator("#panel-campaigns").get_by_role("button", name=campaign["group"], exact=True).click()
        drawn(page, "campaign=")
        assert number(page.locator("#panel-sessions .value").inner_text(), language) == campaign["sessions"]


class TestProducts:
    @pytest.mark.parametrize("language", ["en", "vi"])
    def test_its_tables_are_the_seeds(self, page: Page, seeded: Seeded, language: str) -> None:
        """What has no category is unknown, and no button."""
        open_at(page, f"page=products&{WEEK}&lang={language}")
        answer = seeded.answer(products.products, limit=10)
        assert cells(page, "products", "product_id") == [row["product_id"] for row in answer]
        assert [number(each, language) for each in cells(page, "products", "adds")] == [row["adds"] for row in answer]
        assert "unknown" in cells(page, "categories", "category")
        unknown = page.locator("#panel-categories").get_by_role("button", name="unknown", exact=True)
        expect(unknown).to_have_count(0)
        expect(page.locator("#panel-scatter svg.marks")).to_contain_text(answer[0]["product_name"])


class TestScreens:
    @pytest.mark.parametrize(
        ("name", "width", "scheme"), [("light", 1280, "light"), ("dark", 1280, "dark"), ("phone", 360, "light")]
    )
    @pytest.mark.parametrize("shown", ["overview", "acquisition", "products", "retention", "paths", "quality"])
    def test_it_fits(
        self, browser: Browser, address: str, tmp_path: Path, name: str, width: int, scheme: Any, shown: str
    ) -> None:
        """In light and dark, and on a phone, where the page does not scroll sideways."""
        context = browser.new_context(viewport={"width": width, "height": 900}, base_url=address, color_scheme=scheme)
        page = context.new_page()
        open_at(page, f"page={shown}&{WEEK if shown in OWN_PICTURES else 'start=2026-11-16&end=2026-11-20'}")
        expect(page.locator(".panel.chart svg.marks").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == width
        own = shown in OWN_PICTURES and name == "light"
        kept = os.environ.get("SCREENSHOTS") and (own or shown == "overview")
        path = (IMAGES if kept else tmp_path) / f"dashboard-{shown if own else name}.png"
        page.screenshot(path=path, animations="disabled")
        assert path.stat().st_size > 10_000
        context.close()

    def test_every_control_has_a_name(self, page: Page) -> None:
        """For a screen reader, in each language."""
        for language in ("en", "vi"):
            open_at(page, f"{WEEK}&lang={language}")
            nameless = page.evaluate(
                """() => [...document.querySelectorAll('button, select, input, a, summary, [role=group]')]
                    .filter((each) => !(each.labels?.length || each.textContent.trim() || each.ariaLabel))
                    .map((each) => each.outerHTML)"""
            )
            assert nameless == []

    def test_it_works_by_keyboard(self, page: Page) -> None:
        """The first Tab offers to skip the bar; a filter is one Enter away."""
        open_at(page, WEEK)
        page.keyboard.press("Tab")
        expect(page.locator("#skip")).to_be_focused()
        page.locator("#panel-devices button.link").first.focus()
        page.keyboard.press("Enter")
        expect(page.locator("#chips .chip")).to_have_count(1)
