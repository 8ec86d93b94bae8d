"""What waits until it may be sent: consent, the user, `init`; and what the shop changes or withholds."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.support.collector import Collector, Response
from tests.support.shop import PublisherTest, Shop, assert_gapless, open_page, stored_keys
from tests.support.stack_process import wait_for

CLICK = "<button>Buy</button>"


class TestConsent(PublisherTest):
    def pending(self, shop: Shop, page: Page, path: str = "/") -> None:
        """Open a page whose visitor has not decided, and do something there."""
        shop.options["consent"] = "pending"
        shop.bodies["/"] = CLICK
        open_page(page, shop.url + path)
        page.click("button")
        page.evaluate("const cart = { items: [{ id: 1, price: 5 }] }; trackCheckoutStart(cart); cart.items = []")
        page.evaluate("history.pushState({}, '', '/next')")
        page.wait_for_timeout(200)

    def test_nothing_is_stored_or_sent_before_it(self, collector: Collector, shop: Shop, page: Page) -> None:
        """Whatever happens meanwhile."""
        self.pending(shop, page)
        assert collector.received == []
        assert page.evaluate("localStorage.length + sessionStorage.length") == 0

    def test_what_waited_is_sent_as_it_was(self, collector: Collector, shop: Shop, page: Page) -> None:
        """With its page and its time, in its order, and without a gap."""
        self.pending(shop, page)
        granted = page.evaluate("(optIn(), new Date().toISOString())")
        collector.wait_for("page_view", 2)
        seen = [(event["seq"], event["eventName"], event["pageUrl"]) for event in collector.unique()]
        assert [(seq, name, url.removeprefix(shop.url)) for seq, name, url in seen] == [
            (1, "page_view", "/"), (2, "click", "/"), (3, "checkout_start", "/"), (4, "page_view", "/next"),
        ]  # fmt: skip
        assert all(event["eventTimestamp"] < granted for event in collector.unique())
        assert collector.named("checkout_start")[0]["cart"]["total"] == 5

    @pytest.mark.parametrize("no", ["optOut()", "init({ ...OPTIONS, consent: 'denied' })"])
    def test_what_was_never_consented_to_is_counted(
        self, collector: Collector, shop: Shop, page: Page, no: str
    ) -> None:
        """If the visitor consents later; what happened in between is not."""
        self.pending(shop, page)
        page.evaluate(no.replace("OPTIONS", json.dumps(shop.options)))
        page.evaluate("trackCustom('unseen')")
        page.wait_for_timeout(200)
        assert collector.received == []
        assert stored_keys(page) == (["clickstream.optedOut"] if no == "optOut()" else [])
        page.evaluate("optIn(); trackCustom('seen')")
        [seen] = collector.wait_for("seen")
        assert seen["dropped"] == {"overflow": 0, "refused": 0, "withheld": 4}
        assert seen["seq"] == 5

    def test_what_an_earlier_page_left_waits_too(self, collector: Collector, shop: Shop, page: Page) -> None:
        """Nothing is sent before this page knows."""
        collector.answer_always(503)
        open_page(page, shop.url)
        wait_for(lambda: collector.received)
        shop.options["consent"] = "pending"
        open_page(page, f"{shop.url}/next")
        collector.answer_always(200)
        page.wait_for_timeout(500)
        assert collector.accepted == []
        page.evaluate("optIn()")
        collector.wait_for("page_view", 2)

    def test_denied_deletes_what_is_stored(self, collector: Collector, shop: Shop, page: Page) -> None:
        """And stores no wish: the shop knows it."""
        open_page(page, shop.url)
        collector.wait_for("page_view")
        shop.options["consent"] = "denied"
        open_page(page, f"{shop.url}/next")
        page.evaluate("trackCustom('step')")
        page.wait_for_timeout(200)
        assert stored_keys(page) == []
        assert len(collector.received) == 1


class TestOptOutOnAPageThatClearsItsStorage(PublisherTest):
    def test_the_wish_holds(self, collector: Collector, shop: Shop, page: Page) -> None:
        """For the page, and for what waited: it is counted if the visitor opts in again."""
        shop.bodies["/"] = CLICK
        collector.answer_always(503, {"Retry-After": "1"})
        open_page(page, shop.url)
        page.wait_for_function("localStorage['clickstream.wait']")
        page.evaluate("trackCustom('one'); optOut(); localStorage.clear()")
        collector.answer_always(200)
        page.click("button")
        page.evaluate("trackCustom('two')")
        page.wait_for_timeout(1_500)
        assert len(collector.received) == 1
        page.evaluate("optIn(); trackCustom('again')")
        [again] = collector.wait_for("again")
        assert again["dropped"] == {"overflow": 0, "refused": 0, "withheld": 2}
        assert again["seq"] == 3


class TestBeforeInit(PublisherTest):
    def test_events_wait_for_it(self, collector: Collector, shop: Shop, page: Page) -> None:
        """And store nothing."""
        shop.pages["/"] = shop.page("/").replace(
            "clickstream.init", "track('early', { n: 1 }); window.stored = localStorage.length; clickstream.init"
        )
        open_page(page, f"{shop.url}/")
        [early] = collector.wait_for("early")
        assert (early["seq"], early["n"]) == (1, 1)
        assert page.evaluate("stored") == 0
        collector.wait_for("page_view")
        assert_gapless(collector.unique())


class TestUser(PublisherTest):
    UNKNOWN = "user: undefined, "

    def open(self, shop: Shop, page: Page, script: str = "") -> None:
        """Open a page that does not know its visitor yet."""
        shop.scripts["/"] = script
        shop.pages["/"] = shop.page("/").replace(".init({", f".init({{ {self.UNKNOWN}")
        open_page(page, f"{shop.url}/")

    def test_the_first_view_waits_for_one_that_is_not_known_yet(
        self, collector: Collector, shop: Shop, page: Page
    ) -> None:
        """And goes once, with the right user."""
        self.open(shop, page)
        page.wait_for_timeout(500)
        assert collector.received == []
        page.evaluate("setUser({ userId: 'u1' })")
        [view] = collector.wait_for("page_view")
        assert view["userId"] == "u1"
        page.evaluate("setUser({ userId: 'u2' }); trackCustom('end')")
        [end] = collector.wait_for("end")
        assert end["userId"] == "u2"
        assert len(collector.received) == 2

    def test_but_no_longer_than_two_seconds(self, collector: Collector, shop: Shop, page: Page) -> None:
        """It is anonymous then."""
        self.open(shop, page)
        page.wait_for_timeout(1_500)
        assert collector.received == []
        [view] = collector.wait_for("page_view", seconds=2)
        assert view["userLoginState"] == "anonymous"

    def test_nor_longer_than_the_page(self, collector: Collector, shop: Shop, page: Page) -> None:
        """Leaving sends it."""
        self.open(shop, page)
        page.goto("about:blank")
        collector.wait_for("page_view")

    @pytest.mark.parametrize("call", ["setUser(null)", "setUser()", "clearUser()"])
    def test_none_is_nobody(self, collector: Collector, shop: Shop, page: Page, call: str) -> None:
        """The user before does not stay."""
        open_page(page, shop.url)
        page.evaluate(f"setUser({{ userId: 'u1' }}); {call}; trackCustom('end')")
        [end] = collector.wait_for("end")
        assert (end["userId"], end["userLoginState"]) == (None, "anonymous")


class TestSeams(PublisherTest):
    def open(self, shop: Shop, page: Page, options: str) -> None:
        """Open a page with options that are code."""
        shop.pages["/"] = shop.page("/").replace(".init({", f".init({{ {options}, ")
        open_page(page, f"{shop.url}/")

    def test_before_send_may_change_or_drop_an_event(self, collector: Collector, shop: Shop, page: Page) -> None:
        """What it drops is counted, and takes a number; what it throws keeps the event back."""
        self.open(
            shop,
            page,
            "beforeSend: (event) => { if (event.eventName === 'no') return null;"
            " if (event.eventName === 'broken') throw new Error('mine');"
            " if (event.eventName === 'other') return { ...event, kind: 'copy' }; event.kind = 'same' },"
            " onError: (error) => (window.told = error.message)",
        )
        page.evaluate("for (const name of ['no', 'broken', 'other', 'end']) trackCustom(name)")
        [end] = collector.wait_for("end")
        assert (end["kind"], end["seq"], end["dropped"]["withheld"]) == ("same", 5, 2)
        assert collector.named("other")[0]["kind"] == "copy"
        assert page.evaluate("told") == "mine"
        assert {event["eventName"] for event in collector.received} == {"page_view", "other", "end"}

    def test_what_was_refused_is_told(self, collector: Collector, shop: Shop, page: Page) -> None:
        """The event, and the status."""
        collector.script = lambda event: Response(413 if event["eventName"] == "large" else 200)
        self.open(shop, page, "onRefused: (event, status) => (window.refused = [event.eventName, status])")
        page.evaluate("trackCustom('large')")
        page.wait_for_function("window.refused")
        assert page.evaluate("refused") == ["large", 413]

    def test_the_store_can_be_another(self, collector: Collector, shop: Shop, page: Page) -> None:
        """Anything with the functions of `localStorage`."""
        kept = (
            "store: (() => { const kept = (window.kept = new Map()); return { get length() { return kept.size },"
            " key: (n) => [...kept.keys()][n] ?? null, getItem: (key) => kept.get(key) ?? null,"
            " setItem: (key, text) => void kept.set(key, text), removeItem: (key) => void kept.delete(key) } })()"
        )
        collector.answer_always(503)
        self.open(shop, page, kept)
        wait_for(lambda: collector.received)
        keys: list[Any] = page.evaluate("[...kept.keys()].map(key => key.split('.')[1]).sort()")
        assert keys == ["client", "queue"]
        assert page.evaluate("localStorage.length") == 0
        collector.answer_always(200)
        collector.wait_for("page_view")
