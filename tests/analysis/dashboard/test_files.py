"""The page's files: texts in both languages, and nothing that its content security policy refuses."""

import re
from pathlib import Path

import pytest

from analysis import dashboard
from analysis.dashboard.filters import FILTERS
from analysis.dashboard.pages import PAGES
from analysis.dashboard.periods import PRESETS

STATIC = Path(dashboard.__file__).parent / "static"
SCRIPTS = sorted(STATIC.rglob("*.js"))
LONGEST_LINE, MOST_LINES = 120, 150
INLINE = re.compile(r"\s(on[a-z]+|style|srcdoc)\s*=|<style|<script(?![^>]*\ssrc=)|javascript:", re.IGNORECASE)
MARKUP = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\(|new Function")


def texts(language: str) -> dict[str, str]:
    """The texts of a language by name."""
    source = (STATIC / "texts" / f"{language}.js").read_text()
    return dict(re.findall(r'^ +"?([\w.-]+?)"?: "(.*)",$', source, re.MULTILINE))


class TestTexts:
    def test_both_languages_have_the_same_names(self) -> None:
        """But for columns, whose names in English are those of the metrics."""
        english, vietnamese = (
            {name for name in texts(language) if not name.startswith("columns.")} for language in ("en", "vi")
        )
        assert english == vietnamese

    def test_both_have_the_same_places_for_values(self) -> None:
        """So that no value is lost in one of them."""
        english, vietnamese = texts("en"), texts("vi")
        for name in english.keys() & vietnamese.keys():
            assert set(re.findall(r"\{\w+\}", english[name])) == set(re.findall(r"\{\w+\}", vietnamese[name])), name

    def test_every_choice_has_a_text(self) -> None:
        """Pages, ranges, filters, and the options of pages."""
        names = set(texts("en"))
        wanted = {f"pages.{name}" for name in PAGES} | {f"ranges.{name}" for name in PRESETS}
        wanted |= {f"filters.{name}" for name in FILTERS}
        wanted |= {f"options.{name}" for page in PAGES.values() for name, values in page.options.items() if values}
        assert wanted <= names


class TestScripts:
    @pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
    def test_text_never_becomes_markup(self, path: Path) -> None:
        """Nor code."""
        assert MARKUP.search(path.read_text()) is None

    @pytest.mark.parametrize(
        "path", [path for path in SCRIPTS if path.parent.name != "texts"], ids=lambda path: path.name
    )
    def test_each_is_short(self, path: Path) -> None:
        """One job each."""
        lines = path.read_text().splitlines()
        assert len(lines) < MOST_LINES
        assert max(map(len, lines)) <= LONGEST_LINE

    def test_the_page_has_nothing_inline(self) -> None:
        """Neither scripts nor styles, and it loads files of its own only."""
        page = (STATIC / "index.html").read_text()
        assert INLINE.search(page) is None
        assert re.findall(r'(?:src|href)="(?!static/|vega\.js|#)', page) == []
