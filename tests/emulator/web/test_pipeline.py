"""The pipeline view in a real browser: each event on its way, what became of it, and the controls."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from analysis.raw.sample import MARKER, Sample
from emulator.api.server import Page as WebServer
from emulator.servers.ports import free_ports
from tests.emulator.web.test_shop import HOSTILE, KETTLE, PURCHASE, buy
from tests.support.running import running, store
from tests.support.stack_process import ROOT, StackProcess, wait_for

pytestmark = pytest.mark.stack

IMAGES = ROOT / "docs" / "images"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackProcess]:
    """Give one running stack."""
    stack = StackProcess(tmp_path_factory.mktemp("pipeline") / "home").start()
    yield stack
    stack.clean_up()


@pytest.fixture
def page(browser: Browser, stack: StackProcess) -> Iterator[Page]:
    """Give a tab at the shop, with the pipeline beside it, of a stack that is empty."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=stack.stack.web_url)
    context.set_default_timeout(15_000)
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    page = context.new_page()
    assert context.request.post("/api/reset").ok
    page.goto("/")
    yield page
    context.close()
    assert errors == []


@pytest.fixture
def pipeline(page: Page) -> Page:
    """Give the pipeline in full screen."""
    page.goto("/pipeline")
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    assert page.request.post("/api/reset").ok  # forget the view of the shop
    expect(page.locator("#nothing")).to_be_visible()
    return page


def post(stack: StackProcess, name: str, **members: Any) -> str:
    """Post one event; its id."""
    event = {"eventName": name, "eventId": str(uuid4()), **members}
    assert stack.post(json.dumps(event)).status_code == 200
    return str(event["eventId"])


def line(pipeline: Page, name: str) -> Locator:
    """The lines of events of that name, or of a refusal."""
    return pipeline.locator("#traces .trace").filter(has_text=name)


def select(pipeline: Page, name: str) -> None:
    """Click on the line of the one event of that name; its detail is open then."""
    line(pipeline, name).click()
    expect(pipeline.locator("#detail-name")).to_have_text(name)


def picture(page: Page, name: str, folder: Path) -> None:
    """A picture for the README: kept where SCREENSHOTS is set, else only made."""
    path = (IMAGES if os.environ.get("SCREENSHOTS") else folder) / f"{name}.png"
    page.screenshot(path=path, animations="disabled")
    assert path.stat().st_size > 10_000


