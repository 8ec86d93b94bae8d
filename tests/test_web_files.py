"""The pages' files as they are served: complete, and without what their content security policy refuses."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.support.stack_process import ROOT

WEB = ROOT / "emulator" / "web"
PAGES = {name: WEB / name / "index.html" for name in ("pipeline", "shop")}
SCRIPTS = sorted(WEB.rglob("*.js"))
STYLES = sorted(WEB.rglob("*.css"))
DOCUMENTS = sorted([*WEB.rglob("*.html"), *WEB.rglob("*.svg")])
LONGEST_LINE = 120
INLINE = re.compile(r"\s(on[a-z]+|style|srcdoc)\s*=|<style|<script(?![^>]*\ssrc=)|javascript:", re.IGNORECASE)


def named(path: Path) -> str:
    """The name of a file in the list of tests."""
    return path.relative_to(WEB).as_posix()


class Markup(HTMLParser):
    """Collects the elements of a page and their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def values(self, name: str) -> list[str]:
        return [attributes[name] or "" for _, attributes in self.elements if name in attributes]


@pytest.mark.parametrize("name", PAGES)
class TestPage:
    def test_what_it_loads_is_there(self, name: str) -> None:
        """Scripts, styles and icons are files of the page's own folder, and its start script is one of them."""
        page = Markup(PAGES[name].read_text())
        loaded = page.values("src") + [
            attributes["href"] or "" for tag, attributes in page.elements if tag in ("link", "image")
        ]
        assert f"/web/{name}/{name}.js" in loaded
        for address in loaded:
            assert address.startswith(f"/web/{name}/")
            assert (WEB / address.removeprefix("/web/")).is_file()

    def test_every_style_is_loaded(self, name: str) -> None:
        """No style sheet of the folder is forgotten."""
        styles = {f"/web/{named(style)}" for style in STYLES if style.is_relative_to(WEB / name)}
        assert styles
        assert styles <= set(Markup(PAGES[name].read_text()).values("href"))

    def test_ids_are_unique(self, name: str) -> None:
        """Scripts and tests find elements by them."""
        ids = Markup(PAGES[name].read_text()).values("id")
        assert len(ids) == len(set(ids))


class TestIds:
    def test_labels_and_outputs_name_elements_of_the_page(self) -> None:
        """Or elements that the pipeline's detail makes."""
        page = Markup(PAGES["pipeline"].read_text())
        made = {"detail-name"}
        referred = {
            name for each in ("for", "aria-labelledby") for value in page.values(each) for name in value.split()
        }
        assert referred - made <= set(page.values("id"))

    def test_every_id_that_the_pipeline_looks_up_is_there(self) -> None:
        """`byId("…")` names an element of the page."""
        scripts = "".join(script.read_text() for script in SCRIPTS if script.is_relative_to(WEB / "pipeline"))
        asked = set(re.findall(r'byId\("([^"]+)"\)', scripts))
        assert asked
        assert asked <= set(Markup(PAGES["pipeline"].read_text()).values("id"))


class TestFiles:
    @pytest.mark.parametrize("script", SCRIPTS, ids=named)
    def test_a_script_says_its_job(self, script: Path) -> None:
        """Its first line is a comment."""
        assert script.read_text().startswith("// ")

    @pytest.mark.parametrize("document", DOCUMENTS, ids=named)
    def test_no_script_and_no_style_is_inline(self, document: Path) -> None:
        """The policy under which the pages are served refuses both, and handlers too."""
        assert INLINE.findall(document.read_text()) == []

    @pytest.mark.parametrize("file", [*STYLES, *PAGES.values()], ids=named)
    def test_lines_are_short(self, file: Path) -> None:
        """At most 120 characters; ESLint measures the scripts."""
        assert max(map(len, file.read_text().splitlines())) <= LONGEST_LINE

    @pytest.mark.parametrize("file", [*SCRIPTS, *STYLES, *DOCUMENTS], ids=named)
    def test_nothing_comes_from_elsewhere(self, file: Path) -> None:
        """No file names another host; the SVG namespace is a name, not an address."""
        text = file.read_text().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|@import|\burl\((?!#)", text)
