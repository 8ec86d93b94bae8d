"""A visitor who does not want to be seen is not."""

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.support.collector import Collector
from tests.support.shop import PublisherTest, Shop, assert_gapless, open_page, stored_keys
from tests.support.stack_process import wait_for


class TestOptOut(PublisherTest):
    def test_nothing_is_sent_or_stored(self, collector: Collector, shop: Shop, visitor: BrowserContext) -> None:
        """From then on, in all tabs and on later pages; only that wish is remembered."""
        page, other = visitor.new_page(), visitor.new_page()
        for tab in (page, other):
            open_page(tab, shop.url)
        collector.wait_for("page_view", 2)
        page.evaluate("optOut(); trackCustom('step')")
        other.evaluate("trackCustom('step')")
        for tab in (page, other):
            open_page(tab, f"{shop.url}/next")
            tab.evaluate("document.body.click(); history.pushState({}, '', '/third'); trackCustom('step')")
        page.wait_for_timeout(300)
        assert [event["eventName"] for event in collector.received] == ["page_view", "page_view"]
        for tab in (page, other):
            assert stored_keys(tab) == ["clickstream.optedOut"]

    def test_what_waits_is_deleted(self, collector: Collector, shop: Shop, page: Page) -> None:
        """Also if its answer comes only later."""
        collector.answer_always(503, {"Retry-After": "1"}, seconds=0.3)
        open_page(page, shop.url)
        page.evaluate("trackCustom('step')")
        wait_for(lambda: len(collector.received) >= 2)
        page.evaluate("optOut()")
        collector.answer_always(200)
        page.wait_for_timeout(2_000)
        assert len(collector.received) == 2
        assert stored_keys(page) == ["clickstream.optedOut"]

    def test_opting_in_again_is_a_new_client(self, collector: Collector, shop: Shop, page: Page) -> None:
        """Nothing links it to the one before."""
        open_page(page, shop.url)
        [before] = collector.wait_for("page_view")
        page.evaluate("optOut()")
        page.evaluate("optIn(); trackCustom('again')")
        [after] = collector.wait_for("again")
        for name in ("clientId", "sessionId", "tabId"):
            assert before[name] != after[name]
        assert after["isFirstVisit"]
        assert_gapless(collector.unique())


class TestPrivacySignals(PublisherTest):
    @pytest.mark.parametrize("signal", ["globalPrivacyControl: true", "doNotTrack: '1'"])
    def test_they_are_an_opt_out_where_the_shop_honours_them(
        self, collector: Collector, shop: Shop, page: Page, signal: str
    ) -> None:
        """Nothing is sent or stored, and what an earlier visit stored is deleted."""
        open_page(page, shop.url)
        collector.wait_for("page_view")
        name, value = signal.split(": ")
        page.add_init_script(f"Object.defineProperty(navigator, '{name}', {{ value: {value} }})")
        shop.options["respectPrivacySignals"] = True
        open_page(page, f"{shop.url}/next")
        page.evaluate("document.body.click(); trackCustom('step')")
        page.wait_for_timeout(300)
        assert len(collector.received) == 1
        assert stored_keys(page) == []

    def test_elsewhere_they_change_nothing(self, collector: Collector, shop: Shop, page: Page) -> None:
        """`respectPrivacySignals` is off unless switched on."""
        page.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })")
        open_page(page, shop.url)
        collector.wait_for("page_view")
