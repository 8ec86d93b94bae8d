"""Pages whose own scripts change what the publisher builds on, and browsers that are set wrong: it loses nothing."""

import json
from collections.abc import Iterator
from contextlib import suppress

import pytest
from playwright.sync_api import BrowserContext, Error, Page

from tests.support.collector import Collector, Response
from tests.support.shop import PublisherTest, Shop, assert_gapless, open_page, queue
from tests.support.stack_process import wait_for


class TestTwice(PublisherTest):
    def test_a_second_copy_warns_and_does_nothing(self, collector: Collector, shop: Shop, page: Page) -> None:
        """A tag manager loads it too, from another address."""
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text) if message.type == "warning" else None)
        shop.bodies["/"] = "<button>Buy</button>"
        shop.scripts["/"] = (
            "const other = await import('/publisher/dist/index.js');"
            f"other.init({json.dumps(shop.options)}); other.track('doubled');"
        )
        open_page(page, shop.url)
        page.click("button")
        page.evaluate("trackCustom('end')")
        collector.wait_for("end")
        page.wait_for_timeout(200)
        assert sorted(event["eventName"] for event in collector.received) == ["click", "end", "page_view"]
        assert [text for text in said if "loaded twice" in text] != []


class TestConsole(PublisherTest):
    def test_it_may_lack_everything(self, collector: Collector, shop: Shop, page: Page) -> None:
        """Events are sent, and nothing throws."""
        page.add_init_script("window.console = { log() {} }")
        shop.options["debug"] = True
        open_page(page, shop.url)
        page.evaluate("trackCustom('one'); trackCustom('bad', { big: 10n }); trackCustom('two')")
        collector.wait_for("two")
        assert_gapless(collector.unique())


class TestPrototype(PublisherTest):
    def test_arrays_and_texts_with_a_json_form_of_their_own(self, collector: Collector, shop: Shop, page: Page) -> None:
        """Prototype.js makes text of them; dates still say theirs."""
        shop.scripts["/"] = (
            "Array.prototype.toJSON = function () { return `[${this.map(String).join(', ')}]` };"
            'String.prototype.toJSON = function () { return `"${this}"` };'
            "trackCheckoutComplete({ id: 'o1', items: [{ id: 'a', price: 5 }] });"
            "trackCustom('dated', { at: new Date(0), tags: ['x', ['y']] });"
        )
        page.goto(shop.url)
        [order] = collector.wait_for("checkout_complete")
        assert order["order"] == {"id": "o1", "items": [{"id": "a", "quantity": 1, "price": 5}], "total": 5}
        [dated] = collector.wait_for("dated")
        assert (dated["at"], dated["tags"]) == ("1970-01-01T00:00:00.000Z", ["x", ["y"]])


class TestSwallowingStorage(PublisherTest):
    def test_events_live_in_memory(self, collector: Collector, shop: Shop, page: Page) -> None:
        """Writing gives no error, and reading gives nothing."""
        page.add_init_script(
            "const nothing = { length: 0, key: () => null, getItem: () => null, setItem() {}, removeItem() {} };"
            "for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(window, name,"
            " { value: new Proxy(nothing, { set: () => true, deleteProperty: () => true }) })"
        )
        collector.answer_always(503)
        open_page(page, shop.url)
        page.evaluate("trackCustom('one'); trackCustom('two')")
        wait_for(lambda: collector.received)
        collector.answer_always(200)
        collector.wait_for("two")
        assert len({event["clientId"] for event in collector.unique()}) == 1
        assert_gapless(collector.unique())


class TestFrames(PublisherTest):
    def test_each_has_a_tab_of_its_own(self, collector: Collector, shop: Shop, page: Page) -> None:
        """A frame that is removed leaves its number to nobody: no number comes twice."""
        shop.bodies["/"] = "<iframe id=one src=/frame></iframe>"
        open_page(page, f"{shop.url}/")
        collector.wait_for("page_view", 2)
        page.evaluate("one.remove()")
        with page.expect_popup() as popup:
            page.evaluate("window.open('/popup')")
        popup.value.wait_for_function("window.ready")
        page.evaluate("document.body.insertAdjacentHTML('beforeend', '<iframe src=/frame2></iframe>')")
        collector.wait_for("page_view", 4)
        page.evaluate("trackCustom('end')")
        popup.value.evaluate("trackCustom('end')")
        collector.wait_for("end", 2)
        events = collector.unique()
        numbers = [(event["tabId"], event["seq"]) for event in events]
        assert len(set(numbers)) == len(numbers) == 6
        assert len({event["tabId"] for event in events}) == 4
        assert_gapless(events)


