"""The answers that a report holds: those of every page, and of every value of the options that it offers."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product
from threading import Lock

from analysis.dashboard.answer import head
from analysis.dashboard.events import Place, Shown
from analysis.dashboard.export import as_python, as_sql
from analysis.dashboard.pages import PAGES
from analysis.dashboard.pages.page import Page
from analysis.dashboard.panel import Content, Panel, as_json
from analysis.dashboard.view import View
from analysis.metrics.range import Range

__all__ = ["REPORTED", "Questions", "SharedValues"]

# A report opens with these figures, and ends with what says whether they can be believed.
FIRST = ("revenue", "orders", "average_order_value")
LAST = "quality"
REPORTED: Mapping[str, Page] = {
    page.name: page for page in sorted(PAGES.values(), key=lambda page: page.name == LAST) if page.report is not None
}


class SharedValues:
    """Values that are kept once, whatever refers to them. Threads may share one object."""

    def __init__(self) -> None:
        self.values: list[object] = []
        self._places: dict[str, int] = {}
        self._lock = Lock()

    def place_of(self, value: object) -> int:
        """Keep a value of JSON, and say where it is among the values."""
        text = json.dumps(value)
        with self._lock:
            if text not in self._places:
                self._places[text] = len(self.values)
                self.values.append(value)
            return self._places[text]


@dataclass(frozen=True)
class Questions:
    """What a report asks.

    Attributes:
        place: Where the events are.
        view: The view; page and options are chosen here.
        within: The range.
        now: The instant at which the report is made.
    """

    place: Place
    view: View
    within: Range
    now: datetime

    def answers(self, page: Page, kept: SharedValues) -> dict[str, object]:
        """Compute a page, for every value of the options that a report offers.

        Args:
            page: The page.
            kept: Takes what each panel shows.

        Returns:
            `head`, as the dashboard's server gives it, and `answers`: the places of the panels among what is kept, by
            the values of the options.

        Raises:
            AnalysisError: A figure cannot be computed.
        """
        offered = page.report or {}
        made: dict[str, list[tuple[dict[str, str], int]]] = {}
        every = [dict(zip(offered, values, strict=True)) for values in product(*offered.values())]
        answers = {
            " ".join(options.values()): [
                self._made(page, panel.name, options, made.setdefault(panel.name, []), kept)
                for panel in _panels(page, self._shown(page, options))
            ]
            for options in every
        }
        shown = self._shown(page, every[0])
        about = {"pages": list(REPORTED), "options": {name: list(values) for name, values in offered.items()}}
        return {"head": head(shown, _panels(page, shown)) | about, "answers": answers}

    def _shown(self, page: Page, options: Mapping[str, str]) -> Shown:
        view = {**vars(self.view), "page": page.name, "options": tuple(options.items())}
        return Shown(self.place, _Noting(**view), self.within, self.now)

    def _made(
        self,
        page: Page,
        name: str,
        options: Mapping[str, str],
        made: list[tuple[dict[str, str], int]],
        kept: SharedValues,
    ) -> int:
        """Make what a panel shows, unless it was made with the same values of the options that it asks for."""
        for known, place in made:
            if known.items() <= options.items():
                return place
        # Of its own: another panel must not ask for an option in the place of this one.
        shown = self._shown(page, options)
        [panel] = [each for each in page.panels(shown) if each.name == name]
        content = panel.make()
        texts = _texts(shown if panel.within is None else shown.at(panel.within), content)
        drawn = as_json(content) | {"texts": {language: kept.place_of(text) for language, text in texts}}
        place = kept.place_of({"panel": name, "content": drawn})
        assert isinstance(shown.view, _Noting)  # noqa: S101  # `_shown` makes it
        made.append(({name: value for name, value in options.items() if name in shown.view.asked}, place))
        return place


@dataclass(frozen=True)
class _Noting(View):
    """A view that notes which options of its page are asked for."""

    asked: set[str] = field(default_factory=set, compare=False)

    def option(self, name: str, default: str) -> str:
        self.asked.add(name)
        return super().option(name, default)


def _panels(page: Page, shown: Shown) -> list[Panel]:
    """Give the panels of a report, first those with which it opens."""
    held = [panel for panel in page.panels(shown) if panel.in_report]
    opening = {name: place for place, name in enumerate(FIRST)}
    return sorted(held, key=lambda panel: opening.get(panel.name if panel.kind == "figure" else "", len(opening)))


def _texts(shown: Shown, content: Content) -> Iterator[tuple[str, str]]:
    """Give the figures of a panel as text to copy."""
    if content.query is not None:
        yield "sql", as_sql(shown, content.query)
    if content.python is not None:
        yield "python", content.python
    elif content.query is not None:
        yield "python", as_python(shown, content.query)
