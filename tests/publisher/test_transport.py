"""How events get to the collector, and that none is lost on the way."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Playwright

from tests.support.chromium import FLAGS, program
from tests.support.collector import Collector, Event, Response
from tests.support.shop import PublisherTest, Shop, assert_gapless, open_page, queue, stored_keys
from tests.support.stack_process import wait_for

STEPS = "for (let n = 0; n < {count}; n++) trackCustom('step', {{ n }})"
TWO_TABS_EACH_ORIGIN = pytest.mark.parametrize("host", ["127.0.0.1", "shop.test"])


def steps(count: int) -> str:
    """The JavaScript that sends that many events."""
    return STEPS.format(count=count)


class TestRequest(PublisherTest):
    def test_it_is_one_event_as_json_without_credentials(
        self, collector: Collector, shop: Shop, visitor: BrowserContext
    ) -> None:
        """With the shop's headers, and kept alive when the page goes."""
        visitor.add_cookies([{"name": "session", "value": "secret", "url": collector.url}])
        shop.options["headers"] = {"X-Api-Key": "key-1"}
        page = visitor.new_page()
        page.add_init_script(
            "window.keepalive = []; const plain = fetch;"
            " window.fetch = (url, given) => (keepalive.push(given.keepalive), plain(url, given))"
        )
        open_page(page, shop.url)
        collector.wait_for("page_view")
        [headers] = collector.headers
        assert headers["Content-Type"] == "application/json"
        assert headers["X-Api-Key"] == "key-1"
        assert "Cookie" not in headers
        assert collector.preflights == 1
        assert page.evaluate("keepalive") == [True]

    def test_a_large_event_goes_without_keepalive(self, collector: Collector, shop: Shop, page: Page) -> None:
        """Browsers refuse to keep more than 64 KB alive; it arrives all the same."""
        open_page(page, shop.url)
        page.evaluate("trackCustom('large', { text: 'x'.repeat(200_000) })")
        [event] = collector.wait_for("large")
        assert len(event["text"]) == 200_000

    def test_a_redirect_is_no_receipt(self, collector: Collector, shop: Shop, page: Page) -> None:
        """A sign-in page that answers 200 has stored nothing."""
        collector.answer_always(302, {"Location": shop.url})
        open_page(page, shop.url)
        wait_for(lambda: len(collector.received) >= 1)
        page.wait_for_timeout(200)
        assert len(queue(page)) == 1


class TestLog(PublisherTest):
    def lines(self, page: Page) -> list[tuple[str, str]]:
        """What is said on the console from now on."""
        said: list[tuple[str, str]] = []

        def keep(message: ConsoleMessage) -> None:
            if message.text.startswith("clickstream"):
                said.append((message.type, message.text))

        page.on("console", keep)
        return said

    def test_every_event_is_logged(self, collector: Collector, shop: Shop, page: Page) -> None:
        """With console.debug, once."""
        said = self.lines(page)
        open_page(page, shop.url)
        collector.wait_for("page_view")
        page.wait_for_timeout(100)
        assert [(kind, text.split()[:2]) for kind, text in said] == [("debug", ["clickstream", "page_view"])]

    def test_it_can_be_silent(self, collector: Collector, shop: Shop, page: Page) -> None:
        """`log: false`."""
        shop.options["log"] = False
        said = self.lines(page)
        open_page(page, shop.url)
        collector.wait_for("page_view")
        page.wait_for_timeout(100)
        assert said == []

    def test_it_can_show_receipts(self, collector: Collector, shop: Shop, page: Page) -> None:
        """`debug: true`."""
        shop.options["debug"] = True
        said = self.lines(page)
        open_page(page, shop.url)
        [event] = collector.wait_for("page_view")
        wait_for(lambda: page.evaluate("1") and len(said) >= 2, 5)
        assert said[1] == ("debug", f"clickstream receipt 200 {event['eventId']}")

    def test_without_an_endpoint_nothing_is_sent(self, collector: Collector, shop: Shop, page: Page) -> None:
        """A dry run warns once, and fills no queue."""
        del shop.options["endpoint"]
        said = self.lines(page)
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.method))
        open_page(page, shop.url)
        page.evaluate(steps(20))
        page.wait_for_timeout(200)
        assert [kind for kind, _ in said].count("warning") == 1
        assert [kind for kind, _ in said].count("debug") == 21
        assert queue(page) == []
        assert set(requests) == {"GET"}
        assert collector.received == []


