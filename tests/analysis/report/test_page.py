"""The report in a real browser, from a file: its figures are the seed's, and it asks nobody for anything."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, Page, expect

from analysis.commands.main import main
from analysis.report.answers import REPORTED
from emulator.seed.answers import acquisition, overview
from tests.analysis.dashboard.conftest import END, START, Seeded
from tests.analysis.dashboard.test_accessibility import SCREENS, findings
from tests.analysis.dashboard.test_browser import cells, check_figures, drawn, number
from tests.support.raw_objects import Objects

pytestmark = [pytest.mark.slow, pytest.mark.browser]

HOSTILE = "</script><img src=https://elsewhere.example/x.png onerror=alert(1)><!--"
MOST_BYTES = 3_000_000


def report(source: Path, out: Path, *arguments: str) -> Path:
    """Write a report."""
    every = ["report", "--source", str(source), "--no-lake", "--out", str(out), "--zone", "UTC", *arguments]
    CliRunner().invoke(main, every, catch_exceptions=False)
    return out


@pytest.fixture(scope="module")
def file(seeded: Seeded, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the report of the seeded week."""
    span = ("--start", START.isoformat(), "--end", END.isoformat(), "--no-bots")
    return report(seeded.bucket, tmp_path_factory.mktemp("report") / "report.html", *span)


@pytest.fixture
def asked() -> list[str]:
    """What a page asks for, says and shows."""
    return []


