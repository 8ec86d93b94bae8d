"""The report's page: HTML with its charts as SVG inside. It has no script, and loads nothing from elsewhere."""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial

import altair as alt
import polars as pl
import vl_convert
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from analysis.history import History
from analysis.metrics.overview import overview
from analysis.metrics.zone import local_text
from analysis.report import cells
from analysis.report.sections import Section

__all__ = ["page"]

TILES = (
    "events",
    "visitors",
    "sessions",
    "add_to_cart_clicks",
    "checkout_completes",
    "visitor_conversion",
    "session_conversion",
    "checkout_rate",
)

_environment = Environment(
    loader=PackageLoader("analysis", "report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


def page(history: History, sections: Iterable[Section]) -> str:
    """Render the whole page; every text of an event is escaped.

    Args:
        history: The events that the page is about.
        sections: Its sections, in order.

    Returns:
        The HTML.

    Raises:
        AnalysisError: A figure cannot be computed.
    """
    figures = overview(history.raw, history.within)
    return _environment.get_template("page.html").render(
        history=history,
        made_at=local_text(datetime.now(UTC), history.within.zone),
        tiles=zip(cells.headings(figures.select(TILES)), *cells.rows(figures.select(TILES)), strict=True),
        sections=list(sections),
        svg=_svg,
        table=partial(_table, zone=history.within.zone),
    )


def _svg(chart: alt.TopLevelMixin) -> Markup:
    """Draw a chart as SVG; the library that draws it escapes the texts in it."""
    return Markup(vl_convert.vegalite_to_svg(chart.to_json(), allowed_base_urls=[]))  # noqa: S704  # see above


def _table(frame: pl.DataFrame, zone: str) -> dict[str, object]:
    if frame.height == 1:  # one row of many columns reads best from top to bottom
        names, (values,) = cells.headings(frame), cells.rows(frame, zone)
        pairs = zip(names, values, strict=True)
        return {"headings": [], "rows": [[(name, False), (value, True)] for name, value in pairs]}
    numbers = cells.is_number(frame)
    return {
        "headings": list(zip(cells.headings(frame), numbers, strict=True)),
        "rows": [list(zip(row, numbers, strict=True)) for row in cells.rows(frame, zone)],
    }
