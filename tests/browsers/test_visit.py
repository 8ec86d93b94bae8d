"""One visit to a shop, the same in every browser besides Chromium: nothing is lost, and numbers are right."""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browsers.driver import DRIVERS, Driver
from tests.support import package
from tests.support.collector import Collector, Response
from tests.support.shop import Shop
from tests.support.stack_process import wait_for

DOWN_SECONDS = 3
NOTHING_WAITS = "!Object.keys(localStorage).some((key) => key.startsWith('clickstream.queue.'))"
# What happens, in this order, and on which page.
VISIT = [
    ("page_view", "/a"),
    ("search", "/a"),
    ("product_view", "/a"),
    ("add_to_cart_click", "/a"),
    ("page_view", "/cart"),
    ("checkout_start", "/cart"),
    ("click", "/cart"),
    ("page_view", "/b"),
    ("page_view", "/c"),
    ("page_view", "/b"),
    ("checkout_complete", "/b"),
]


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Give a running collector."""
    collector = Collector()
    yield collector
    collector.stop()


@pytest.fixture(params=["src", "dist"])
def shop(request: pytest.FixtureRequest, collector: Collector) -> Iterator[Shop]:
    """Give a shop that sends to the collector, with the publisher's sources, and as it is built."""
    shop = Shop({"endpoint": collector.url})
    shop.headers["Cache-Control"] = "no-cache"  # a browser may keep the pages that are left
    shop.bodies["/a"] = "<a href=/b>Next</a>"
    shop.scripts["/b"] = "addEventListener('pageshow', (shown) => (window.isKept = shown.persisted))"
    for path in ("/a", "/b", "/c"):
        shop.pages[path] = shop.page(path).replace("/publisher/src/", f"/publisher/{request.param}/")
    if request.param == "dist":
        package.build()
    yield shop
    shop.stop()


@pytest.fixture(params=DRIVERS)
def driver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Driver]:
    """Give each browser in turn, of a visitor who never was here before."""
    with DRIVERS[request.param](tmp_path) as driver:
        yield driver


def go_down(collector: Collector) -> None:
    """Hang up on everybody for some seconds."""
    until = time.monotonic() + DOWN_SECONDS
    collector.script = lambda _event: Response(0 if time.monotonic() < until else 200)


def visit(driver: Driver, shop: Shop, collector: Collector) -> None:
    """Do all that is listed above."""
    driver.open(f"{shop.url}/a")
    collector.wait_for("page_view")
    driver.run("trackCustom('search', { query: 'cup' })")
    collector.wait_for("search")

    go_down(collector)
    driver.run("trackProductView({ id: 1, name: 'Cup' })")
    driver.run("trackAddToCart({ id: 1 }, { items: [{ id: 1, price: 5 }] })")
    driver.run("history.pushState({}, '', '/cart')")
    driver.run("trackCheckoutStart({ items: [{ id: 1, price: 5 }] })")
    wait_for(lambda: len(collector.unique()) == VISIT.index(("click", "/cart")))

    driver.click("a")
    collector.wait_for("page_view", 3)
    wait_for(lambda: driver.run(NOTHING_WAITS))  # Firefox keeps no page that is sending
    driver.open(f"{shop.url}/c")
    collector.wait_for("page_view", 4)
    driver.run("void setTimeout(() => history.back())")
    collector.wait_for("page_view", 5)
    assert driver.run("window.isKept") is True
    driver.run("trackCheckoutComplete({ id: 'o1', items: [{ id: 1, price: 5 }] })")
    collector.wait_for("checkout_complete")


class TestDependencies:
    def test_they_are_locked_with_hashes_and_without_addresses(self) -> None:
        """Each registry serves the same files; which one is used is the machine's own setting."""
        lock = (Path(__file__).parent / "package-lock.json").read_text()
        assert lock.count('"integrity": "sha512-') >= 10
        assert '"resolved"' not in lock


@pytest.mark.other_browsers
@pytest.mark.slow
class TestVisit:
    def test_every_event_arrives_under_its_number(self, driver: Driver, shop: Shop, collector: Collector) -> None:
        """Through a failure of the collector, a click that leaves the page, and back to a page that was kept."""
        visit(driver, shop, collector)
        assert len(collector.received) > len(collector.accepted)  # some when the collector was down
        events = sorted(collector.unique(), key=lambda event: event["seq"])
        assert [event["seq"] for event in events] == list(range(1, len(VISIT) + 1)), driver.version()
        assert [(event["eventName"], event["pageUrl"].removeprefix(shop.url)) for event in events] == VISIT
        # Only the page that was left while it was sending could not note the receipt: its event may come again.
        twice = Counter(event["eventName"] for event in collector.accepted) - Counter(name for name, _ in VISIT)
        assert twice.keys() <= {"click"}
        assert len({(event["clientId"], event["tabId"], event["sessionId"]) for event in events}) == 1
        assert {event["publisher"]["name"] for event in events} == {"@clickstream/publisher"}
        assert all(event["context"]["timeZone"] and event["context"]["language"] for event in events)
        assert {tuple(event["dropped"].values()) for event in events} == {(0, 0, 0)}
        assert [event["element"]["text"] for event in events if "element" in event] == ["Next"]
