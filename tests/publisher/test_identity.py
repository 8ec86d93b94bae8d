"""Who an event is from: client, session, tab and first visit, in every state that a browser's storage can be in."""

import json
import re
from uuid import UUID

from playwright.sync_api import BrowserContext, Page, Playwright

from tests.support.chromium import FLAGS, program
from tests.support.collector import Collector
from tests.support.shop import PUBLISHER, PublisherTest, Shop, assert_gapless, open_page, stored_keys

UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class TestBaseEvent(PublisherTest):
    def test_every_event_says_who_where_and_when(self, collector: Collector, shop: Shop, page: Page) -> None:
        """All of the contract's members, of the contract's types."""
        open_page(page, f"{shop.url}/home?q=1")
        [event] = collector.wait_for("page_view")
        for name in ("eventId", "clientId", "sessionId", "tabId"):
            assert UUID4.fullmatch(event.pop(name)), name
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event.pop("eventTimestamp"))
        context = page.evaluate(
            "({ timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone, language: navigator.language })"
        )
        package = json.loads((PUBLISHER / "package.json").read_text())
        assert event == {
            "eventName": "page_view",
            "pageUrl": f"{shop.url}/home?q=1",
            "referrer": "",
            "userId": None,
            "userLoginState": "anonymous",
            "identitySource": None,
            "isFirstVisit": True,
            "seq": 1,
            "dropped": {"overflow": 0, "refused": 0, "withheld": 0},
            "publisher": {"name": package["name"], "version": package["version"]},
            "context": context,
        }

    def test_a_payload_cannot_change_it(self, collector: Collector, shop: Shop, page: Page) -> None:
        """What the publisher says about an event is not the payload's to say."""
        open_page(page, shop.url)
        page.evaluate("trackCustom('search', { seq: 99, eventId: 'mine', eventName: 'other', query: 'shoes' })")
        [event] = collector.wait_for("search")
        assert event["seq"] == 2
        assert UUID(event["eventId"])
        assert event["query"] == "shoes"

    def test_what_cannot_be_sent_costs_no_number(self, collector: Collector, shop: Shop, page: Page) -> None:
        """A payload that is no JSON warns, throws nothing, and leaves no gap."""
        open_page(page, shop.url)
        page.evaluate("trackCustom('bad', { self: window }); trackCustom('bad', { big: 10n }); trackCustom(null)")
        page.evaluate("trackAddToCart({ id: 1 }, { items: 5 }); trackCustom('good')")
        collector.wait_for("good")
        assert [event["eventName"] for event in collector.unique()] == ["page_view", "good"]
        assert_gapless(collector.unique())

    def test_numbers_go_on_from_page_to_page(self, collector: Collector, shop: Shop, page: Page) -> None:
        """One tab, one count: over loads, reloads and the way back."""
        for path in ("/a", "/b", "/c"):
            open_page(page, shop.url + path)
        page.reload()
        page.go_back()
        page.wait_for_function("window.ready")
        page.evaluate("trackCustom('end')")
        collector.wait_for("end")
        collector.wait_for("page_view", 5)
        assert len({event["tabId"] for event in collector.unique()}) == 1
        assert_gapless(collector.unique())

    def test_the_user_is_in_each_event_until_cleared(self, collector: Collector, shop: Shop, page: Page) -> None:
        """`logged_in` where there is a user id; what was set, as it was set."""
        open_page(page, shop.url)
        page.evaluate("setUser({ userId: 'u1', identitySource: 'cognito' }); trackCustom('in')")
        page.evaluate("setUser({ userId: 'u1', userLoginState: 'anonymous' }); trackCustom('known')")
        page.evaluate("clearUser(); trackCustom('out')")
        seen = [
            (event["userId"], event["userLoginState"], event["identitySource"])
            for name in ("in", "known", "out")
            for event in collector.wait_for(name)
        ]
        assert seen == [("u1", "logged_in", "cognito"), ("u1", "anonymous", None), (None, "anonymous", None)]


