"""What is captured without the shop's doing: page views and clicks, and what never is."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.support.collector import Collector
from tests.support.shop import PublisherTest, Shop, open_page


class TestPageView(PublisherTest):
    def paths(self, collector: Collector, shop: Shop, name: str = "page_view") -> list[tuple[str, str]]:
        """Page and referrer of the events of a name."""
        events = sorted(collector.named(name), key=lambda event: int(event["seq"]))
        return [tuple(event[key].removeprefix(shop.url) for key in ("pageUrl", "referrer")) for event in events]

    def test_every_route_change_is_one(self, collector: Collector, shop: Shop, page: Page) -> None:
        """pushState, replaceState, back and forward; several at once too; the referrer is the page before."""
        open_page(page, f"{shop.url}/a")
        page.evaluate("history.pushState({}, '', '/b'); history.pushState({}, '', '/c?d=1')")
        page.evaluate("history.replaceState({}, '', '/e')")
        page.evaluate("history.back()")
        page.wait_for_url("**/b")
        page.evaluate("trackCustom('end')")
        collector.wait_for("end")
        collector.wait_for("page_view", 5)
        assert self.paths(collector, shop) == [
            ("/a", ""), ("/b", "/a"), ("/c?d=1", "/b"), ("/e", "/c?d=1"), ("/b", "/e"),
        ]  # fmt: skip

    def test_what_stays_on_the_page_is_none(self, collector: Collector, shop: Shop, page: Page) -> None:
        """Another state of the same URL, a place within the page, and a token taken out of the URL."""
        open_page(page, f"{shop.url}/a?token=abc")
        page.evaluate("history.replaceState({ n: 1 }, ''); location.hash = 'reviews'")
        page.evaluate("history.replaceState({}, '', '/a')")
        page.evaluate("location.hash = '#/route'")
        collector.wait_for("page_view", 2)
        page.evaluate("trackCustom('end')")
        collector.wait_for("end")
        assert self.paths(collector, shop) == [("/a", ""), ("/a#/route", "/a")]

    def test_a_page_with_its_own_view_sends_no_other(self, collector: Collector, shop: Shop, page: Page) -> None:
        """Whether it is sent while the page loads, or by the code that changes the route."""
        shop.scripts["/product"] = "trackProductView({ id: 1 })"
        open_page(page, f"{shop.url}/product")
        page.evaluate("history.pushState({}, '', '/category'); trackCategoryView('shoes')")
        page.evaluate("history.pushState({}, '', '/other')")
        for name in ("product_view", "category_view", "page_view"):
            collector.wait_for(name)
        # Each is a request of its own: they may arrive in another order.
        assert sorted((event["seq"], event["eventName"]) for event in collector.unique()) == [
            (1, "product_view"),
            (2, "category_view"),
            (3, "page_view"),
        ]
        assert self.paths(collector, shop) == [("/other", "/category")]

    def test_a_shop_can_name_pages_whose_view_comes_later(self, collector: Collector, shop: Shop, page: Page) -> None:
        """Pages that first have to ask a server what they show."""
        shop.scripts["/"] = "init({ ...OPTIONS, hasDomainView: url => url.pathname.startsWith('/p/') });".replace(
            "OPTIONS", json.dumps(shop.options)
        )
        open_page(page, f"{shop.url}/")
        page.evaluate("history.pushState({}, '', '/p/1'); setTimeout(() => trackProductView({ id: 1 }), 200)")
        collector.wait_for("product_view")
        assert self.paths(collector, shop) == [("/", "")]

    def test_leaving_before_the_page_is_loaded_still_counts(self, collector: Collector, shop: Shop, page: Page) -> None:
        """The view is sent when the page goes."""
        shop.scripts["/"] = "location.href = '/next'; await new Promise(() => {})"
        page.goto(shop.url)
        page.wait_for_url("**/next")
        collector.wait_for("page_view", 2)
        assert self.paths(collector, shop) == [("/", ""), ("/next", "/")]


class TestClick(PublisherTest):
    def click(self, collector: Collector, shop: Shop, page: Page, body: str, selector: str) -> dict[str, Any]:
        """The `element` of a click on a page of this body."""
        shop.bodies["/"] = body
        open_page(page, shop.url)
        page.click(selector)
        element: dict[str, Any] = collector.wait_for("click")[0]["element"]
        return element

    def test_it_says_what_was_clicked(self, collector: Collector, shop: Shop, page: Page) -> None:
        """Tag, id, role, text and data of the thing that acts, also if something inside it was hit."""
        body = '<div id=card><button id=buy role=switch data-product-id=7 data-a=""> Buy\n <b>now</b></button></div>'
        assert self.click(collector, shop, page, body, "b") == {
            "tag": "button",
            "id": "buy",
            "role": "switch",
            "text": "Buy now",
            "dataset": {"productId": "7", "a": ""},
        }

    def test_what_has_nothing_to_say_says_null(self, collector: Collector, shop: Shop, page: Page) -> None:
        """No id, no role, no text, no data."""
        body = "<svg width=50 height=50><rect width=50 height=50 /></svg>"
        assert self.click(collector, shop, page, body, "rect") == {
            "tag": "rect",
            "id": None,
            "role": None,
            "text": "",
            "dataset": {},
        }

    def test_text_is_cut(self, collector: Collector, shop: Shop, page: Page) -> None:
        """At 160 characters, not in the middle of one."""
        body = f"<button data-long={'x' * 500}>{'😀' * 500}</button>"
        element = self.click(collector, shop, page, body, "button")
        assert element["text"] == "😀" * 160
        assert element["dataset"]["long"] == "x" * 160

    def test_it_is_seen_before_the_shops_handlers(self, collector: Collector, shop: Shop, page: Page) -> None:
        """One that stops the event, one that replaces the text, and one that changes the route."""
        body = (
            "<button onclick=\"event.stopImmediatePropagation(); this.textContent = 'Gone';"
            " history.pushState({}, '', '/next')\">Go</button>"
        )
        assert self.click(collector, shop, page, body, "button")["text"] == "Go"
        [click] = collector.named("click")
        assert click["pageUrl"] == f"{shop.url}/"

    @pytest.mark.parametrize("selector", ["#inner", "#shadowed"])
    def test_ignored_parts_send_none(self, collector: Collector, shop: Shop, page: Page, selector: str) -> None:
        """Anything inside them, also inside a component that is inside them."""
        shop.bodies["/"] = (
            '<div global-clickstream-ignore-click="true"><p><button id=inner>No</button></p><div id=host></div></div>'
            '<div global-clickstream-ignore-click="false"><button id=yes>Yes</button></div>'
        )
        shop.scripts["/"] = "host.attachShadow({ mode: 'open' }).innerHTML = '<button id=shadowed>No</button>'"
        open_page(page, shop.url)
        page.click(selector)
        page.click("#yes")
        collector.wait_for("click")
        assert [event["element"]["id"] for event in collector.named("click")] == ["yes"]


SECRETS = """
<form id=form onsubmit="return false" style="padding: 9px">
  <label id=label>Name <input id=input value="SECRET input"></label>
  <textarea id=textarea>SECRET area</textarea>
  <select id=select><option selected>SECRET option</option></select>
  <output id=output>SECRET output</output>
  <input id=submit type=button value="SECRET value">
  <p id=editable contenteditable data-note="SECRET data">SECRET <b id=bold>SECRET bold</b></p>
  <div id=mask data-clickstream-mask data-card="SECRET data"><button id=masked data-n="SECRET data">SECRET card</button>
  </div>
  <a id=link href=#x>Card <span id=part data-clickstream-mask>SECRET part</span> ends</a>
  <button id=button value="SECRET value">Pay<script type=x>SECRET</script></button>
  <div id=host></div>
  <p id=plain>Plain</p>
