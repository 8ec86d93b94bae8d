"""Paths: which event or page follows which in a session. Definitions: docs/metrics.md."""

from typing import Literal, TypeAlias, get_args

import polars as pl

from analysis.engines.protocol import Engine
from analysis.errors import AnalysisError
from analysis.metrics.acquisition import check_derived
from analysis.metrics.arguments import check_choice, check_limit
from analysis.metrics.range import Range
from analysis.metrics.statement import statement

__all__ = ["Direction", "Node", "path_links", "paths"]

Node: TypeAlias = Literal["page", "event"]
Direction: TypeAlias = Literal["from", "to"]


def paths(engine: Engine, within: Range, limit: int | None = None, *, clicks: bool = False) -> pl.DataFrame:
    """Count the transitions from one event to the next within sessions.

    Args:
        engine: Where to compute: `RawEvents` or `WarehouseEvents`.
        within: The time range, and the login state.
        limit: The greatest number of rows; None for all.
        clicks: Count automatic `click` events too. By default they are left out before neighbours are sought, because
            they are most of a session: two events with only clicks between them follow each other.

    Returns:
        One row per pair of event names that follow each other in a session: `from_event`, `to_event`, `transitions`,
        `share` of all transitions from `from_event` (of 1; the limit does not change it). Order: transitions, most
        first, then from_event, to_event.

    Raises:
        AnalysisError: `limit` is negative.
    """
    check_limit(limit)
    return engine.query(statement("paths"), {**within.parameters, "limit": limit, "clicks": clicks})


def path_links(
    engine: Engine,
    within: Range,
    node: str | None = None,
    direction: Direction = "from",
    steps: int = 3,
    limit: int | None = None,
    *,
    nodes: Node = "page",
) -> pl.DataFrame:
    """Count the sessions on each link of the paths from a page, or to a page: the links of a Sankey diagram.

    Automatic `click` events are left out, and a page that follows itself counts once.

    Args:
        engine: Where to compute: an engine with derived columns, so not the warehouse, unless `nodes` is `event`.
        within: The time range, and the login state.
        node: The page's path (or the event's name) at which the paths begin, or to which they lead. None: the first one
            of each session, or the last one.
        direction: `from`: what follows the node's first place in a session. `to`: what comes before its last place.
        steps: How many links of each session are followed, counted away from the node.
        limit: The greatest number of links of each step; None for all.
        nodes: `page` for pages, by their paths, or `event` for events, by their names.

    Returns:
        One row per link: `step` (1…, away from the node), `from_node` (null if the session begins with `to_node`),
        `to_node` (null if the session ends with `from_node`), `sessions`. Order: step, then sessions, most first, then
        from_node, to_node (null last).

    Raises:
        AnalysisError: An argument has another value, or the engine has no derived columns.
    """
    check_limit(limit)
    check_choice("direction", direction, get_args(Direction))
    check_choice("nodes", nodes, get_args(Node))
    if steps < 1:
        raise AnalysisError(f"steps must be a number of links, 1 or more, not {steps}")
    if nodes == "page":
        check_derived(engine, "path_links over pages")
    text = statement("path_links/links", nodes == "page", path_nodes=f"path_links/{nodes}s")
    parameters = {"node": node, "direction": direction, "steps": steps, "limit": limit}
    return engine.query(text, {**within.parameters, **parameters})