class TestSession(PublisherTest):
    def test_it_ends_after_thirty_minutes_without_an_event(
        self, collector: Collector, shop: Shop, visitor: BrowserContext
    ) -> None:
        """29 minutes after the last event it goes on; 31 minutes after, it is another, and no first visit."""
        page = visitor.new_page()
        page.clock.install()
        page.goto(shop.url)
        page.clock.run_for(1_000)
        page.clock.fast_forward("29:00")
        page.evaluate("trackCustom('near')")
        page.clock.fast_forward("29:00")
        page.evaluate("trackCustom('still')")
        page.clock.fast_forward("31:00")
        page.evaluate("trackCustom('back')")
        [view, near, still, back] = [collector.wait_for(name)[0] for name in ("page_view", "near", "still", "back")]
        assert view["sessionId"] == near["sessionId"] == still["sessionId"] != back["sessionId"]
        assert [view["isFirstVisit"], still["isFirstVisit"], back["isFirstVisit"]] == [True, True, False]
        assert view["clientId"] == back["clientId"]
        assert view["tabId"] == back["tabId"]
        assert_gapless(collector.unique())

    def test_the_first_one_is_a_first_visit_on_all_its_pages(
        self, collector: Collector, shop: Shop, visitor: BrowserContext
    ) -> None:
        """A later session of the same client is not a first visit."""
        page = visitor.new_page()
        open_page(page, f"{shop.url}/a")
        open_page(page, f"{shop.url}/b")
        collector.wait_for("page_view", 2)
        later = visitor.new_page()
        open_page(later, f"{shop.url}/c")
        views = collector.wait_for("page_view", 3)
        assert [view["isFirstVisit"] for view in views] == [True, True, False]
        assert len({view["clientId"] for view in views}) == 1
        assert len({view["sessionId"] for view in views}) == 2


class TestTab(PublisherTest):
    def test_two_tabs_are_one_client_and_two_tabs(
        self, collector: Collector, shop: Shop, visitor: BrowserContext
    ) -> None:
        """Each counts for itself."""
        tabs = [visitor.new_page(), visitor.new_page()]
        for tab in tabs:
            open_page(tab, shop.url)
        for _ in range(3):
            for tab in tabs:
                tab.evaluate("trackCustom('step')")
        events = [*collector.wait_for("step", 6), *collector.wait_for("page_view", 2)]
        assert len({event["clientId"] for event in events}) == 1
        assert len({event["tabId"] for event in events}) == 2
        assert_gapless(events)

    def test_an_opened_tab_keeps_the_session_and_gets_its_own_id(
        self, collector: Collector, shop: Shop, page: Page
    ) -> None:
        """`window.open` and duplicating a tab copy sessionStorage, in the middle of a page and between two."""
        open_page(page, f"{shop.url}/a")
        open_page(page, f"{shop.url}/b")
        with page.expect_popup() as popup:
            page.evaluate("trackCustom('before'); window.open('/copy'); trackCustom('after')")
        copy = popup.value
        copy.wait_for_function("window.ready")
        for tab in (copy, page):
            tab.evaluate("trackCustom('step')")
            tab.reload()
            tab.wait_for_function("window.ready")
        collector.wait_for("page_view", 5)
        events = collector.unique()
        assert len(events) == 9
        assert len({event["sessionId"] for event in events}) == 1
        assert all(event["isFirstVisit"] for event in events)
        assert len({event["tabId"] for event in events}) == 2
        assert_gapless(events)

    def test_a_page_shown_again_as_it_was_counts_on(
        self, collector: Collector, shop: Shop, playwright: Playwright
    ) -> None:
        """The back/forward cache brings a page back whose tab has moved on meanwhile; it is viewed again."""
        shop.headers = {"Cache-Control": "no-cache"}
        browser = playwright.chromium.launch(
            executable_path=program(), args=FLAGS, ignore_default_args=["--disable-back-forward-cache"]
        )
        page = browser.new_page()
        open_page(page, f"{shop.url}/a")
        page.evaluate("window.kept = true")
        collector.wait_for("page_view")
        open_page(page, f"{shop.url}/b")
        collector.wait_for("page_view", 2)
        page.evaluate("history.back()")
        collector.wait_for("page_view", 3)
        kept = page.evaluate("window.kept")
        page.evaluate("trackCustom('end')")
        collector.wait_for("end")
        browser.close()
        assert kept
        assert len({event["tabId"] for event in collector.unique()}) == 1
        assert_gapless(collector.unique())

    def test_a_page_shown_again_waits_for_its_tab(self, collector: Collector, shop: Shop, page: Page) -> None:
        """The page left meanwhile may put the tab down a moment later: the browser runs them side by side."""
        open_page(page, shop.url)
        collector.wait_for("page_view")
        page.evaluate("""() => {
            dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }));
            const tab = sessionStorage["clickstream.tab"];
            delete sessionStorage["clickstream.tab"];
            dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
            setTimeout(() => (sessionStorage["clickstream.tab"] = tab), 100);
        }""")
        views = collector.wait_for("page_view", 2)
        assert len({event["tabId"] for event in views}) == 1
        assert_gapless(views)

    def test_a_page_shown_again_trusts_no_old_copy(self, collector: Collector, shop: Shop, page: Page) -> None:
        """Firefox gives it the sessionStorage that it left, though the tab's next page has numbered events since."""
        open_page(page, shop.url)
        collector.wait_for("page_view")
        page.evaluate("""() => {
            dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }));
            const moved = { ...JSON.parse(localStorage["clickstream.left"]), seq: 5 };
            localStorage["clickstream.left"] = JSON.stringify(moved);
            dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
        }""")
        views = collector.wait_for("page_view", 2)
        assert len({event["tabId"] for event in views}) == 1
        assert [event["seq"] for event in views] == [1, 6]


