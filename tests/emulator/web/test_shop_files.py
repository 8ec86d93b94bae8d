"""The demo shop's files: what it sells, what it draws, and which events it sends."""

import json
import re
from collections import Counter
from typing import Any
from xml.etree import ElementTree as ET

from tests.support.stack_process import ROOT

SHOP = ROOT / "emulator" / "web" / "shop"
PUBLISHER = ROOT / "publisher"
SCRIPTS = sorted(SHOP.rglob("*.js"))


def products() -> list[dict[str, Any]]:
    """What the shop sells."""
    found: list[dict[str, Any]] = json.loads((SHOP / "products.json").read_text())
    return found


def symbols() -> list[str]:
    """The names of what is drawn in art.svg."""
    root = ET.parse(SHOP / "art.svg").getroot()  # noqa: S314  # our own file
    return [symbol.attrib["id"] for symbol in root.iter("{http://www.w3.org/2000/svg}symbol")]


class TestProducts:
    def test_each_says_all_that_is_needed(self) -> None:
        """The same members, in the same order, and none of them empty text."""
        members = ["id", "name", "category", "brand", "price", "discountPrice", "urlPath", "art", "color"]
        for product in products():
            assert list(product) == members
            assert all(product[name] for name in members if name != "discountPrice")

    def test_every_category_has_four(self) -> None:
        """Twenty-four products, in six categories, which are those that the shop's pages know."""
        counts = Counter(product["category"] for product in products())
        assert set(counts.values()) == {4}
        assert list(counts) == re.findall(r'slug: "([^"]+)"', (SHOP / "data" / "catalog.js").read_text())
        assert len(counts) == 6

    def test_ids_are_unique_and_make_the_url(self) -> None:
        """An id is the last part of its page's URL, as it is, without escapes."""
        ids = [product["id"] for product in products()]
        assert len(set(ids)) == len(ids)
        assert all(re.fullmatch(r"[a-z0-9-]+", each) for each in ids)
        assert [product["urlPath"] for product in products()] == [f"/product/{each}" for each in ids]

    def test_prices_are_whole_and_a_discount_is_one(self) -> None:
        """Đồng have no decimals; a discounted price is positive and below the price. Some are discounted, some not."""
        discounted = [product for product in products() if product["discountPrice"] is not None]
        assert 0 < len(discounted) < len(products())
        assert all(type(product["price"]) is int and product["price"] > 0 for product in products())
        assert all(type(product["discountPrice"]) is int for product in discounted)
        assert all(0 < product["discountPrice"] < product["price"] for product in discounted)

    def test_each_is_drawn_in_a_colour(self) -> None:
        """Its `art` is a symbol of art.svg, its colour six hexadecimal digits."""
        assert {product["art"] for product in products()} <= set(symbols())
        assert all(re.fullmatch(r"#[0-9a-f]{6}", product["color"]) for product in products())


class TestArt:
    def test_names_are_unique(self) -> None:
        """At least a dozen kinds of products are drawn, and no name twice."""
        assert len(set(symbols())) == len(symbols())
        assert len([name for name in symbols() if not name.startswith("icon-")]) >= 12

    def test_nothing_is_drawn_in_vain(self) -> None:
        """Every symbol is some product's, or an icon that a script names; every icon that one names is drawn."""
        scripts = "".join(script.read_text() for script in SCRIPTS)
        icons = [name.removeprefix("icon-") for name in symbols() if name.startswith("icon-")]
        assert [name for name in icons if f'"{name}"' not in scripts] == []
        assert set(re.findall(r'icon\("([^"]+)"\)', scripts)) <= set(icons)
        drawn = {name for name in symbols() if not name.startswith("icon-")}
        assert drawn == {product["art"] for product in products()}


class TestEvents:
    def test_the_publisher_is_used_as_any_shop_would(self) -> None:
        """The shop sends every event that the publisher declares, and leaves the publisher's storage alone."""
        scripts = "".join(script.read_text() for script in SCRIPTS)
        declared = (PUBLISHER / "src" / "events.js").read_text()
        functions = set(re.findall(r"export const (track[A-Z]\w+)", declared))
        assert {name for name in functions if not re.search(rf"\b{name}\b", scripts)} == {"trackCustom"}
        assert "clickstream." not in scripts
