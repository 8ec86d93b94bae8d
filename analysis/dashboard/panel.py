"""What pages are made of: figures, charts and tables, each with its frame and the metric that gave it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from typing import Any, Literal, TypeAlias

import altair as alt
import polars as pl

from analysis.metrics.range import Range

__all__ = ["Chart", "Content", "Figure", "Panel", "Query", "Steps", "Table", "as_json", "frame_as_json"]

Kind: TypeAlias = Literal[
    "count", "share", "money", "seconds", "time", "second", "day", "date", "text", "flag", "json", "change"
]
# What the columns of the metrics are, where their types do not say so.
SHARES = frozenset(
    {
        "abandonment",
        "add_rate",
        "bounce_rate",
        "checkout_abandonment",
        "checkout_rate",
        "conversion",
        "engagement_rate",
        "from_first",
        "from_previous",
        "session_cart_abandonment",
        "session_conversion",
        "share",
        "visitor_conversion",
    }
)
DURATIONS = frozenset({"average_duration", "duration", "median_duration", "median_time", "p90_time"})
MONEY = frozenset({"revenue", "average_order_value", "price", "discount_price", "total"})
MOST_ROWS = 500  # that the screen gets; an export has all
EXACT = 2**53  # JavaScript's numbers hold no larger integer


@dataclass(frozen=True)
class Query:
    """A function of `analysis`, of an engine and a range, with its further arguments by name."""

    metric: Callable[..., pl.DataFrame]
    arguments: Mapping[str, object] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """A text that is the same for equal queries."""
        return f"{self.metric.__name__}({', '.join(f'{name}={value!r}' for name, value in self.arguments.items())})"


@dataclass(frozen=True)
class Figure:
    """One number, how it changed, and its course.

    Attributes:
        column: The column of the frame that it is; also how it is formatted.
        frame: The metric's frame, of which the first row counts.
        query: What gives the frame; None if no metric does.
        before: The frame of the range that it is compared with; None without a comparison.
        course: `period`, `value` and `is_complete` of each period, for the sparkline.
        currency: The currency of an amount of money.
        python: Python that gives the figures; by default, of the query.
    """

    column: str
    frame: pl.DataFrame
    query: Query | None = None
    before: pl.DataFrame | None = None
    course: pl.DataFrame | None = None
    currency: str | None = None
    python: str | None = None

    @property
    def value(self) -> object:
        """The number; None if the metric gives none."""
        return _first(self.frame, self.column)

    @property
    def previous(self) -> object:
        """The number before; None without one."""
        return None if self.before is None else _first(self.before, self.column)


@dataclass(frozen=True)
class Chart:
    """A chart and its frame.

    Attributes:
        chart: A chart of one view (layers included), whose size is that of its place on the page.
        frame: The figures in the chart, as its table shows them.
        query: What gives the figures; None if no metric does.
        tooltip: The fields that a tooltip shows.
        value: The column of the frame that the field `value` has, and `previous` of the range before.
        times: The instants that the axis of time may label; empty without such an axis.
        grain: How long the periods of the axis are.
        filters: The filter that a click on a mark adds, by the field that has the value.
        sets: The option of the page that a click on a mark sets, and the field that has the option's value, by a field
            that marks have.
        currency: The currency of amounts of money.
        note: A row whose values stand in the text `notes.<page>.<panel>` above the chart; None for no text.
        python: Python that gives the figures; by default, of the query.
    """

    chart: alt.TopLevelMixin
    frame: pl.DataFrame
    query: Query | None = None
    tooltip: Sequence[str] = ()
    value: str | None = None
    times: Sequence[datetime] = ()
    grain: str = "day"
    filters: Mapping[str, str] = field(default_factory=dict)
    sets: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    currency: str | None = None
    note: pl.DataFrame | None = None
    python: str | None = None


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        frame: Its rows.
        query: What gives them; None if no metric does.
        columns: The columns that are shown, in order; by default all.
        filters: The filter that a click on a cell adds, by the column with the value.
        sets: The option of the page that a click on a cell sets, and the column that has the option's value, by the
            cell's column.
        links: The address that a click on a cell opens, by the cell's column: what changes in it, with values of the
            row in the place of `{columns}`; an empty text removes a name.
        following: What the option `place` is on the next page of a list; empty on the last page, None for no list.
        bars: The column whose values are drawn as bars behind the first column.
        kinds: How a column is formatted, where its name does not say so.
        note: As of a chart.
        python: Python that gives the figures; by default, of the query.
    """

    frame: pl.DataFrame
    query: Query | None = None
    columns: Sequence[str] = ()
    filters: Mapping[str, str] = field(default_factory=dict)
    sets: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    links: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    following: str | None = None
    bars: str | None = None
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    note: pl.DataFrame | None = None
    python: str | None = None


@dataclass(frozen=True)
class Steps:
    """An editor of the steps of a funnel. It sets the option `steps` to their names, with commas between them.

    Attributes:
        frame: `event_name` and `events` of the names to choose from, in the order of the menu.
        query: What gives the frame.
        chosen: The names of the steps, in order.
        usual: The names without the option.
        least: How many steps there are at least.
        most: How many steps there are at most.
        python: As of a table.
    """

    frame: pl.DataFrame
    query: Query
    chosen: Sequence[str]
    usual: Sequence[str]
    least: int
    most: int
    python: str | None = None