class TestServiceWorker(PublisherTest):
    def test_its_answer_is_no_receipt(self, collector: Collector, shop: Shop, page: Page) -> None:
        """An offline page with status 200, to whatever is asked."""
        answers: Iterator[str] = iter(["<h1>You are offline</h1>", '"success": true', '{"success": "true"}'])
        collector.script = lambda _event: Response(200, {"Content-Type": "text/html"}, body=next(answers, None))
        open_page(page, shop.url)
        wait_for(lambda: len(collector.received) == 1)
        page.wait_for_timeout(100)
        assert [event["eventName"] for event in queue(page)] == ["page_view"]
        wait_for(lambda: len(collector.received) == 4)
        page.wait_for_function("!Object.keys(localStorage).some(key => key.startsWith('clickstream.queue'))")
        assert len({event["eventId"] for event in collector.received}) == 1

    def test_a_real_one_loses_nothing(self, collector: Collector, shop: Shop, page: Page) -> None:
        """Once it is gone, what it answered arrives."""
        shop.files["/offline.js"] = (
            "addEventListener('fetch', (event) => event.request.method === 'POST' && event.respondWith("
            "new Response('<h1>You are offline</h1>', { headers: { 'Content-Type': 'text/html' } })));"
            "addEventListener('activate', (event) => event.waitUntil(clients.claim()))"
        )
        shop.scripts["/"] = (
            "await navigator.serviceWorker.register('/offline.js'); await navigator.serviceWorker.ready;"
            "if (!navigator.serviceWorker.controller)"
            " await new Promise((done) => (navigator.serviceWorker.oncontrollerchange = done))"
        )
        open_page(page, f"{shop.url}/")
        page.evaluate("trackCustom('offline')")
        page.wait_for_timeout(300)
        page.evaluate("navigator.serviceWorker.getRegistration().then((it) => it.unregister())")
        open_page(page, f"{shop.url}/next")
        collector.wait_for("offline")


class TestWrappedFetch(PublisherTest):
    def test_one_that_throws_costs_a_retry(self, collector: Collector, shop: Shop, page: Page) -> None:
        """Not the event."""
        page.add_init_script(
            "let count = 0; const plain = fetch;"
            " window.fetch = (...given) => { if (!count++) throw new Error('agent'); return plain(...given) }"
        )
        open_page(page, shop.url)
        collector.wait_for("page_view")


class TestClock(PublisherTest):
    def test_a_wait_from_a_clock_that_was_ahead(
        self, collector: Collector, shop: Shop, visitor: BrowserContext
    ) -> None:
        """Three days ahead during one 503 with Retry-After, then set right: the next visit waits no three days."""
        page = visitor.new_page()
        page.add_init_script(
            "const right = Date.now; let ahead = sessionStorage.set ? 0 : 3 * 86_400_000;"
            " Date.now = () => right() + ahead; window.setRight = () => { ahead = 0; sessionStorage.set = 1 }"
        )
        collector.answer_always(503, {"Retry-After": "2"})
        open_page(page, shop.url)
        page.wait_for_function("localStorage['clickstream.wait']")
        page.evaluate("setRight()")
        collector.answer_always(200)
        page.evaluate("trackCustom('here')")
        collector.wait_for("here", seconds=6)
        other = visitor.new_page()
        open_page(other, f"{shop.url}/next")
        collector.wait_for("page_view", 2, seconds=6)

    def test_a_wait_of_a_month_spins_no_timer(self, collector: Collector, shop: Shop, page: Page) -> None:
        """A timer of more than 24.8 days fires at once."""
        page.add_init_script(
            "localStorage['clickstream.wait'] = Date.now() + 30 * 86_400_000;"
            " window.timers = 0; const plain = setTimeout;"
            " window.setTimeout = (...given) => (timers++, plain(...given))"
        )
        open_page(page, shop.url)
        collector.wait_for("page_view", seconds=5)
        page.wait_for_timeout(1_000)
        assert page.evaluate("timers") < 20

    def test_a_lease_from_a_clock_that_was_ahead(
        self, collector: Collector, shop: Shop, visitor: BrowserContext
    ) -> None:
        """On an insecure origin, where leases stand in for locks: the page that held it crashed."""
        address = f"http://shop.test:{shop.port}/"
        page = visitor.new_page()
        page.add_init_script("const right = Date.now; Date.now = () => right() + 3 * 86_400_000")
        collector.answer_always(200, seconds=20)
        open_page(page, address)
        page.wait_for_function("Object.keys(localStorage).some(key => key.startsWith('clickstream.lease'))")
        with suppress(Error):
            page.goto("chrome://crash")
        collector.answer_always(200)
        crashed = len(collector.received)
        open_page(visitor.new_page(), address)
        wait_for(lambda: len({event["eventId"] for event in collector.received[crashed:]}) == 2, 8)


