"""The page Paths: where sessions go from a page, or how they come to it."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import get_args

import altair as alt
import polars as pl

from analysis.dashboard.events import Shown
from analysis.dashboard.pages.compared import compared
from analysis.dashboard.pages.journeys.sankey import Flow, Node, Ribbon, layout
from analysis.dashboard.pages.page import LIMITS, Page, limit_of
from analysis.dashboard.panel import Chart, Figure, Panel, Query, Table
from analysis.metrics.acquisition import top_pages
from analysis.metrics.paths import Direction, path_links, paths

__all__ = ["PATHS", "flows"]

DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
DEPTHS, PER_STEP = ("3", "2", "4", "5"), ("8", "5", "12")
# Nodes that are no page; pages begin with "/".
BEGIN, END, OTHER = "begin", "end", "other"
LAST: Mapping[str, int] = {OTHER: 1, BEGIN: 2, END: 2}
# Pixels. A column needs room for the names in it, so a small screen has fewer columns: those next to the page.
HEIGHT, GAP, COLUMN = 420, 18, 190
NODE = 0.03  # the width of a node; a column has 1
BEND = 0.15  # the part of a ribbon that is level at each of its ends


def panels(shown: Shown) -> Sequence[Panel]:
    """Give the panels: how many sessions, the diagram, its links, and what else can be followed."""
    follows = "goes_on" if _direction(shown) == "from" else "comes_from"
    return [
        Panel("sessions", "figure", partial(_figure, shown, "sessions")),
        Panel(follows, "figure", partial(_figure, shown, "share")),
        Panel("sankey", "chart", partial(_sankey, shown)),
        Panel("links", "table", partial(_links, shown), is_wide=True),
        Panel("pages", "table", partial(_pages, shown)),
        Panel("transitions", "table", partial(_transitions, shown)),
    ]


def _direction(shown: Shown) -> str:
    return shown.view.option("direction", DIRECTIONS[0])


def _query(shown: Shown) -> Query:
    node, steps = shown.view.option("path", "") or None, int(shown.view.option("depth", DEPTHS[0]))
    return Query(path_links, {"node": node, "direction": _direction(shown), "steps": steps})


def _figure(shown: Shown, name: str) -> Figure:
    query = _query(shown)
    there = "to_node" if _direction(shown) == "from" else "from_node"

    def of(links: pl.DataFrame) -> pl.DataFrame:
        first = links.filter(pl.col("step") == 1)
        sessions = pl.col("sessions").sum()
        followed = pl.col("sessions").filter(pl.col(there).is_not_null()).sum()
        return first.select(sessions=sessions, share=pl.when(sessions > 0).then(followed / sessions))

    before = shown.frame_before(query)
    return Figure(name, of(shown.frame(query)), query, None if before is None else of(before))


def flows(links: pl.DataFrame, direction: str, pages: int) -> list[Flow]:
    """Turn links into what flows between columns, of which the first or the last one has the page.

    Args:
        links: As `path_links` gives them, without a limit.
        direction: As `path_links` was given it.
        pages: So many pages of each column keep their names; the others are one node.
    """
    columns = links["step"].max() or 0
    rows = [
        (step - 1 if direction == "from" else columns - step, source or BEGIN, target or END, sessions)
        for step, source, target, sessions in links.iter_rows()
    ]
    ends = [(column, source, size) for column, source, _, size in rows]
    ends += [(column + 1, target, size) for column, _, target, size in rows]
    sides = pl.DataFrame(ends, {"column": pl.Int64(), "name": pl.String(), "sessions": pl.Int64()}, orient="row")
    # At both of its sides, a page of the middle has the same sessions.
    sums = sides.filter(~pl.col("name").is_in(list(LAST))).group_by("column", "name").agg(pl.col("sessions").sum())
    first = sums.sort(["column", "sessions", "name"], descending=[False, True, False]).group_by("column").head(pages)
    named = {(column, name) for column, name, _ in first.iter_rows()}

    def name_of(column: int, name: str) -> str:
        return name if name in LAST or (column, name) in named else OTHER

    sums_of: dict[tuple[int, str, str], int] = {}
    for column, source, target, size in rows:
        flow = column, name_of(column, source), name_of(column + 1, target)
        sums_of[flow] = sums_of.get(flow, 0) + size
    return [Flow(*flow, size) for flow, size in sums_of.items()]


def _sankey(shown: Shown) -> Chart:
    """Draw the paths as a Sankey diagram. A click on a page makes it the page of the paths."""
    query, direction = _query(shown), _direction(shown)
    drawn = flows(shown.frame(query), direction, int(shown.view.option("per_step", PER_STEP[0])))
    nodes, ribbons = layout(drawn, HEIGHT, GAP, lambda name: LAST.get(name, 0))
    columns = 1 + max((node.column for node in nodes), default=0)
    room = f"min({columns}, max(2, floor(width / {COLUMN})))"
    start, end = ("0", room) if direction == "from" else (f"{columns} - {room}", str(columns))
    scale = alt.Scale(domainMin=alt.ExprRef(start), domainMax=alt.ExprRef(end), nice=False, zero=False)
    x = alt.X("x:Q", title=None, axis=None, scale=scale)
    y = alt.Y("y:Q", title=None, axis=None, scale=alt.Scale(domain=[0, HEIGHT], reverse=True, nice=False))
    bands = alt.Chart(_bands(ribbons)).encode(x=x, y=y, y2="y2:Q", detail="ribbon:N")
    bands = bands.transform_filter(f"datum.column >= {start} && datum.column + 1 < {end}")
    boxes = alt.Chart(_boxes(nodes)).encode(x=x, y=y)
    boxes = boxes.transform_filter(f"datum.column >= {start} && datum.column < {end}")
    # The number is first: a name without room loses its end.
    label = "format(datum.sessions, ',') + '  ' + datum.label"
    names = boxes.transform_calculate(text=label).encode(y="middle:Q", text="text:N")
    layers = [
        # A screen reader reads the names.
        *(
            bands.transform_filter(f"datum.is_last == {is_last}").mark_area(
                style=f"ribbon{is_last}", interpolate="monotone", aria=False
            )
            for is_last in (0, 1)
        ),
        *(
            boxes.transform_filter(f"datum.is_last == {is_last}")
            .mark_rect(style=f"node{is_last}", aria=False)
            .encode(x2="x2:Q", y2="y2:Q")
            for is_last in (0, 1)
        ),
        names.encode(x=alt.X("x2:Q", title=None, axis=None, scale=scale)).mark_text(
            style="nodeName", limit=alt.ExprRef(f"width / ({room}) * {1 - NODE} - 8")
        ),
    ]
    chart = alt.layer(*layers).properties(width="container", height=HEIGHT)
    frame = pl.DataFrame(
        [(flow.column + 1, flow.source, flow.target, flow.size) for flow in drawn],
        {"column": pl.Int64(), "from_node": pl.String(), "to_node": pl.String(), "sessions": pl.Int64()},
        orient="row",
    ).sort(["column", "sessions", "from_node", "to_node"], descending=[False, True, False, False])
    tooltip = ("node", "from_node", "to_node", "sessions")
    return Chart(chart, frame, query, tooltip, sets={"path": ("path", "path")})


def _boxes(nodes: Sequence[Node]) -> pl.DataFrame:
    """Give the rectangles of the nodes; `path` is the page that a click chooses."""
    return pl.DataFrame(
        [
            {
                "column": node.column,
                "x": float(node.column),
                "x2": node.column + NODE,
                "y": node.top,
                "y2": node.bottom,
                "middle": (node.top + node.bottom) / 2,
                "node": node.name,
                "label": node.name,
                "path": None if node.name in LAST else node.name,
                "sessions": node.size,
                "is_last": int(node.name in LAST),
            }
            for node in nodes
        ]
    )


def _bands(ribbons: Sequence[Ribbon]) -> pl.DataFrame:
    """Give the edges of the ribbons, point by point."""
    return pl.DataFrame(
        [
            {
                "ribbon": number,
                "column": ribbon.flow.column,
                "x": ribbon.flow.column + NODE + (1 - NODE) * part,
                "y": top,
                "y2": bottom,
                "from_node": ribbon.flow.source,
                "to_node": ribbon.flow.target,
                "sessions": ribbon.flow.size,
                "is_last": int(ribbon.flow.source == BEGIN or ribbon.flow.target == END),
            }
            for number, ribbon in enumerate(ribbons)
            for part, (top, bottom) in zip(
                (0, BEND, 1 - BEND, 1), [ribbon.source] * 2 + [ribbon.target] * 2, strict=True
            )
        ]
    )


def _links(shown: Shown) -> Table:
    """List the links of each step."""
    every, limit = _query(shown), limit_of(shown)
    query = Query(path_links, {**every.arguments, "limit": limit})
    # The links of a step are in order, so the first ones are known already.
    shown.once(query.key, lambda: shown.frame(every).filter(pl.int_range(pl.len()).over("step") < limit))
    frame = compared(shown, query, ["step", "from_node", "to_node"], "sessions")
    return Table(frame, query, sets={name: ("path", name) for name in ("from_node", "to_node")})


def _pages(shown: Shown) -> Table:
    """List the pages, of which a click chooses one."""
    query = Query(top_pages, {"limit": limit_of(shown)})
    return Table(shown.frame(query), query, sets={"page_path": ("path", "page_path")}, bars="views")


def _transitions(shown: Shown) -> Table:
    """List which events follow each other, without automatic clicks."""
    query = Query(paths, {"limit": limit_of(shown)})
    return Table(compared(shown, query, ["from_event", "to_event"], "transitions"), query)


PATHS = Page(
    "paths",
    panels,
    {"direction": DIRECTIONS, "path": (), "depth": DEPTHS, "per_step": PER_STEP, "limit": LIMITS},
)