</form>
"""


class TestPrivateText(PublisherTest):
    @pytest.mark.parametrize(
        ("selector", "text"),
        [
            ("#input", "Name"),  # the label
            ("#textarea", ""),
            ("#select", ""),
            ("#output", ""),
            ("#submit", ""),
            ("#editable", ""),
            ("#bold", ""),
            ("#mask", ""),
            ("#masked", ""),
            ("#part", "Card ends"),
            ("#link", "Card ends"),
            ("#button", "Pay"),
            ("#shadowed", ""),
            ("#form", ""),  # what has no label of its own has no text
        ],
    )
    def test_it_is_never_captured(self, collector: Collector, shop: Shop, page: Page, selector: str, text: str) -> None:
        """Neither directly nor as part of an ancestor's text, in any member of any event."""
        shop.bodies["/"] = SECRETS
        shop.scripts["/"] = (
            "host.attachShadow({ mode: 'open' }).innerHTML ="
            " '<p data-clickstream-mask>SECRET <button id=shadowed>SECRET</button></p>'"
        )
        open_page(page, shop.url)
        page.fill("#input", "SECRET typed")
        page.click(selector, position={"x": 2, "y": 2} if selector == "#form" else None)
        page.evaluate("trackCustom('end')")
        collector.wait_for("end")
        clicks = collector.wait_for("click")
        assert clicks[0]["element"]["text"] == text
        assert "SECRET" not in json.dumps(collector.received)


class TestPrivateUrl(PublisherTest):
    @pytest.mark.parametrize(
        ("query", "kept"),
        [
            ("?a=1&token=t&b=2", "?a=1&b=2"),
            ("?access_token=t&ID-TOKEN=t&password=p&pwd=p&apiKey=k&api_key=k&secret=s", ""),
            ("?email=x&user=jo%40example.com&E-Mail=y&q=shoes", "?q=shoes"),
            ("?code=oauth&state=1", "?state=1"),
            ("?session_id=1&sid=2&jwt=3&signature=4&PHPSESSID=5&v=eyJhbGciOi", ""),
            ("?author=jo&q=token&keyword=shoes&signup=2", "?author=jo&q=token&keyword=shoes&signup=2"),
            ("?utm_source=x&gclid=EAIaIQob", "?utm_source=x&gclid=EAIaIQob"),
            ("?a=%20&b=+", "?a=%20&b=+"),
            ("#access_token=t&type=x", ""),
            ("#/route?token=t", ""),
            ("#/route?a=1", "#/route?a=1"),
            ("?phone=1&customerId=2&a=3", "?a=3"),  # named by the shop
        ],
    )
    def test_secrets_in_parameters_are_removed(
        self, collector: Collector, shop: Shop, page: Page, query: str, kept: str
    ) -> None:
        """From the page's URL and from the referrer; the rest stays as it is."""
        shop.options["privateParameters"] = ["^phone$", "customer"]
        shop.headers = {"Referrer-Policy": "unsafe-url"}
        open_page(page, f"{shop.url}/{query}")
        collector.wait_for("page_view")
        page.evaluate("location.href = '/next'")
        views = collector.wait_for("page_view", 2)
        assert views[0]["pageUrl"] == f"{shop.url}/{kept}"
        assert views[1]["referrer"] == f"{shop.url}/{kept}".partition("#")[0]
