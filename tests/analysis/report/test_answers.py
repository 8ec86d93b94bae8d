from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from analysis import Range
from analysis.dashboard.events import Shown
from analysis.dashboard.pages import PAGES
from analysis.dashboard.pages.page import Page
from analysis.dashboard.panel import Panel, Table
from analysis.dashboard.view import View
from analysis.report.answers import REPORTED, Questions, SharedValues
from analysis.report.place import HistoryPlace
from analysis.report.reading import read_validated
from tests.support.raw_objects import START, Objects

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_environment")]

WITHIN = Range(START, START + timedelta(hours=1), zone="UTC")


@pytest.fixture
def questions(tmp_path: Path) -> Questions:
    """Give what a report asks about an hour with three events."""
    objects = Objects()
    for _ in range(3):
        objects.add()
    history, validation = read_validated(objects.write(tmp_path / "bucket"), None, WITHIN, lake=False)
    view = View(preset=None, start=WITHIN.start, end=WITHIN.end, zone="UTC", comparison="none")
    return Questions(HistoryPlace(history, validation), view, WITHIN, START + timedelta(days=1))


class TestReported:
    def test_a_new_page_is_in_the_report(self) -> None:
        """Unless it needs a server; what says whether the figures can be believed is last."""
        assert set(REPORTED) == {name for name, page in PAGES.items() if page.report is not None}
        assert list(REPORTED)[-1] == "quality"

    @pytest.mark.parametrize("name", REPORTED)
    def test_what_it_offers_are_values_of_options_of_the_page(self, name: str) -> None:
        """The menu shows no other."""
        page = PAGES[name]
        for option, values in (page.report or {}).items():
            assert {*values} <= {*page.options[option]}


class TestQuestions:
    def test_a_panel_is_made_once_for_all_options_that_it_does_not_ask_for(self, questions: Questions) -> None:
        """It is made once for each value of the options that it asks for."""
        made: list[str] = []

        def table(shown: Shown, name: str, *asked: str) -> Table:
            made.append(name)
            return Table(pl.DataFrame({"x": [" ".join(shown.view.option(each, "") for each in asked)]}))

        def panels(shown: Shown) -> list[Panel]:
            return [
                Panel("plain", "table", partial(table, shown, "plain")),
                Panel("one", "table", partial(table, shown, "one", "a")),
                Panel("both", "table", partial(table, shown, "both", "a", "b")),
                Panel("left_out", "table", partial(table, shown, "left_out"), in_report=False),
            ]

        options = {"a": ("1", "2"), "b": ("3", "4", "5")}
        page, kept = Page("quality", panels, options, report=options), SharedValues()
        answers: Any = questions.answers(page, kept)["answers"]
        assert {name: made.count(name) for name in made} == {"plain": 1, "one": 2, "both": 6}
        shown: Any = [kept.values[place] for place in answers["2 4"]]
        assert [panel["content"]["table"]["rows"] for panel in shown] == [[[""]], [["2"]], [["2 4"]]]

    def test_panels_carry_the_texts_to_copy(self, questions: Questions) -> None:
        """Each text is kept once."""
        kept = SharedValues()
        answers: Any = questions.answers(REPORTED["overview"], kept)["answers"]
        panels: Any = [kept.values[place] for place in next(iter(answers.values()))]
        texts = {panel["panel"]: panel["content"]["texts"] for panel in panels}
        assert "read_history" in str(kept.values[texts["visitors"]["python"]])
        assert "TIMESTAMPTZ '2026-11-25 09:00" in str(kept.values[texts["visitors"]["sql"]])
        assert texts["visitors"] == texts["sessions"]


class TestHistoryPlace:
    def test_the_range_is_not_read_again(self, questions: Questions, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nor is a query run twice."""
        monkeypatch.setattr("analysis.report.place.read_history", None)
        engine = questions.place.opened(WITHIN, questions.view).engine
        first = engine.query("SELECT count(*) AS n FROM public.clickstream_events", {})
        assert first.item() == 3
        assert engine.query("SELECT count(*) AS n FROM public.clickstream_events", {}) is first

    def test_the_range_before_is_read_once(self, questions: Questions) -> None:
        """In the same way."""
        before = replace(WITHIN, start=WITHIN.start - timedelta(hours=1), end=WITHIN.start)
        opened = questions.place.opened(before, questions.view)
        assert opened is questions.place.opened(before, questions.view)
        assert opened.engine.has_derived