class TestTravel:
    def test_a_purchase_is_seen_beside_the_shop(self, page: Page, tmp_path: Path) -> None:
        """Each event as it happens, and each with its row."""
        panel = page.frame_locator("iframe[title='Pipeline view']")
        expect(panel.locator("#connection")).to_have_attribute("data-state", "live")
        buy(page)
        expect(panel.locator("[data-count=accepted]")).to_have_text(str(len(PURCHASE)))
        expect(panel.locator("[data-count=rows]")).to_have_text(str(len(PURCHASE)))
        expect(panel.locator("[data-count=waiting]")).to_have_text("0")
        expect(panel.locator(".trace").filter(has_text="logout")).to_have_attribute("data-state", "row")
        page.goto(KETTLE["urlPath"])
        page.get_by_role("button", name="Add to cart").click()
        expect(panel.locator("[data-count=rows]")).to_have_text(str(len(PURCHASE) + 2))
        picture(page, "shop", tmp_path)

    def test_every_step_has_its_time(self, stack: StackProcess, pipeline: Page) -> None:
        """From the browser's own clock to the row."""
        post(stack, "click", eventTimestamp="2026-11-25T00:00:00.000Z")
        steps = line(pipeline, "click").locator(".step")
        expect(line(pipeline, "click")).to_have_attribute("data-state", "row")
        assert [steps.nth(number).get_attribute("data-step") for number in range(5)] == [
            "sent", "accepted", "stored", "projected", "row"
        ]  # fmt: skip
        assert {steps.nth(number).get_attribute("data-kind") for number in range(5)} == {"done"}

    def test_three_panes(self, stack: StackProcess, pipeline: Page, tmp_path: Path) -> None:
        """What was sent, the raw object with `_ingest`, the row, and which field became which column."""
        pipeline.set_viewport_size({"width": 1600, "height": 1000})
        assert pipeline.request.post("/api/shoppers", data={"sessions": 2, "rate": 50}).ok
        wait_for(lambda: not pipeline.request.get("/api/shoppers").json()["running"])
        product = KETTLE | {"price": "19.5", "brand": {"title": "Phin & Co"}}
        post(stack, "product_seen", product=product, sessionId=str(uuid4()), userId=None)
        select(pipeline, "product_seen")
        expect(pipeline.locator("#pane-sent-body")).to_contain_text('"price": "19.5"')
        expect(pipeline.locator("#pane-sent-body")).not_to_contain_text("_ingest")
        expect(pipeline.locator("#pane-raw-body mark.ingest")).to_contain_text("receivedAt")
        price = pipeline.locator("#mapping [data-column=context_product_price]")
        expect(price.locator(".column-value")).to_have_text("20")
        expect(price.locator(".from")).to_have_text("product.price")
        brand = pipeline.locator("#mapping [data-column=context_product_brand]")
        expect(brand.locator(".from")).to_have_text("product.brand.title")
        expect(pipeline.locator("#mapping [data-column=user_id] .null")).to_have_text("NULL")
        price.hover()
        expect(pipeline.locator("#pane-raw-body .marked").last).to_have_text('"19.5"')
        picture(pipeline, "pipeline", tmp_path)

    def test_what_went_wrong_is_visible(self, stack: StackProcess, pipeline: Page) -> None:
        """Refused, rejected, repeated and late events are shown as such, with the reason."""
        assert stack.post("{").status_code == 400
        refused = pipeline.locator(".trace[data-state=refused]")
        expect(refused).to_contain_text("refused 400")
        refused.click()
        expect(pipeline.locator("#detail")).to_contain_text("the body is not JSON")
        path = stack.bucket / "events" / "2026" / "01" / "01" / "00" / "odd.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("[1]")
        rejected = pipeline.locator(".trace[data-state=rejected]")
        rejected.click()
        expect(pipeline.locator("#pane-row-body")).to_contain_text("clickstream_rejects")
        event_id = post(stack, "click")
        expect(pipeline.locator(".trace[data-state=row]")).to_have_count(1)
        post(stack, "click", eventId=event_id, eventTimestamp="2026-11-24T00:00:00Z")
        duplicate = pipeline.locator(".trace[data-state=duplicate]")
        expect(duplicate).to_contain_text("late")
        duplicate.click()
        expect(pipeline.locator("#siblings button")).to_have_count(2)

    def test_no_text_of_an_event_is_html(self, stack: StackProcess, pipeline: Page) -> None:
        """In the list, the detail, the panes and the filter."""
        post(
            stack,
            HOSTILE,
            sessionId=HOSTILE,
            userId=HOSTILE,
            product={"name": HOSTILE, "brand": HOSTILE},
            tabId=HOSTILE,
        )
        assert stack.post("{", content_type=f"text/{HOSTILE}").status_code == 415
        select(pipeline, HOSTILE)
        expect(pipeline.locator("#mapping [data-column=context_product_name] .column-value")).to_have_text(HOSTILE)
        expect(pipeline.locator("#name-filter option").filter(has_text=HOSTILE)).to_have_count(1)
        pipeline.locator(".trace[data-state=refused]").click()
        expect(pipeline.locator("#detail")).to_contain_text("<img")
        assert pipeline.locator("img").count() == 0
        assert "hacked" not in pipeline.title()


class TestFilter:
    def test_by_text_name_and_state(self, stack: StackProcess, pipeline: Page) -> None:
        """Of name, session, product and so on; all of them must match."""
        post(stack, "click", sessionId="aaaa-1")
        post(stack, "page_view", sessionId="aaaa-1")
        post(stack, "click", sessionId="bbbb-2", product={"name": "Áo khoác"})
        assert stack.post("[]").status_code == 400
        lines = pipeline.locator("#traces .trace")
        expect(lines).to_have_count(4)
        expect(pipeline.locator("[data-count=rows]")).to_have_text("3")
        for text, count in (("aaaa", 2), ("aaaa click", 1), ("áo KHOÁC", 1), ("nothing", 0)):
            pipeline.locator("#filter").fill(text)
            expect(lines).to_have_count(count)
        pipeline.locator("#clear-filter").click()
        pipeline.locator("#name-filter").select_option("click")
        expect(lines).to_have_count(2)
        pipeline.locator("#name-filter").select_option("")
        pipeline.locator("#state-filter").select_option("refused")
        expect(lines).to_have_count(1)

    def test_by_keyboard(self, stack: StackProcess, pipeline: Page) -> None:
        """`/` goes to the filter, arrows through the list, Escape closes the detail."""
        for name in ("first", "second"):
            post(stack, name)
            expect(line(pipeline, name)).to_be_visible()
        pipeline.keyboard.press("/")
        expect(pipeline.locator("#filter")).to_be_focused()
        pipeline.locator("#traces").focus()
        pipeline.keyboard.press("ArrowDown")
        expect(pipeline.locator("#detail-name")).to_have_text("second")
        pipeline.keyboard.press("ArrowDown")
        expect(pipeline.locator("#detail-name")).to_have_text("first")
        pipeline.keyboard.press("Escape")
        expect(pipeline.locator("#detail")).to_be_hidden()