class TestRetry(PublisherTest):
    @pytest.mark.parametrize("status", [0, 408, 429, 500, 503])
    def test_what_got_no_receipt_is_sent_again(self, collector: Collector, shop: Shop, page: Page, status: int) -> None:
        """Nothing is lost, nothing comes under another id, and the queue is empty at the end."""
        collector.answer_always(status)
        open_page(page, shop.url)
        page.evaluate(steps(10))
        wait_for(lambda: collector.received)
        page.wait_for_timeout(200)
        assert len(queue(page)) == 11
        collector.answer_always(200)
        collector.wait_for("step", 10)
        page.wait_for_function("!Object.keys(localStorage).some(key => key.startsWith('clickstream.queue'))")
        assert len(collector.accepted) == len(collector.unique()) == 11
        assert_gapless(collector.unique())

    def test_it_waits_longer_each_time(self, collector: Collector, shop: Shop, page: Page) -> None:
        """Twice as long, of which up to half is left to chance."""
        collector.answer_always(503)
        open_page(page, shop.url)
        wait_for(lambda: len(collector.times) >= 4)
        waits = [after - before for before, after in itertools.pairwise(collector.times)][:3]
        for wait, most in zip(waits, (1, 2, 4), strict=True):
            assert most / 2 - 0.05 <= wait <= most + 2

    def test_a_down_collector_is_asked_by_one_event_at_a_time(
        self, collector: Collector, shop: Shop, page: Page
    ) -> None:
        """Not by the whole queue, and not by what is new."""
        collector.answer_always(503)
        open_page(page, shop.url)
        page.evaluate(steps(30))
        page.wait_for_timeout(1_500)
        assert 1 <= len(collector.received) <= 3
        collector.answer_always(200)
        collector.wait_for("step", 30)

    def test_retry_after_is_honoured(self, collector: Collector, shop: Shop, visitor: BrowserContext) -> None:
        """By what waits and by what is new, in this tab and in others."""
        collector.answer_always(503, {"Retry-After": "3"})
        page = visitor.new_page()
        open_page(page, shop.url)
        wait_for(lambda: collector.received)
        collector.answer_always(200)
        page.wait_for_function("localStorage['clickstream.wait']")
        page.evaluate(steps(3))
        other = visitor.new_page()
        open_page(other, shop.url)
        collector.wait_for("step", 3)
        collector.wait_for("page_view", 2)
        assert collector.times[1] - collector.times[0] >= 2.9
        assert_gapless(collector.unique())

    def test_a_wait_outlives_the_tab_that_was_told(
        self, collector: Collector, shop: Shop, visitor: BrowserContext
    ) -> None:
        """Another tab's events wait too, and are sent when the time has come."""
        told, other = visitor.new_page(), visitor.new_page()
        open_page(other, shop.url)
        collector.wait_for("page_view")
        collector.answer_always(429, {"Retry-After": "2"})
        open_page(told, shop.url)
        told.wait_for_function("localStorage['clickstream.wait']")
        collector.answer_always(200)
        other.evaluate("trackCustom('step')")
        told.close()
        collector.wait_for("step")
        collector.wait_for("page_view", 2)
        assert_gapless(collector.unique())

    def test_an_absurd_retry_after_is_not_forever(self, collector: Collector, shop: Shop, page: Page) -> None:
        """At most an hour, whether in seconds or as a date."""
        collector.answer_always(503, {"Retry-After": "Fri, 31 Dec 2999 23:59:59 GMT"})
        open_page(page, shop.url)
        page.wait_for_function("localStorage['clickstream.wait']")
        assert page.evaluate("localStorage['clickstream.wait'] - Date.now()") <= 3_600_000

    def test_being_online_again_sends_at_once(self, collector: Collector, shop: Shop, visitor: BrowserContext) -> None:
        """Without waiting for the next try."""
        page = visitor.new_page()
        open_page(page, shop.url)
        collector.wait_for("page_view")
        visitor.set_offline(True)
        page.evaluate(steps(5))
        page.wait_for_timeout(4_000)
        assert len(queue(page)) == 5
        visitor.set_offline(False)
        collector.wait_for("step", 5, seconds=5)
        assert_gapless(collector.unique())

    def test_one_event_that_always_fails_holds_up_no_other(self, collector: Collector, shop: Shop, page: Page) -> None:
        """It waits; the others arrive."""
        collector.script = lambda event: Response(500 if event.get("n") == 3 else 200)
        open_page(page, shop.url)
        page.evaluate(steps(200))
        collector.wait_for("step", 199)
        page.wait_for_timeout(100)
        assert [event["n"] for event in queue(page)] == [3]
        assert sum(event.get("n") == 3 for event in collector.received) < 10

    @pytest.mark.parametrize("status", [400, 404, 413])
    def test_what_is_refused_is_dropped_and_counted(
        self, collector: Collector, shop: Shop, page: Page, status: int
    ) -> None:
        """Sent once, and visible in the next event; its number is a gap that the counts explain."""
        collector.script = lambda event: Response(status if event["eventName"] == "step" else 200)
        open_page(page, shop.url)
        page.evaluate(steps(4))
        wait_for(lambda: len(collector.received) >= 5)
        page.wait_for_function("!Object.keys(localStorage).some(key => key.startsWith('clickstream.queue'))")
        page.evaluate("trackCustom('end')")
        [end] = collector.wait_for("end")
        assert end["dropped"] == {"overflow": 0, "refused": 4, "withheld": 0}
        assert end["seq"] == 6
        assert len(collector.received) == 6


