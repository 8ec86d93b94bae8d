"""One view per navigation, whatever the page, the router or the framework does."""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.support.chromium import FLAGS, program
from tests.support.collector import Collector
from tests.support.shop import PublisherTest, Shop, assert_gapless, open_page

# A browser without the Navigation API: the publisher has to patch `history`.
WITHOUT_NAVIGATION = "Object.defineProperty(window, 'navigation', { value: undefined })"


def views(collector: Collector, shop: Shop) -> list[tuple[str, str, str]]:
    """Name, page and referrer of every view, in order."""
    events = [event for event in collector.unique() if event["eventName"].endswith("_view")]
    events.sort(key=lambda event: int(event["seq"]))
    return [
        (event["eventName"], *(event[key].removeprefix(shop.url) for key in ("pageUrl", "referrer")))
        for event in events
    ]


class ViewsTest(PublisherTest):
    def seen(self, collector: Collector, shop: Shop, page: Page, script: str = "") -> list[tuple[str, str, str]]:
        """Run a script, wait for what it leads to, and give the views."""
        page.evaluate(f"async () => {{ {script} }}")
        page.wait_for_timeout(100)
        page.evaluate("trackCustom('end')")
        collector.wait_for("end")
        return views(collector, shop)


class TestPrerendering(ViewsTest):
    # The browser says `prerendering` until the page is shown, as Chromium does for speculation rules.
    HIDDEN = (
        "window.isHidden = true; Object.defineProperty(Document.prototype, 'prerendering', { get: () => isHidden })"
    )

    def test_a_page_that_is_never_shown_sends_and_stores_nothing(
        self, collector: Collector, shop: Shop, page: Page
    ) -> None:
        """Nor what its own scripts track."""
        page.add_init_script(self.HIDDEN)
        shop.scripts["/"] = "trackProductView({ id: 1 })"
        open_page(page, shop.url)
        page.wait_for_timeout(500)
        assert collector.received == []
        assert page.evaluate("localStorage.length + sessionStorage.length") == 0

    def test_one_that_is_shown_is_viewed_then(self, collector: Collector, shop: Shop, page: Page) -> None:
        """At the time at which it is shown, once."""
        page.add_init_script(self.HIDDEN)
        shop.scripts["/"] = "trackProductView({ id: 1 })"
        open_page(page, shop.url)
        page.wait_for_timeout(300)
        shown = page.evaluate(
            "() => { const shown = new Date().toISOString(); isHidden = false;"
            " document.dispatchEvent(new Event('prerenderingchange')); return shown }"
        )
        assert self.seen(collector, shop, page) == [("product_view", "/", "")]
        assert collector.named("product_view")[0]["eventTimestamp"] >= shown


@pytest.mark.browser
class TestSpeculationRules(ViewsTest):
    def test_a_page_is_viewed_when_it_is_opened(self, collector: Collector, shop: Shop, tmp_path: Path) -> None:
        """A Chromium without DevTools prerenders for real: nothing arrives before, and one view after."""
        rules = {"prerender": [{"urls": ["/next", "/never"], "eagerness": "immediate"}]}
        shop.bodies["/"] = f'<script type="speculationrules">{json.dumps(rules)}</script>'
        # The page says that it was made while it was hidden, and the shop opens it a second later.
        shop.bodies["/next"] = "<script>if (document.prerendering) localStorage.hidden = 1</script>"
        shop.scripts["/"] = (
            "const opens = setInterval(() => { if (!localStorage.hidden) return; clearInterval(opens);"
            " setTimeout(() => { trackCustom('opens'); location.href = '/next' }, 1_000) }, 100)"
        )
        shop.scripts["/next"] = "trackProductView({ id: 1 })"
        flags = [*FLAGS, f"--user-data-dir={tmp_path}"]
        with subprocess.Popen([program(), *flags, f"{shop.url}/"], stderr=subprocess.DEVNULL) as chromium:
            try:
                collector.wait_for("product_view", seconds=20)
                time.sleep(0.5)
            finally:
                chromium.terminate()
        first, *others = sorted(collector.unique(), key=lambda event: str(event["eventTimestamp"]))
        assert [(event["eventName"], event["pageUrl"]) for event in (first, *others)] == [
            ("page_view", f"{shop.url}/"),
            ("opens", f"{shop.url}/"),
            ("product_view", f"{shop.url}/next"),
        ]
        assert {event["sessionId"] for event in others} == {first["sessionId"]}
        assert_gapless([first, *others])


