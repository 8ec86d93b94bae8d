"""Addresses without what is secret, wherever it stands in them."""

import pytest
from playwright.sync_api import ConsoleMessage, Page

from tests.support.collector import Collector
from tests.support.shop import PublisherTest, Shop, open_page


class TestPageUrl(PublisherTest):
    @pytest.mark.parametrize(
        ("address", "kept"),
        [
            ("/#/cb#access_token=t", "/"),
            ("/#/reset/eyJhbGciOi", "/"),
            ("/#/list?sort=price", "/#/list?sort=price"),
            ("/?next=%2Freset%3Ftoken%3Dt&a=1", "/?a=1"),
            ("/?next=%252Freset%253Ftoken%253Dt&a=1", "/?a=1"),
            ("/?next=%2Fcart%3Fsort%3Dprice", "/?next=%2Fcart%3Fsort%3Dprice"),
            ("/?data={%22token%22:%22t%22}&a=1", "/?a=1"),
            ("/?data=%7B%22user%22%3A%7B%22email%22%3A%22x%22%7D%7D", "/"),
            ("/?%74oken=t&a=1", "/?a=1"),
            ("/?jo%40example.com", "/"),
            ("/reset-password/eyJhbGciOi.eyJzdWIi.x", "/reset-password/"),
            ("/reset-password/sent", "/reset-password/sent"),
            ("/u/jo@example.com/orders", "/u//orders"),
            ("/u/jo%2540example.com", "/u/"),
            ("/cart;jsessionid=A1B2", "/cart"),
            ("/cart;v=1;jsessionid=A1B2?a=1", "/cart;v=1?a=1"),
            ("/@maker/100%25-wool?q=100%", "/@maker/100%25-wool?q=100%"),
        ],
    )
    def test_secrets_are_removed(self, collector: Collector, shop: Shop, page: Page, address: str, kept: str) -> None:
        """The rest stays as it is."""
        open_page(page, shop.url + address)
        [view] = collector.wait_for("page_view")
        assert view["pageUrl"].removeprefix(shop.url) == kept


class TestPrivateParameters(PublisherTest):
    def test_they_may_be_regular_expressions(self, collector: Collector, shop: Shop, page: Page) -> None:
        """A wrong one is named and ignored; routes are there."""
        said: list[str] = []

        def keep(message: ConsoleMessage) -> None:
            if message.type == "warning":
                said.append(message.text)

        page.on("console", keep)
        shop.pages["/p"] = shop.page("/p").replace(
            ".init({", ".init({ privateParameters: [/^phone$/i, '*fax*', null, /^ref$/g, 'customer'], "
        )
        open_page(page, f"{shop.url}/p?Phone=1&fax=2&ref=3&customerId=4")
        page.evaluate("history.pushState({}, '', '/p?ref=3&a=1')")
        views = collector.wait_for("page_view", 2)
        assert [view["pageUrl"].removeprefix(shop.url) for view in views] == ["/p?fax=2", "/p?a=1"]
        assert len([text for text in said if "*fax*" in text]) == 1
        assert len(said) == 2
