"""What ships, in a browser: the built module and the plain script do what the sources do."""

import json

import pytest
from playwright.sync_api import Page

from tests.support import package
from tests.support.collector import Collector
from tests.support.shop import PUBLISHER, PublisherTest, Shop, assert_gapless

pytestmark = pytest.mark.slow

VISIT = """
  clickstream.init({
    ...OPTIONS, consent: "pending", privateParameters: [/^ref$/], beforeSend: (event) => void (event.seen = 1),
  });
  clickstream.trackProductView({ id: 1, name: "Cup" }); clickstream.trackProductView({ id: 1, name: "Cup" });
  clickstream.optIn(); clickstream.trackCustom("search", { here: 1, payload: 2, isDue: 3 });
  history.pushState({}, "", "/next?ref=x");
  clickstream.trackCheckoutComplete({ id: "o1", items: [{ id: 1, price: 5 }] });
"""


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    """Build the package."""
    package.build()


class TestBuild(PublisherTest):
    @pytest.mark.parametrize(
        "script",
        [
            '<script type="module">import * as clickstream from "/publisher/dist/index.js"; VISIT</script>',
            '<script src="/publisher/dist/clickstream.global.js"></script><script>VISIT</script>',
        ],
        ids=["module", "plain script"],
    )
    def test_a_visit_is_all_there(self, collector: Collector, shop: Shop, page: Page, script: str) -> None:
        """Consent, views, a click, a route, and each event's own members."""
        visit = script.replace("VISIT", VISIT).replace("OPTIONS", json.dumps(shop.options))
        shop.pages["/"] = f"<!doctype html><button id=buy data-sku=7>Buy</button>{visit}"
        page.goto(f"{shop.url}/")
        page.click("#buy")
        collector.wait_for("click")
        events = collector.unique()
        names = [event["eventName"] for event in events]
        assert names[:3] == ["product_view", "search", "checkout_complete"]
        assert sorted(names[3:]) == ["click", "page_view"]
        assert [events[1][name] for name in ("here", "payload", "isDue", "seen")] == [1, 2, 3, 1]
        assert events[2]["order"]["total"] == 5
        assert events[2]["pageUrl"] == f"{shop.url}/next"
        assert next(event for event in events if event["eventName"] == "click")["element"]["dataset"] == {"sku": "7"}
        assert_gapless(events)

    def test_a_source_map_names_the_sources(self) -> None:
        """So that a shop's developer can read what runs."""
        for name in ("index.js", "clickstream.global.js"):
            sources = json.loads((PUBLISHER / "dist" / f"{name}.map").read_text())["sources"]
            assert [source for source in sources if source.endswith("src/sending/transport.js")]
