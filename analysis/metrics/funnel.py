"""Funnel: how many visitors go on from each step to the next. Definitions: docs/metrics.md."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args

import polars as pl

from analysis.engines.protocol import Engine
from analysis.errors import AnalysisError
from analysis.metrics.acquisition import SessionColumn, check_derived, session_groups
from analysis.metrics.arguments import check_choice, check_limit
from analysis.metrics.range import Range
from analysis.metrics.statement import statement
from analysis.metrics.visitors import VisitorPlace, after_visitor

__all__ = ["CENTURY", "CHECKOUT", "DAY", "Group", "Order", "funnel", "funnel_dropped", "funnel_times"]

Order: TypeAlias = Literal["ordered", "strict", "any"]
EventColumn: TypeAlias = Literal["category", "brand", "visitor_type", "login_state"]
Group: TypeAlias = EventColumn | SessionColumn

GROUPS = (*get_args(EventColumn), *get_args(SessionColumn))
CHECKOUT = ("product_view", "add_to_cart_click", "checkout_start", "checkout_complete")
DAY = 86400
CENTURY = 36525 * DAY


def funnel(
    engine: Engine,
    within: Range,
    steps: Sequence[str] = CHECKOUT,
    window: int = DAY,
    order: Order = "ordered",
    by: Group | None = None,
) -> pl.DataFrame:
    """Count the visitors who reach each step of a funnel.

    An attempt begins with an event of the first step (of any step, if `order` is `any`). A visitor reaches a step if
    one of their attempts reaches it within the window. Definition: PostHog, `conversion-metric-definitions.md`.

    Args:
        engine: Where to compute: `RawEvents` or `WarehouseEvents`.
        within: The time range, and the login state.
        steps: The event names of the steps, each different.
        window: Seconds from an attempt's first event, inclusive; from 0 to a century.
        order: `ordered`: the events of the steps in this order, with other events between them. `strict`: in this
            order, with no other event between them. `any`: so many of the steps in any order.
        by: Count per group: `category`, `brand`, `visitor_type` or `login_state` of an attempt's first event, or the
            group of that event's session, as `sessions_by` names them. A visitor counts once in each group in which one
            of their attempts begins.

    Returns:
        One row per step: `step` (1…), `event_name` (null if `order` is `any`), `visitors`, `from_first` and
        `from_previous` (shares of 1), `dropped`. With `by`, one row per group and step, with `group` as the first
        column. Order: group, step.

    Raises:
        AnalysisError: The steps are empty or repeat a name, `window`, `order` or `by` has another value, or the events
            cannot be read.
    """
    return _query("funnel/funnel", engine, within, steps, window, order, by)


def funnel_times(
    engine: Engine,
    within: Range,
    steps: Sequence[str] = CHECKOUT,
    window: int = DAY,
    order: Order = "ordered",
    by: Group | None = None,
) -> pl.DataFrame:
    """Measure how long visitors take to each step of a funnel.

    A visitor's time to a step is the shortest one from the beginning of an attempt to the step. Arguments and errors
    are as in `funnel`.

    Returns:
        One row per step: `step` (1…), `event_name` (null if `order` is `any`), `visitors` who reach it, `median_time`
        (interpolated, as `percentile_cont` does) and `p90_time` (the shortest time within which nine tenths of them
        reach it), both in seconds from the beginning, null without visitors. With `by`, one row per group and step,
        with `group` as the first column. Order: group, step.
    """
    return _query("funnel/times", engine, within, steps, window, order, by)


def funnel_dropped(
    engine: Engine,
    within: Range,
    step: int,
    steps: Sequence[str] = CHECKOUT,
    window: int = DAY,
    order: Order = "ordered",
    limit: int | None = None,
    after: VisitorPlace | None = None,
) -> pl.DataFrame:
    """List the visitors who dropped at a step: they reach the step before it, and no further.

    Args:
        engine: Where to compute: `RawEvents` or `WarehouseEvents`.
        within: The time range, and the login state.
        step: The number of the step that they do not reach, from 2.
        steps: As in `funnel`.
        window: As in `funnel`.
        order: As in `funnel`.
        limit: The greatest number of rows; None for all.
        after: `last_event`, `visitor_kind` and `visitor` of the last row of the page before; None for the first page.

    Returns:
        The columns and the order of `visitors`, without orders. There are as many rows as `funnel` says at this step in
        `dropped`.

    Raises:
        AnalysisError: `step` is no step after the first, or as in `funnel` and `visitors`.
    """
    check_limit(limit)
    if not 2 <= step <= len(steps):
        raise AnalysisError(f"step must be a number from 2 to {len(steps)}, not {step}")
    relations = {"visitors": "visitors/measured", "chosen_visitors": "funnel/dropped"}
    place = {"step": step, "limit": limit, **after_visitor(after)}
    frame = _query("visitors/visitors", engine, within, steps, window, order, None, relations, place)
    return frame.drop("visitor_key")


def _query(
    metric: str,
    engine: Engine,
    within: Range,
    steps: Sequence[str],
    window: int,
    order: Order,
    by: Group | None,
    relations: Mapping[str, str] = MappingProxyType({}),
    more: Mapping[str, object] = MappingProxyType({}),
) -> pl.DataFrame:
    """Run a query over the attempts of a funnel."""
    check_choice("order", order, get_args(Order))
    check_choice("by", by, (None, *GROUPS))
    if not steps or len(set(steps)) < len(steps):
        raise AnalysisError("a funnel needs at least one step, and each step needs a different event name")
    if not 0 <= window <= CENTURY:
        raise AnalysisError(f"window must be between 0 seconds and a century ({CENTURY}), not {window}")
    text = statement(
        metric, by in get_args(SessionColumn), **_groups(engine, by), **_attempts(order, len(steps)), **relations
    )
    parameters = {**within.parameters, "steps": list(steps), "window": window, "order": order, "by": by, **more}
    frame = engine.query(text, parameters)
    return frame if by or "group" not in frame.columns else frame.drop("group")


def _groups(engine: Engine, by: Group | None) -> dict[str, str]:
    """Name the relations that give the group of each event."""
    if by is None or by in get_args(EventColumn):
        return {"funnel_groups": "funnel/event_groups"}
    check_derived(engine, f"a funnel by {by}")
    return {**session_groups(by), "funnel_groups": "funnel/session_groups"}


def _attempts(order: Order, steps: int) -> dict[str, str | tuple[str, str]]:
    """Name the relations that give the steps that attempts reach."""
    relations = {"funnel_steps": "funnel/steps", "funnel_events": "funnel/events"}
    return {**relations, **(_ordered(steps) if order == "ordered" else {"funnel_attempts": f"funnel/{order}"})}


def _ordered(steps: int) -> dict[str, str | tuple[str, str]]:
    """Name the relations of an ordered funnel: one per step, each made from the one before."""
    levels: dict[str, str | tuple[str, str]] = {"funnel_level_1": "funnel/ordered"}
    levels |= {f"funnel_level_{step}": ("funnel/next_step", f"funnel_level_{step - 1}") for step in range(2, steps + 1)}
    return {**levels, "funnel_attempts": ("funnel/reached", f"funnel_level_{steps}")}