Content: TypeAlias = Figure | Chart | Table | Steps


@dataclass(frozen=True)
class Panel:
    """One place of a page; what it shows is computed when `make` is called.

    Attributes:
        name: Its name, unique on the page. `panels.<page>.<name>` of the texts is its title.
        kind: What it shows, so that the page has its place before it is computed.
        make: Computes it. An AnalysisError is shown in its place.
        is_wide: Whether a table is as wide as the page, as a chart is.
        within: The range that it shows, if that is not the view's.
        in_report: Whether a report has it. What reads all of raw again would take it too long.
    """

    name: str
    kind: Literal["figure", "chart", "table", "steps"]
    make: Callable[[], Content]
    is_wide: bool = False
    within: Range | None = None
    in_report: bool = True


def as_json(content: Content) -> dict[str, object]:
    """Give what the browser needs to draw a panel."""
    has_query = content.query is not None
    return _drawn(content) | {"copies": {"sql": has_query, "python": has_query or content.python is not None}}


def _drawn(content: Content) -> dict[str, object]:
    if isinstance(content, Figure):
        return {
            "column": content.column,
            "format": _kind(content.column, content.frame.schema[content.column]),
            "value": plain(content.value),
            "previous": plain(content.previous),
            "isCompared": content.before is not None,
            "course": None if content.course is None else frame_as_json(content.course),
            "currency": content.currency,
        }
    if isinstance(content, Steps):
        return {
            "candidates": [list(row) for row in content.frame.select("event_name", "events").iter_rows()],
            "chosen": list(content.chosen),
            "usual": list(content.usual),
            "least": content.least,
            "most": content.most,
        }
    if isinstance(content, Chart):
        return {
            "spec": _spec(content.chart),
            "times": [round(time.timestamp() * 1000) for time in content.times],
            "grain": content.grain,
            "tooltip": [_field(content, name) for name in content.tooltip],
            "filters": dict(content.filters),
            "sets": dict(content.sets),
            "currency": content.currency,
            "note": _note(content),
            "table": frame_as_json(content.frame, kinds={"previous": _field(content, "previous")["kind"]}),
        }
    return {
        "table": frame_as_json(content.frame, content.columns, content.kinds),
        "filters": dict(content.filters),
        "sets": dict(content.sets),
        "links": {name: dict(changes) for name, changes in content.links.items()},
        "following": content.following,
        "bars": content.bars,
        "note": _note(content),
    }


def _note(content: Chart | Table) -> dict[str, object] | None:
    return None if content.note is None else frame_as_json(content.note)


def frame_as_json(
    frame: pl.DataFrame, columns: Sequence[str] = (), kinds: Mapping[str, Kind] | None = None
) -> dict[str, object]:
    """Give the rows of a frame, as many as the screen gets, and how each column is formatted."""
    shown = frame.select(columns) if columns else frame
    known = kinds or {}
    return {
        "columns": [
            {"name": name, "kind": known.get(name) or _kind(name, kind)} for name, kind in shown.schema.items()
        ],
        "rows": [[plain(value) for value in row] for row in shown.head(MOST_ROWS).iter_rows()],
        "height": frame.height,
    }


def plain(value: object) -> object:
    """Give a value as JSON has it; what JavaScript's numbers do not hold exactly becomes text."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, int):
        return value if abs(value) < EXACT else str(value)
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, datetime):
        return round(value.timestamp() * 1000)
    return value.isoformat() if isinstance(value, date) else str(value)


def _kind(name: str, dtype: pl.DataType | None) -> Kind:
    """Say how a column is formatted, by its name and type."""
    if name in SHARES or name.endswith("_share"):
        return "share"
    if name in DURATIONS:
        return "seconds"
    if name == "change":
        return "change"
    if name in MONEY:
        return "money"
    if isinstance(dtype, pl.Datetime):
        return "time"
    if dtype == pl.Date():
        return "date"
    if dtype == pl.Boolean():
        return "flag"
    return "count" if dtype is not None and dtype.is_numeric() else "text"


def _field(content: Chart, name: str) -> dict[str, Any]:
    """Give a field of a chart, its name for people, and how it is written."""
    column = content.value if content.value and name in {"value", "previous"} else name
    label = column if name == "value" else name
    return {"name": name, "label": label, "kind": _kind(column, content.frame.schema.get(column))}


def _first(frame: pl.DataFrame, column: str) -> object:
    return frame[column][0] if frame.height else None


def _spec(chart: alt.TopLevelMixin) -> dict[str, Any]:
    """Give the Vega-Lite specification of a chart; the page has its own look, and the panel has the title."""
    # To validate takes as long as a query. A page in a browser draws each chart in the tests.
    spec: dict[str, Any] = chart.to_dict(validate=False)
    for name in ("config", "title"):
        spec.pop(name, None)
    return spec
