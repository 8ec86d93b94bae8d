"""The answer to one view: a line of JSON about the whole, then one for each panel as soon as it is computed."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from analysis.dashboard.events import Place, Shown
from analysis.dashboard.filters import FILTERS
from analysis.dashboard.pages import PAGES
from analysis.dashboard.pages.saved import read_saved, saved_text
from analysis.dashboard.panel import Panel, as_json
from analysis.dashboard.periods import PRESETS
from analysis.dashboard.view import View
from analysis.engines.stopping import Stopped
from analysis.errors import AnalysisError
from analysis.raw.partitions import SCHEME

__all__ = ["head", "lines", "panel_named", "shown_for"]


def shown_for(place: Place, query: str, now: datetime) -> Shown:
    """Read an address, and give the events that it shows. Raises AnalysisError."""
    view = View.parse(query, {name: page.options for name, page in PAGES.items()})
    return Shown.of(place, view, now)


def lines(shown: Shown, tabs: Mapping[str, str]) -> Iterator[bytes]:
    """Give the lines of the answer.

    A panel that cannot be computed says why, and the others are computed all the same.

    Raises:
        Stopped: A stop was asked for.
    """
    page = PAGES[shown.view.page]
    panels = page.panels(shown)
    saved, problems = read_saved()
    views = [{"name": each.name, "view": dict(each.view), "isSegment": each.is_segment} for each in saved]
    about = {"tabs": dict(tabs), "saved": views, "savedProblems": problems, "savedText": saved_text(shown.view)}
    yield _line({"head": head(shown, panels) | about})
    for panel in panels:
        try:
            yield _line({"panel": panel.name, "content": as_json(panel.make())})
        except Stopped:
            raise
        except AnalysisError as error:
            yield _line({"panel": panel.name, "problem": str(error)})
        except Exception as error:  # a fault of one panel must not take the others
            logging.exception("the panel %s of the page %s has a fault", panel.name, page.name)
            problem = f"internal error ({type(error).__name__}): see the terminal of the dashboard"
            yield _line({"panel": panel.name, "problem": problem})
    yield _line({"done": True})


def panel_named(shown: Shown, name: str) -> Panel:
    """Find a panel of the view's page. Raises AnalysisError."""
    panels = PAGES[shown.view.page].panels(shown)
    for panel in panels:
        if panel.name == name:
            return panel
    raise AnalysisError(f"the page has no panel {name!r}: choose from {', '.join(panel.name for panel in panels)}")


def head(shown: Shown, panels: Sequence[Panel]) -> dict[str, object]:
    """Give what the page says about the whole view."""
    view, before, place = shown.view, shown.before, shown.place
    sample = place.sample()
    return {
        "query": view.query(),
        "fixed": view.fixed(shown.now).query(),
        "view": {
            "page": view.page,
            "preset": view.preset,
            "zone": view.zone,
            "comparison": view.comparison,
            "clock": view.clock,
            "bots": view.bots,
            "language": view.language,
            "login": view.login_state,
            "filters": {name: list(values) for name, values in view.filters},
            "options": dict(view.options),
        },
        "within": _span(shown),
        "before": None if before is None else _span(before),
        "completeUntil": _milliseconds(shown.complete_until),
        "pages": list(PAGES),
        "presets": list(PRESETS),
        "filters": list(FILTERS),
        "options": {name: list(values) for name, values in PAGES[view.page].options.items()},
        "isFiltered": PAGES[view.page].is_filtered,
        "reasons": place.reasons(),
        "source": _name(place),
        "sample": None if sample is None else str(sample),
        "panels": [{"name": panel.name, "kind": panel.kind, "isWide": panel.is_wide} for panel in panels],
    }


def _name(place: Place) -> str:
    """Name a place for people: a bucket, or the last part of a directory's path."""
    if place.source is None:
        return "PostgreSQL"
    return str(place.source) if str(place.source).startswith(SCHEME) else Path(place.source).name


def _span(shown: Shown) -> list[int]:
    return [_milliseconds(shown.within.start), _milliseconds(shown.within.end)]


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _line(content: dict[str, object]) -> bytes:
    # In ASCII: UTF-8 has no lone surrogates, but the name of a directory may.
    return json.dumps(content, allow_nan=False, separators=(",", ":")).encode() + b"\n"
