"""The demo shop's files as they are served: what it sells, what it draws, and what its pages and scripts may not do."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.stack_process import ROOT

WEB = ROOT / "emulator" / "web"
SHOP = WEB / "shop"
PUBLISHER = ROOT / "publisher"
SCRIPTS = sorted(SHOP.rglob("*.js"))
DOCUMENTS = sorted([*SHOP.glob("*.html"), *SHOP.glob("*.svg")])
MOST_LINES = 149
MOST_CHARACTERS = 120

# What makes text into markup or code, or is refused by the pages' content security policy.
UNSAFE_SCRIPT = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|setHTML|srcdoc|parseFromString|createContextualFragment|document\.write"
    r"|\beval\(|new Function|javascript:|cssText"
    r"|\.style\s*=|[\"']style[\"']|\.on[a-z]+\s*=[^=]|[\"']on[a-z]+[\"']\s*[,:]"
)
UNSAFE_DOCUMENT = re.compile(r"\s(on[a-z]+|style|srcdoc)\s*=|<style|<script(?![^>]*\ssrc=)|javascript:", re.IGNORECASE)
IMPORT = re.compile(r'^import \{ ([^}]+) \} from "([^"]+)";$', re.MULTILINE)


def named(path: Path) -> str:
    """The name of a file in the list of tests."""
    return path.relative_to(WEB).as_posix()


def products() -> list[dict[str, Any]]:
    """What the shop sells."""
    found: list[dict[str, Any]] = json.loads((SHOP / "products.json").read_text())
    return found


def symbols() -> list[str]:
    """The names of what is drawn in art.svg."""
    root = ET.parse(SHOP / "art.svg").getroot()  # noqa: S314  # our own file
    return [symbol.attrib["id"] for symbol in root.iter("{http://www.w3.org/2000/svg}symbol")]


def imports(script: Path) -> list[tuple[list[str], Path]]:
    """The names that a script imports, and the file of each import."""
    return [
        (names.split(", "), ROOT / path[1:] if path.startswith("/") else script.parent / path)
        for names, path in IMPORT.findall(script.read_text())
    ]


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
        assert list(counts) == re.findall(r'slug: "([^"]+)"', (SHOP / "catalog.js").read_text())
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


class TestScripts:
    @pytest.mark.parametrize("script", SCRIPTS, ids=named)
    def test_it_is_small_and_says_its_job(self, script: Path) -> None:
        """Under 150 lines of at most 120 characters, the first of which is a comment."""
        lines = script.read_text().splitlines()
        assert lines[0].startswith("// ")
        assert len(lines) <= MOST_LINES
        assert max(map(len, lines)) <= MOST_CHARACTERS

    @pytest.mark.parametrize("script", SCRIPTS, ids=named)
    def test_text_stays_text(self, script: Path) -> None:
        """It makes no markup and no code of text, and no style or handler that the page's policy refuses."""
        assert UNSAFE_SCRIPT.findall(script.read_text()) == []

    @pytest.mark.parametrize("script", SCRIPTS, ids=named)
    def test_every_import_is_there(self, script: Path) -> None:
        """The file exists, and exports the names; there is no other way to import."""
        assert script.read_text().count("import ") == len(imports(script))
        for names, file in imports(script):
            assert set(names) <= set(re.findall(r"^export const (\w+)", file.read_text(), re.MULTILINE))

    @pytest.mark.parametrize("script", SCRIPTS, ids=named)
    def test_every_import_is_used(self, script: Path) -> None:
        """Once more at least, after its import."""
        code = IMPORT.sub("", script.read_text())
        imported = [name for names, _file in imports(script) for name in names]
        assert [name for name in imported if not re.search(rf"\b{name}\b", code)] == []

    def test_every_script_is_reached(self) -> None:
        """From the one that the page loads."""
        reached, waiting = set(), [SHOP / "shop.js"]
        while waiting:
            script = waiting.pop().resolve()
            if script not in reached and script.is_relative_to(SHOP):
                reached.add(script)
                waiting += [file for _names, file in imports(script)]
        assert reached == set(SCRIPTS)

    def test_the_publisher_is_used_as_any_shop_would(self) -> None:
        """What is imported of it is declared, the shop's events are all sent, and its storage is left alone."""
        used = {
            name for script in SCRIPTS for names, file in imports(script) if file.parent == PUBLISHER for name in names
        }
        declared = "".join(types.read_text() for types in PUBLISHER.glob("*.d.ts"))
        assert used <= set(re.findall(r"export function (\w+)", declared))
        assert set(re.findall(r"export function (track[A-Z]\w+)", declared)) - used == {"trackCustom"}
        assert not any("clickstream." in script.read_text() for script in SCRIPTS)


class TestDocuments:
    @pytest.mark.parametrize("document", DOCUMENTS, ids=named)
    def test_no_script_and_no_style_is_inline(self, document: Path) -> None:
        """The policy under which the pages are served refuses both."""
        assert UNSAFE_DOCUMENT.findall(document.read_text()) == []

    def test_what_the_page_names_is_served(self) -> None:
        """Every style sheet, script and picture is there, and every style sheet is used."""
        named_files = re.findall(r'"/web/(shop/[^"]+)"', (SHOP / "index.html").read_text())
        assert all((WEB / name).is_file() for name in named_files)
        assert {file.name for file in SHOP.glob("*.css")} <= {Path(name).name for name in named_files}

    def test_nothing_comes_from_elsewhere(self) -> None:
        """No file names another host; XML's namespaces are names, not addresses."""
        for file in [*SCRIPTS, *DOCUMENTS, *SHOP.glob("*.css")]:
            assert set(re.findall(r"https?://[^\"'\s>]+", file.read_text())) <= {"http://www.w3.org/2000/svg"}, file