class TestQueueEntry(PublisherTest):
    @pytest.mark.parametrize("entry", ["{no json", "null", "7", "{}"])
    def test_a_malformed_one_is_dropped_and_counted(
        self, collector: Collector, shop: Shop, page: Page, entry: str
    ) -> None:
        """It is never sent, and holds up nothing."""
        shop.options["debug"] = True
        page.add_init_script(
            f"if (!sessionStorage.once) localStorage['clickstream.queue.0'] = {json.dumps(entry)};"
            " sessionStorage.once = 1"
        )
        open_page(page, shop.url)
        collector.wait_for("page_view")
        page.wait_for_function("!Object.keys(localStorage).some(key => key.startsWith('clickstream.queue'))")
        page.evaluate("trackCustom('end')")
        [end] = collector.wait_for("end")
        assert end["dropped"] == {"overflow": 0, "refused": 1, "withheld": 0}
        assert len(collector.received) == 2


class TestKeyRotation(PublisherTest):
    @pytest.mark.parametrize("status", [401, 403])
    def test_a_refused_key_costs_no_event(self, collector: Collector, shop: Shop, page: Page, status: int) -> None:
        """It is tried again after a minute at the earliest, by the next page at once, and nothing is dropped."""
        collector.answer_always(status)
        open_page(page, f"{shop.url}/a")
        page.evaluate("trackCustom('step')")
        page.wait_for_timeout(5_000)
        assert len(collector.received) == 1
        collector.answer_always(200)
        open_page(page, f"{shop.url}/b")
        collector.wait_for("page_view", 2)
        [step] = collector.wait_for("step")
        assert step["dropped"]["refused"] == 0
        assert_gapless(collector.unique())


class TestOrder(PublisherTest):
    def test_events_arrive_in_the_order_in_which_they_happened(
        self, collector: Collector, shop: Shop, page: Page
    ) -> None:
        """One after the other, whatever the network's delays."""
        delays = iter([0.4, 0, 0.3, 0.1, 0, 0.2] * 20)
        collector.script = lambda _event: Response(seconds=next(delays))
        open_page(page, shop.url)
        for _ in range(3):
            page.evaluate("for (let n = 0; n < 7; n++) trackCustom('step')")
            page.wait_for_timeout(100)
        collector.wait_for("step", 21)
        assert [event["seq"] for event in collector.received] == list(range(1, 23))
        assert [event["seq"] for event in collector.accepted] == list(range(1, 23))

    def test_all_at_once_when_the_page_is_left(self, collector: Collector, shop: Shop, visitor: BrowserContext) -> None:
        """No event waits for the receipt of another then."""
        collector.answer_always(200, seconds=2)
        page = visitor.new_page()
        open_page(page, shop.url)
        wait_for(lambda: collector.received)
        page.evaluate("for (let n = 0; n < 4; n++) trackCustom('step')")  # a browser makes six connections
        assert len(collector.received) == 1
        page.goto("about:blank")
        wait_for(lambda: len(collector.received) == 5, 1.5)
        assert len({event["eventId"] for event in collector.received}) == 5