class TestQueue(PublisherTest):
    def test_it_is_bounded_in_events(self, collector: Collector, shop: Shop, page: Page) -> None:
        """1,000; the oldest are dropped, and counted."""
        collector.answer_always(503, {"Retry-After": "3600"})
        open_page(page, shop.url)
        page.wait_for_function("localStorage['clickstream.wait']")
        page.evaluate(steps(1_010))
        waiting = queue(page)
        assert len(waiting) == 1_000
        assert waiting[0]["n"] == 10
        assert waiting[-1]["dropped"] == {"overflow": 10, "refused": 0, "withheld": 0}
        assert waiting[-1]["seq"] == 1_011

    def test_it_is_bounded_in_size(self, collector: Collector, shop: Shop, page: Page) -> None:
        """A million characters; an event larger than that is dropped, and no other for it."""
        collector.answer_always(503, {"Retry-After": "3600"})
        open_page(page, shop.url)
        page.wait_for_function("localStorage['clickstream.wait']")
        page.evaluate("for (let n = 0; n < 12; n++) trackCustom('step', { n, text: 'x'.repeat(100_000) })")
        page.evaluate("trackCustom('huge', { text: 'x'.repeat(1_000_001) })")
        page.evaluate("trackCustom('end')")
        waiting = queue(page)
        assert [event.get("n") for event in waiting] == [*range(3, 12), None]
        assert waiting[-1]["dropped"] == {
            "overflow": 5,
            "refused": 0,
            "withheld": 0,
        }  # page_view, three steps and the huge one
        assert sum(map(len, page.evaluate("Object.values(localStorage)"))) < 1_001_000

    def test_a_burst_arrives_from_an_open_tab(self, collector: Collector, shop: Shop, page: Page) -> None:
        """All 500, each once: never more under way than browsers keep alive."""
        open_page(page, shop.url)
        page.evaluate(steps(500))
        collector.wait_for("step", 500, seconds=30)
        page.wait_for_function("!Object.keys(localStorage).some(key => key.startsWith('clickstream.queue'))")
        assert len(collector.accepted) == len(collector.received) == 501
        assert_gapless(collector.unique())
        assert sorted(stored_keys(page)) == ["clickstream.client", "clickstream.session"]