@pytest.fixture
def page(browser: Browser, asked: list[str]) -> Iterator[Page]:
    """Give a tab that notes every request, message and dialog."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: asked.append(message.text))
    page.on("pageerror", lambda error: asked.append(str(error)))
    page.on("dialog", lambda dialog: asked.append(dialog.message))
    yield page
    context.close()


def open_at(page: Page, file: Path, view: str) -> None:
    """Open a view of a report."""
    page.goto(f"{file.as_uri()}#{view}")
    drawn(page)


def own_requests(asked: list[str], file: Path) -> bool:
    """Whether only the file and what is inside of it was asked for."""
    return all(each.startswith((file.as_uri(), "data:image/svg+xml", "blob:")) for each in asked)


class TestFile:
    def test_it_is_one_file_of_a_reasonable_size(self, file: Path) -> None:
        """Vega is a third of it. Its policy lets run what is in it, and load nothing."""
        text = file.read_text()
        assert len(text) < MOST_BYTES
        assert not re.findall(r'<(?:script|link)\b[^>]* (?:src|href)="(?!data:)', text)
        [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
        assert policy.startswith("default-src 'none'; script-src 'sha256-")
        assert "unsafe" not in policy

    @pytest.mark.parametrize("language", ["en", "vi"])
    def test_its_figures_are_the_seeds(
        self, page: Page, seeded: Seeded, file: Path, asked: list[str], language: str
    ) -> None:
        """In each language; it begins with the revenue and its change, and asks for nothing."""
        open_at(page, file, f"lang={language}")
        expect(page.locator("html")).to_have_attribute("lang", language)
        assert page.locator("#panels > section").first.get_attribute("id") == "panel-revenue"
        expect(page.locator("#panel-revenue .change")).to_be_visible()
        check_figures(page, seeded, language, {})
        page.get_by_role("link", name={"en": "Acquisition", "vi": "Nguồn khách"}[language]).click()
        drawn(page, "page=acquisition")
        answer = seeded.answer(acquisition.sessions_by, by="channel", limit=10)
        assert cells(page, "channels", "group") == [row["group"] for row in answer]
        assert [number(each, language) for each in cells(page, "channels", "sessions")] == [
            row["sessions"] for row in answer
        ]
        assert own_requests(asked, file)

    def test_every_page_is_drawn(self, page: Page, file: Path, asked: list[str]) -> None:
        """With every panel; the last is the validation. The browser's Back leads to the page before."""
        open_at(page, file, "")
        links = page.locator("#pages a")
        expect(links).to_have_count(len(REPORTED))
        for name, link in zip(REPORTED, links.all(), strict=True):
            link.click()
            drawn(page, f"page={name}")
            expect(page.locator(".problem")).to_have_count(0)
            expect(page.locator("[aria-busy=true]")).to_have_count(0)
        page.go_back()
        drawn(page, f"page={list(REPORTED)[-2]}")
        assert own_requests(asked, file)

    def test_its_options_need_no_server(self, page: Page, seeded: Seeded, file: Path) -> None:
        """A figure is also the choice of the chart, and a menu shows other groups. What needs a server is no button."""
        open_at(page, file, "page=overview")
        page.locator("#panel-visitors button.link").click()
        drawn(page, "measure=visitors")
        page.locator("#panel-over_time .mark-symbol path").first.hover()
        expect(page.locator("#tooltip")).to_contain_text("visitors")
        expect(page.locator("#panel-channels button.link")).to_have_count(0)
        open_at(page, file, "page=acquisition")
        page.get_by_label("Group by").select_option("device")
        drawn(page, "by=device")
        answer = seeded.answer(acquisition.sessions_by, by="device", limit=15)
        groups = page.locator("#panel-groups [data-column=group] bdi").all_text_contents()
        assert groups == [row["group"] for row in answer]
        expect(page.locator("#bar")).to_contain_text("python -m analysis dashboard")

    def test_figures_are_copied_and_saved(self, page: Page, seeded: Seeded, file: Path) -> None:
        """As SQL, as Python and as CSV of what the table shows."""
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        open_at(page, file, "page=overview")
        panel = page.locator("#panel-top_events")
        panel.locator("summary").click()
        for language, part in (("sql", "TIMESTAMPTZ '2026-11-13"), ("python", "frame = top_events(")):
            panel.locator(f"[data-copy={language}]").click()
            expect(panel.get_by_role("button", name="Copied").first).to_be_visible()
            assert part in page.evaluate("navigator.clipboard.readText()")
            expect(panel.get_by_role("button", name="Copied")).to_have_count(0)
        with page.expect_download() as download:
            panel.get_by_role("link", name="CSV").click()
        first, *lines = download.value.path().read_text().splitlines()
        answer = seeded.answer(overview.top_events)
        assert first == "event_name,events,share"
        assert [line.split(",")[:2] for line in lines] == [[row["event_name"], str(row["events"])] for row in answer]

    def test_an_address_that_it_does_not_hold_shows_what_it_holds(self, page: Page, file: Path) -> None:
        """The first page, and the first value of an option."""
        open_at(page, file, "page=live&device=mobile")
        expect(page).to_have_url(re.compile("#page=overview&measure=revenue$"))

    def test_text_of_an_event_stays_text(self, page: Page, tmp_path: Path, asked: list[str]) -> None:
        """Whatever a client calls its events and products: nothing of it runs, and nothing is loaded."""
        objects = Objects()
        for name in ("product_view", "add_to_cart_click", HOSTILE):
            objects.add(eventName=name, product={"id": "p", "name": HOSTILE, "brandName": HOSTILE, "price": 1})
        span = ("--start", "2026-11-25T09", "--end", "2026-11-25T10")
        hostile = report(objects.write(tmp_path / "bucket"), tmp_path / "report.html", *span)
        for name in REPORTED:
            open_at(page, hostile, f"page={name}")
        open_at(page, hostile, "page=products")
        expect(page.locator("#panel-products").get_by_text(HOSTILE).first).to_be_visible()
        expect(page.locator("img")).to_have_count(0)
        assert own_requests(asked, hostile)


class TestScreens:
    @pytest.mark.parametrize(("width", "scheme"), SCREENS)
    def test_everybody_can_read_it(self, browser: Browser, file: Path, width: int, scheme: Any) -> None:
        """axe-core finds nothing on any page, and none scrolls sideways, on a desk and on a phone, light and dark."""
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True
        )
        page = context.new_page()
        for name in REPORTED:
            for language in ("en", "vi"):
                open_at(page, file, f"page={name}&lang={language}")
                assert page.evaluate("document.documentElement.scrollWidth") == width
            assert not findings(page), "\n".join(findings(page))
        context.close()
