"""The pipeline view's files as they are served: no text becomes markup, and every part is there and small."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.stack_process import ROOT

FOLDER = ROOT / "emulator" / "web" / "pipeline"
MODULES = sorted(FOLDER.glob("*.js"))
STYLES = sorted(FOLDER.glob("*.css"))
MOST_LINES = 150
LONGEST_LINE = 120
MARKUP = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|setHTML|parseHTML|document\.write|createContextualFragment|DOMParser|srcdoc"
    r"|\beval\(|\bFunction\(|\bimport\(|(?:setTimeout|setInterval)\(\s*[\"'`]"
)
IMPORT = re.compile(r'^import (?:\{([^}]*)\} from )?"([^"]+)";$', re.MULTILINE)
EXPORT = re.compile(r"^export const (\w+)", re.MULTILINE)


class Markup(HTMLParser):
    """Collects what a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def values(self, name: str) -> list[str]:
        return [attributes[name] or "" for _, attributes in self.elements if name in attributes]


@pytest.fixture(scope="module")
def page() -> Markup:
    return Markup((FOLDER / "index.html").read_text())


def imports_of(module: Path) -> list[tuple[set[str], str]]:
    """The names that a module imports, and from where."""
    return [
        ({name.strip() for name in names.split(",") if name.strip()}, source)
        for names, source in IMPORT.findall(module.read_text())
    ]


class TestMarkup:
    def test_it_has_no_script_or_style_of_its_own(self, page: Markup) -> None:
        """No inline script, style or handler: the page's policy would stop them."""
        assert page.elements
        for tag, attributes in page.elements:
            assert tag != "style"
            assert tag != "script" or "src" in attributes
            assert not [name for name in attributes if name == "style" or name.startswith("on")]

    def test_what_it_loads_is_there(self, page: Markup) -> None:
        """Scripts, styles and the icon are files of this folder."""
        loaded = page.values("src") + [
            attributes["href"] or "" for tag, attributes in page.elements if tag == "link" and "href" in attributes
        ]
        assert "/web/pipeline/pipeline.js" in loaded
        for address in loaded:
            assert address.startswith("/web/pipeline/")
            assert (FOLDER / address.removeprefix("/web/pipeline/")).is_file()

    def test_every_style_is_loaded(self, page: Markup) -> None:
        """None is forgotten."""
        assert {f"/web/pipeline/{style.name}" for style in STYLES} <= set(page.values("href"))

    def test_ids_are_unique(self, page: Markup) -> None:
        """Scripts and tests find elements by them."""
        ids = page.values("id")
        assert len(ids) == len(set(ids))

    def test_what_is_referred_to_is_there(self, page: Markup) -> None:
        """Labels and outputs name elements of the page, or those that the detail makes."""
        made = {"detail-name"}
        referred = {
            name for each in ("for", "aria-labelledby") for value in page.values(each) for name in value.split()
        }
        assert referred - made <= set(page.values("id"))


class TestModules:
    def test_the_start_reaches_all(self) -> None:
        """No module is left over."""
        reached, found = set(), {"pipeline.js"}
        while found:
            name = found.pop()
            reached.add(name)
            found |= {source.removeprefix("./") for _, source in imports_of(FOLDER / name)} - reached
        assert reached == {module.name for module in MODULES}

    @pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
    def test_imports_resolve(self, module: Path) -> None:
        """Each names a module beside it, which exports what is asked for; and all that is imported is used."""
        text = module.read_text()
        assert len(imports_of(module)) == len(re.findall(r"^import\b", text, re.MULTILINE))
        for names, source in imports_of(module):
            assert source.startswith("./")
            assert names
            assert names <= set(EXPORT.findall((FOLDER / source).read_text()))
            assert all(len(re.findall(rf"\b{name}\b", text)) > 1 for name in names)

    @pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
    def test_exports_are_used(self, module: Path) -> None:
        """By another module; the start exports nothing."""
        asked = {name for other in MODULES for names, source in imports_of(other) for name in names
                 if source == f"./{module.name}"}  # fmt: skip
        assert set(EXPORT.findall(module.read_text())) == asked

    @pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
    def test_text_never_becomes_markup(self, module: Path) -> None:
        """Nor code: an event's name may be a script."""
        assert not MARKUP.findall(module.read_text())

    @pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
    def test_it_has_one_job(self, module: Path) -> None:
        """Said in its first line, and done in less than 150."""
        lines = module.read_text().splitlines()
        assert lines[0].startswith("// ")
        assert len(lines) < MOST_LINES

    @pytest.mark.parametrize("file", [*MODULES, *STYLES, FOLDER / "index.html"], ids=lambda file: file.name)
    def test_lines_are_short(self, file: Path) -> None:
        """At most 120 characters."""
        assert max(map(len, file.read_text().splitlines())) <= LONGEST_LINE

    @pytest.mark.parametrize("file", [*MODULES, *STYLES], ids=lambda file: file.name)
    def test_nothing_comes_from_elsewhere(self, file: Path) -> None:
        """No address of another host, but the name of the SVG namespace."""
        text = file.read_text().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|@import|\burl\(", text)


class TestIds:
    def test_every_id_that_is_looked_up_is_there(self, page: Markup) -> None:
        """`byId("…")` names an element of the page."""
        asked = {name for module in MODULES for name in re.findall(r'byId\("([^"]+)"\)', module.read_text())}
        assert asked
        assert asked <= set(page.values("id"))