class TestRouters(ViewsTest):
    @pytest.mark.parametrize(
        "go",
        [
            "go({}, '', '/b')",
            "navigation.addEventListener('navigate', (event) => event.intercept()); navigation.navigate('/b')",
        ],
        ids=["took pushState before", "uses the Navigation API"],
    )
    def test_one_that_does_not_call_the_patched_history(
        self, collector: Collector, shop: Shop, page: Page, go: str
    ) -> None:
        """The route is viewed when it is opened, not with the next event."""
        page.add_init_script("window.go = history.pushState.bind(history)")
        open_page(page, f"{shop.url}/a")
        collector.wait_for("page_view")
        page.evaluate(go)
        collector.wait_for("page_view", 2)
        assert views(collector, shop) == [("page_view", "/a", ""), ("page_view", "/b", "/a")]

    def test_a_browser_without_the_navigation_api(self, collector: Collector, shop: Shop, page: Page) -> None:
        """What changes the history is followed, and back and forward."""
        page.add_init_script(WITHOUT_NAVIGATION)
        open_page(page, f"{shop.url}/a")
        collector.wait_for("page_view")
        page.evaluate("history.pushState({}, '', '/b')")
        collector.wait_for("page_view", 2)
        page.evaluate("history.back()")
        collector.wait_for("page_view", 3)
        page.evaluate("history.replaceState({}, '', '/c')")
        assert [path for _, path, _ in self.seen(collector, shop, page)] == ["/a", "/b", "/a", "/c"]

    def test_a_history_that_cannot_be_patched(self, collector: Collector, shop: Shop, page: Page) -> None:
        """Only the patch is left out: views and clicks are there."""
        page.add_init_script(
            f"{WITHOUT_NAVIGATION}; Object.defineProperty(history, 'pushState', {{ value: history.pushState }})"
        )
        shop.bodies["/"] = "<button>Buy</button>"
        open_page(page, f"{shop.url}/")
        page.click("button")
        collector.wait_for("click")
        page.evaluate("history.replaceState({}, '', '/b')")
        assert self.seen(collector, shop, page) == [("page_view", "/", ""), ("page_view", "/b", "/")]


class TestReplacedAddress(ViewsTest):
    def test_parameters_that_are_stripped(self, collector: Collector, shop: Shop, page: Page) -> None:
        """While the page loads, or later; the view says how the page was entered."""
        shop.scripts["/"] = "if (location.search.includes('now')) history.replaceState({}, '', '/')"
        open_page(page, f"{shop.url}/?utm_source=now")
        assert self.seen(collector, shop, page) == [("page_view", "/?utm_source=now", "")]
        assert collector.named("end")[0]["pageUrl"] == f"{shop.url}/"
        open_page(page, f"{shop.url}/?utm_source=later")
        collector.wait_for("page_view", 2)
        page.evaluate("history.replaceState({}, '', '/')")
        assert len(self.seen(collector, shop, page)) == 2

    def test_a_variant_of_the_same_product(self, collector: Collector, shop: Shop, page: Page) -> None:
        """Chosen after the product's own view."""
        shop.scripts["/p"] = "trackProductView({ id: 1 })"
        open_page(page, f"{shop.url}/p")
        collector.wait_for("product_view")
        script = "history.replaceState({}, '', '/p?variant=42')"
        assert self.seen(collector, shop, page, script) == [("product_view", "/p", "")]
        assert collector.named("end")[0]["pageUrl"] == f"{shop.url}/p?variant=42"

    def test_a_page_that_sends_elsewhere_at_once(self, collector: Collector, shop: Shop, page: Page) -> None:
        """`/account` was never seen, whether it was opened by a link or loaded."""
        shop.scripts["/account"] = "history.replaceState({}, '', '/login')"
        open_page(page, f"{shop.url}/")
        collector.wait_for("page_view")
        script = "history.pushState({}, '', '/account'); history.replaceState({}, '', '/login')"
        assert self.seen(collector, shop, page, script) == [("page_view", "/", ""), ("page_view", "/login", "/")]
        open_page(page, f"{shop.url}/account")
        collector.wait_for("page_view", 3)
        assert views(collector, shop)[2][:2] == ("page_view", "/login")

    def test_a_filter_typed_letter_by_letter(self, collector: Collector, shop: Shop, page: Page) -> None:
        """One page, whose address changes."""
        open_page(page, f"{shop.url}/list")
        collector.wait_for("page_view")
        script = (
            "for (const text of ['s', 'sh', 'sho']) { history.replaceState({}, '', `/list?q=${text}`);"
            " await new Promise((done) => setTimeout(done, 50)) }"
        )
        assert self.seen(collector, shop, page, script) == [("page_view", "/list", "")]

    def test_a_replaced_path_is_another_page(self, collector: Collector, shop: Shop, page: Page) -> None:
        """Once the view of the page before has been sent; so is one whose query is pushed."""
        open_page(page, f"{shop.url}/a")
        collector.wait_for("page_view")
        page.evaluate("history.replaceState({}, '', '/b')")
        collector.wait_for("page_view", 2)
        paths = [path for _, path, _ in self.seen(collector, shop, page, "history.pushState({}, '', '/b?page=2')")]
        assert paths == ["/a", "/b", "/b?page=2"]

    def test_the_shop_can_decide(self, collector: Collector, shop: Shop, page: Page) -> None:
        """`isRoute` gets both addresses, and how one became the other."""
        shop.scripts["/a"] = (
            f"init({{ ...{json.dumps(shop.options)}, isRoute: (url, previous, kind) => {{"
            " (window.asked ??= []).push([url.pathname, previous.pathname, kind]);"
            " return url.pathname !== '/quick' } })"
        )
        open_page(page, f"{shop.url}/a")
        collector.wait_for("page_view")
        page.evaluate("history.pushState({}, '', '/quick')")
        page.wait_for_timeout(50)
        seen = self.seen(collector, shop, page, "history.replaceState({}, '', '/a?b=1')")
        assert [path for _, path, _ in seen] == ["/a", "/a?b=1"]
        assert page.evaluate("asked") == [["/quick", "/a", "push"], ["/a", "/quick", "replace"]]


