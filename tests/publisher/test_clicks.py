"""Clicks on elements as real pages have them: one event each, with the element's own label, id and data."""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.support.collector import Collector
from tests.support.shop import PublisherTest, Shop, open_page


class ClicksTest(PublisherTest):
    def clicks(self, collector: Collector, shop: Shop, page: Page, selector: str, **given: Any) -> list[dict[str, Any]]:
        """The `element` of each event that one click leads to, on a page whose body the test wrote."""
        open_page(page, shop.url)
        collector.wait_for("page_view")
        page.click(selector, **given)
        page.evaluate("setTimeout(() => trackCustom('end'), 50)")
        collector.wait_for("end")
        return [event["element"] for event in collector.named("click")]


class TestLabel(ClicksTest):
    @pytest.mark.parametrize(
        ("body", "selector"),
        [
            ("<label>Size <input type=radio></label>", "label"),
            ("<label for=size>Size</label> <input type=radio id=size>", "label"),
            ("<label>Size <input type=radio></label>", "input"),
        ],
        ids=["around", "for", "the field itself"],
    )
    def test_it_is_one_click(self, collector: Collector, shop: Shop, page: Page, body: str, selector: str) -> None:
        """Though the browser clicks the field too."""
        shop.bodies["/"] = body
        [click] = self.clicks(collector, shop, page, selector)
        assert (click["tag"], click["text"]) == ("label", "Size")

    def test_a_click_on_the_field_later_counts(self, collector: Collector, shop: Shop, page: Page) -> None:
        """It is the visitor's own."""
        shop.bodies["/"] = "<label for=size>Size</label> <input type=checkbox id=size>"
        assert len(self.clicks(collector, shop, page, "label")) == 1
        page.click("input")
        collector.wait_for("click", 2)


class TestCustomElement(ClicksTest):
    def test_what_is_in_its_slot_names_it(self, collector: Collector, shop: Shop, page: Page) -> None:
        """The button is the element's own affair: id and data are the element's."""
        shop.bodies["/"] = "<x-buy id=buy data-product-id=7>Buy <b>now</b></x-buy>"
        shop.scripts["/"] = (
            "customElements.define('x-buy', class extends HTMLElement { constructor() { super();"
            " this.attachShadow({ mode: 'open' }).innerHTML = '<button><slot></slot></button>' } })"
        )
        [click] = self.clicks(collector, shop, page, "b")
        assert (click["tag"], click["id"], click["text"], click["dataset"]) == (
            "button", "buy", "Buy now", {"productId": "7"},
        )  # fmt: skip


class TestTrust(ClicksTest):
    def test_a_scripts_click_is_none(self, collector: Collector, shop: Shop, page: Page) -> None:
        """A carousel's does not keep the session alive either."""
        shop.bodies["/"] = "<button id=next>Next</button><p>Text</p>"
        open_page(page, shop.url)
        collector.wait_for("page_view")
        before = page.evaluate("sessionStorage['clickstream.session']")
        page.evaluate("document.getElementById('next').click()")
        assert page.evaluate("sessionStorage['clickstream.session']") == before
        page.click("#next")
        collector.wait_for("click")
        page.wait_for_timeout(100)
        assert len(collector.named("click")) == 1


class TestNames(ClicksTest):
    @pytest.mark.parametrize("name", ["matches", "id", "dataset", "localName", "getAttribute", "childNodes"])
    def test_a_form_with_a_field_of_that_name(self, collector: Collector, shop: Shop, page: Page, name: str) -> None:
        """The field hides the form's own member."""
        shop.bodies["/"] = (
            "<style>form { padding: 40px } button { position: fixed; top: 200px; left: 0; width: 90px; height: 90px }"
            f"</style><form id=pay data-a=1 onsubmit='return false'><input name={name}><button>Pay</button></form>"
        )
        open_page(page, shop.url)
        page.mouse.click(40, 240)
        page.mouse.click(20, 20)
        button, form = (event["element"] for event in collector.wait_for("click", 2))
        assert (button["tag"], button["text"]) == ("button", "Pay")
        assert (form["tag"], form["id"], form["dataset"]) == ("form", "pay", {"a": "1"})

    def test_an_element_of_a_foreign_namespace(self, collector: Collector, shop: Shop, page: Page) -> None:
        """It has no `dataset`."""
        shop.scripts["/"] = (
            "const it = document.createElementNS('urn:x', 'thing'); it.setAttribute('id', 'it');"
            " it.setAttribute('data-sku-code', '7'); it.textContent = 'Thing'; document.body.append(it)"
        )
        [click] = self.clicks(collector, shop, page, "#it")
        assert (click["tag"], click["id"], click["dataset"]) == ("thing", "it", {"skuCode": "7"})

    def test_a_label_that_is_only_said(self, collector: Collector, shop: Shop, page: Page) -> None:
        """`aria-label`, where there is no text."""
        shop.bodies["/"] = "<button aria-label='Close'><svg width=9 height=9></svg></button>"
        [click] = self.clicks(collector, shop, page, "button")
        assert click["text"] == "Close"

    def test_empty_page_has_no_text(self, collector: Collector, shop: Shop, page: Page) -> None:
        """Only what acts is named by its content."""
        shop.bodies["/"] = "<main id=main style='padding: 50px'><p>Write to jo@example.com</p></main>"
        [click] = self.clicks(collector, shop, page, "main", position={"x": 5, "y": 5})
        assert (click["tag"], click["id"], click["text"]) == ("main", "main", "")


class TestSecretData(ClicksTest):
    def test_it_is_left_out(self, collector: Collector, shop: Shop, page: Page) -> None:
        """By the same list of names and values as parameters, the shop's own too."""
        shop.options["privateParameters"] = ["^phone$"]
        shop.bodies["/"] = (
            "<button data-email=x data-token=t data-user-password=p data-phone=1 data-who='jo@example.com'"
            " data-v=eyJhbGciOi data-user='{&quot;token&quot;:1}' data-sku=7>Buy</button>"
        )
        [click] = self.clicks(collector, shop, page, "button")
        assert click["dataset"] == {"sku": "7"}