class TestControls:
    def test_storage_down_and_up_again(self, stack: StackProcess, page: Page) -> None:
        """Switched in the page: the shop's events are refused, wait in the browser, and arrive afterwards, once."""
        panel = page.frame_locator("iframe[title='Pipeline view']")
        expect(panel.locator("[data-count=rows]")).to_have_text("1")
        panel.locator("#controls summary").click()
        panel.get_by_role("switch", name="Storage down").check()
        expect(panel.locator("#fault-banner-text")).to_have_text("Fault switched on: storage down.")
        page.get_by_role("link", name="Coffee").first.click()
        expect(panel.locator(".trace[data-state=refused]").first).to_contain_text("503")
        expect(panel.locator("#lights [data-part=s3]")).to_have_attribute("data-state", "down")
        panel.get_by_role("button", name="Switch all off").click()
        expect(panel.locator("#fault-banner")).to_be_hidden()
        expect(panel.locator("[data-count=rows]")).to_have_text("3", timeout=60_000)
        client = page.evaluate("localStorage['clickstream.client']")
        rows = stack.ask("SELECT event_name FROM clickstream_events WHERE client_id = %s", client)
        assert sorted(rows) == [("category_view",), ("click",), ("home_view",)]

    def test_shoppers(self, pipeline: Page) -> None:
        """They are started, their events are seen, and they are stopped."""
        pipeline.locator("#shoppers-sessions").fill("500")
        pipeline.locator("#shoppers-rate").fill("20")
        pipeline.get_by_role("button", name="Start").click()
        expect(pipeline.locator("#shoppers")).to_have_attribute("data-running", "true")
        expect(pipeline.locator("#traces .trace").nth(9)).to_be_visible()
        pipeline.get_by_role("button", name="Stop").click()
        expect(pipeline.locator("#shoppers")).to_have_attribute("data-running", "false")

    def test_reset_asks_first(self, stack: StackProcess, pipeline: Page) -> None:
        """Cancelled, nothing happens; confirmed, everything is gone."""
        post(stack, "click")
        expect(line(pipeline, "click")).to_have_attribute("data-state", "row")
        pipeline.get_by_role("button", name="Reset …").click()
        pipeline.get_by_role("button", name="Cancel").click()
        expect(line(pipeline, "click")).to_be_visible()
        pipeline.get_by_role("button", name="Reset …").click()
        pipeline.get_by_role("button", name="Delete everything").click()
        expect(pipeline.locator("#nothing")).to_be_visible()
        assert stack.raw_keys() == set()


class TestHealth:
    def test_a_sample_is_shown_as_a_sample_until_it_is_deleted(self, stack: StackProcess, pipeline: Page) -> None:
        """Whoever looks at the page must not take made-up events for real ones."""
        hour = datetime(2026, 11, 24, tzinfo=UTC)
        (stack.bucket / MARKER).write_bytes(Sample(hour, hour + timedelta(hours=1), hour).as_bytes())
        light = pipeline.locator("#lights [data-part=events]")
        expect(light).to_contain_text("a sample: made-up events of 2026-11-24 00:00 to 2026-11-24 01:00 UTC")
        assert pipeline.request.post("/api/reset").ok
        expect(light).to_have_count(0)


class TestScale:
    @pytest.fixture
    def many(self, browser: Browser, tmp_path: Path) -> Iterator[tuple[Page, Any]]:
        """Give the view of a stack that has seen 10,000 events, and that stack; nothing else of it runs."""
        (port,) = free_ports(1)
        stack = running(tmp_path)
        store(stack, "events/first.json", '{"eventName": "the_first"}')
        for number in range(9_999):
            stack.traces.refused(400, f"reason {number}")
        server = WebServer(port, stack, is_headless=False)
        server.start()
        page = browser.new_page(viewport={"width": 1200, "height": 800})
        page.goto(f"http://127.0.0.1:{port}/pipeline")
        expect(page.locator("#shown-count")).to_have_text("10,000 events", timeout=60_000)
        yield page, stack
        page.close()
        server.stop()

    def test_ten_thousand_events(self, many: tuple[Page, Any]) -> None:
        """Only what can be seen is in the page; all can be scrolled to, found, and are kept in place as others come."""
        page, stack = many
        lines = page.locator("#traces .trace")
        assert lines.count() < 100
        page.locator("#filter").fill("reason 1234")
        expect(page.locator("#shown-count")).to_have_text("1 of 10,000 events")
        page.locator("#filter").fill("")
        page.locator("#traces").evaluate("box => { box.scrollTop = 150000 }")
        wait_for(lambda: lines.first.get_attribute("aria-posinset") != "1")
        middle = page.locator(".trace[aria-posinset='5005']")
        expect(middle).to_be_visible()
        looked_at = middle.get_attribute("data-id")
        for number in range(500):
            stack.traces.refused(400, f"new {number}")
        expect(page.locator("#new-events")).to_have_text("500 new events ↑")
        expect(page.locator(f".trace[data-id='{looked_at}']")).to_be_in_viewport()
        expect(page.locator("#shown-count")).to_have_text("the last 10,000 events")
        assert lines.count() < 100
        page.locator("#new-events").click()
        expect(page.locator(".trace[aria-posinset='1']")).to_be_visible()