class TestFrameworks(ViewsTest):
    """`settle: "commit"`: the framework says when the page's own code has had its chance."""

    @pytest.fixture
    def shop(self, collector: Collector) -> Any:
        """Give a shop whose framework settles views."""
        shop = Shop({"endpoint": collector.url, "settle": "commit"})
        yield shop
        shop.stop()

    def test_the_view_waits_for_it(self, collector: Collector, shop: Shop, page: Page) -> None:
        """And has the time at which the page was entered."""
        open_page(page, f"{shop.url}/a")
        page.wait_for_timeout(400)
        assert collector.received == []
        settled = page.evaluate("(viewSettled(), viewSettled(), performance.timeOrigin + performance.now())")
        [view] = collector.wait_for("page_view")
        assert page.evaluate("time => Date.parse(time)", view["eventTimestamp"]) <= settled - 300
        assert self.seen(collector, shop, page) == [("page_view", "/a", "")]

    @pytest.mark.parametrize(
        "leave",
        ["document.querySelector('button')", "history.pushState({}, '', '/b')", "location.href = '/b'"],
        ids=["click", "navigation", "leaving"],
    )
    def test_or_for_what_ends_its_time(self, collector: Collector, shop: Shop, page: Page, leave: str) -> None:
        """A click, the next navigation, or the page's end."""
        shop.bodies["/a"] = "<button>Buy</button>"
        open_page(page, f"{shop.url}/a")
        if "button" in leave:
            page.click("button")
        else:
            page.evaluate(leave)
        collector.wait_for("page_view")
        assert views(collector, shop)[0] == ("page_view", "/a", "")

    def test_a_domain_view_takes_its_place_once(self, collector: Collector, shop: Shop, page: Page) -> None:
        """However often the component is mounted; another product is another view."""
        open_page(page, f"{shop.url}/p")
        script = "trackProductView({ id: 1 }); trackProductView({ id: 1 }); viewSettled(); trackProductView({ id: 1 })"
        assert self.seen(collector, shop, page, script) == [("product_view", "/p", "")]
        page.evaluate("trackProductView({ id: 2 })")
        collector.wait_for("product_view", 2)

    def test_a_page_that_was_kept_is_viewed_again(self, collector: Collector, shop: Shop, page: Page) -> None:
        """A navigation has a number, which trackers hear of; the component is never mounted again."""
        shop.scripts["/p"] = "onNavigation(() => location.pathname === '/p' && trackProductView({ id: 1 }))"
        open_page(page, f"{shop.url}/p")
        page.evaluate("trackProductView({ id: 1 }); history.pushState({}, '', '/q'); viewSettled()")
        page.evaluate("history.back()")
        collector.wait_for("product_view", 2)
        assert [name for name, _, _ in self.seen(collector, shop, page)] == [
            "product_view",
            "page_view",
            "product_view",
        ]

    def test_a_navigation_has_a_number(self, shop: Shop, page: Page) -> None:
        """From 1; listeners hear of it after the code that navigates, until they no longer want to."""
        shop.scripts["/a"] = (
            "window.heard = []; window.end = onNavigation((id) => heard.push(id)); window.first = currentNavigation()"
        )
        open_page(page, f"{shop.url}/a")
        heard = page.evaluate("(history.pushState({}, '', '/b'), [first, currentNavigation(), ...heard])")
        assert heard == [1, 2]
        assert page.evaluate("(end(), history.pushState({}, '', '/c'), [currentNavigation(), ...heard])") == [3, 2]

    def test_an_older_navigation_settles_nothing(self, collector: Collector, shop: Shop, page: Page) -> None:
        """Its effects may run late."""
        open_page(page, f"{shop.url}/a")
        page.evaluate("history.pushState({}, '', '/b'); viewSettled(1)")
        page.wait_for_timeout(200)
        assert [path for _, path, _ in views(collector, shop)] == ["/a"]
        page.evaluate("viewSettled(2)")
        collector.wait_for("page_view", 2)

    def test_what_is_tracked_before_init_is_this_navigations(
        self, collector: Collector, shop: Shop, page: Page
    ) -> None:
        """A component's effects run before those of the provider around it."""
        shop.pages["/p"] = shop.page("/p").replace("clickstream.init", "trackProductView({ id: 1 }); clickstream.init")
        open_page(page, f"{shop.url}/p")
        page.evaluate("viewSettled()")
        assert self.seen(collector, shop, page) == [("product_view", "/p", "")]