class TestTwoTabs(PublisherTest):
    @TWO_TABS_EACH_ORIGIN
    def test_they_never_send_the_same_event_at_once(
        self, collector: Collector, shop: Shop, visitor: BrowserContext, host: str
    ) -> None:
        """With locks, and with leases where an insecure origin has none; a slow collector changes nothing."""
        collector.answer_always(503)
        tabs = [visitor.new_page() for _ in range(3)]
        for tab in tabs:
            open_page(tab, f"http://{host}:{shop.port}/")
            tab.evaluate(steps(20))
        wait_for(lambda: len(collector.received) >= 3)
        collector.answer_always(200, seconds=0.2)
        for tab in tabs:
            tab.evaluate("dispatchEvent(new Event('online'))")
        collector.wait_for("step", 60, seconds=30)
        tabs[0].wait_for_function("!Object.keys(localStorage).some(key => key.startsWith('clickstream.queue'))")
        assert collector.at_once == set()
        assert len(collector.unique()) == 63
        assert_gapless(collector.unique())

    @TWO_TABS_EACH_ORIGIN
    def test_a_tab_sends_what_a_closed_one_left(
        self, collector: Collector, shop: Shop, visitor: BrowserContext, host: str
    ) -> None:
        """Its events are in the queue that all tabs share."""
        collector.answer_always(503)
        first, second = visitor.new_page(), visitor.new_page()
        for tab in (first, second):
            open_page(tab, f"http://{host}:{shop.port}/")
        first.evaluate(steps(5))
        wait_for(lambda: len({event["tabId"] for event in collector.received}) == 2)
        first.wait_for_timeout(100)
        first.close()
        collector.answer_always(200)
        collector.wait_for("step", 5, seconds=60)  # a lease that the closed tab held lasts up to half a minute
        collector.wait_for("page_view", 2)
        assert_gapless(collector.unique())


class TestLeaving(PublisherTest):
    @pytest.fixture
    def visit(self, playwright: Playwright, tmp_path: Path) -> Callable[[], AbstractContextManager[Page]]:
        """Give a function that opens the same visitor's browser, and closes all of it at the end."""

        @contextmanager
        def open_browser() -> Iterator[Page]:
            context = playwright.chromium.launch_persistent_context(
                tmp_path / "profile", executable_path=program(), args=FLAGS
            )
            yield context.pages[0]
            context.close()

        return open_browser

    def test_a_click_that_leaves_arrives(self, collector: Collector, shop: Shop, visitor: BrowserContext) -> None:
        """To another site, the tab closed right after: without another visit."""
        collector.answer_always(200, seconds=0.5)
        shop.bodies["/"] = f"<a id=pay href='http://localhost:{shop.port}/pay'>Pay</a>"
        shop.bodies["/pay"] = "<p>Pay here</p>"
        page = visitor.new_page()
        open_page(page, f"{shop.url}/")
        page.evaluate("pay.addEventListener('click', () => trackCheckoutStart({ items: [] }))")
        page.click("#pay", no_wait_after=True)
        page.close()
        collector.wait_for("click")
        collector.wait_for("checkout_start")

    def test_events_without_a_receipt_wait_for_the_next_page(
        self, collector: Collector, shop: Shop, page: Page
    ) -> None:
        """Under the same ids, so that what did arrive is known downstream."""
        collector.answer_always(503)
        open_page(page, f"{shop.url}/a")
        page.evaluate(steps(5))
        wait_for(lambda: collector.received)
        collector.answer_always(200)
        open_page(page, f"{shop.url}/b")
        collector.wait_for("step", 5, seconds=3)
        collector.wait_for("page_view", 2)
        assert len({event["eventId"] for event in collector.received}) == 7
        assert_gapless(collector.unique())

    @pytest.mark.parametrize(("count", "seconds"), [(10, 2), (500, 0.05)])
    def test_closing_the_browser_loses_nothing(
        self,
        collector: Collector,
        shop: Shop,
        visit: Callable[[], AbstractContextManager[Page]],
        count: int,
        seconds: float,
    ) -> None:
        """After ten events to a slow collector, and in the middle of a burst: the rest comes on the next visit."""
        collector.answer_always(200, seconds=seconds)
        with visit() as page:
            open_page(page, shop.url)
            page.evaluate(steps(count))
        collector.answer_always(200)
        with visit() as page:
            open_page(page, shop.url)
            collector.wait_for("step", count, seconds=40)
            collector.wait_for("page_view", 2)
            page.wait_for_function("!Object.keys(localStorage).some(key => key.startsWith('clickstream.queue'))")
        events: list[Event] = collector.unique()
        assert sorted(event["n"] for event in events if event["eventName"] == "step") == list(range(count))
        assert len(events) == count + 2
        assert_gapless(events)