class TestStorageBlocked(PublisherTest):
    def test_identity_lives_in_memory(self, collector: Collector, shop: Shop, page: Page) -> None:
        """In a page that has no origin, and no storage, everything works until it is left."""
        shop.headers = {"Content-Security-Policy": "sandbox allow-scripts"}
        errors: list[object] = []
        page.on("pageerror", lambda error: errors.append(error))
        open_page(page, shop.url)
        assert page.evaluate("(() => { try { return localStorage.length } catch { return 'blocked' } })()") == "blocked"
        page.evaluate("trackCustom('one'); setUser({ userId: 'u' }); trackCustom('two')")
        collector.wait_for("two")
        events = collector.unique()
        assert len({(event["clientId"], event["sessionId"], event["tabId"]) for event in events}) == 1
        assert all(event["isFirstVisit"] for event in events)
        assert_gapless(events)
        assert errors == []

    def test_it_retries_from_memory(self, collector: Collector, shop: Shop, page: Page) -> None:
        """What got no receipt is sent again while the page lives."""
        shop.headers = {"Content-Security-Policy": "sandbox allow-scripts"}
        collector.answer_always(503)
        open_page(page, shop.url)
        page.evaluate("for (let n = 0; n < 5; n++) trackCustom('step')")
        page.wait_for_timeout(300)
        collector.answer_always(200)
        collector.wait_for("step", 5)
        assert_gapless(collector.unique())

    def test_full_storage_is_not_the_shops_problem(self, collector: Collector, shop: Shop, page: Page) -> None:
        """With not a character left, nothing throws and everything arrives."""
        shop.scripts["/"] = "document.title = 'ready'"
        page.add_init_script(
            "for (let size = 1 << 22; size >= 1; size >>= 1)"
            " for (let n = 0; n < 3; n++) try { localStorage[`full${size}-${n}`] = 'x'.repeat(size) } catch {}"
        )
        errors: list[object] = []
        page.on("pageerror", lambda error: errors.append(error))
        open_page(page, shop.url)
        page.evaluate("for (let n = 0; n < 20; n++) trackCustom('step')")
        collector.wait_for("step", 20)
        assert [key for key in stored_keys(page) if "queue" in key] == []
        assert_gapless(collector.unique())
        assert errors == []


class TestInsecureOrigin(PublisherTest):
    def test_ids_are_as_good(self, collector: Collector, shop: Shop, page: Page) -> None:
        """UUIDs of version 4, each its own, without `crypto.randomUUID`."""
        open_page(page, f"http://shop.test:{shop.port}/")
        assert page.evaluate("[isSecureContext, typeof crypto.randomUUID, typeof navigator.locks]") == [
            False,
            "undefined",
            "undefined",
        ]
        page.evaluate("for (let n = 0; n < 100; n++) trackCustom('step')")
        events = collector.wait_for("step", 100)
        ids = {event["eventId"] for event in events}
        assert len(ids) == 100
        assert all(UUID4.fullmatch(event_id) for event_id in ids)
        assert_gapless(collector.unique())
