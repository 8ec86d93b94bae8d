"""Funnel: how many visitors go on from each step to the next. Definitions: docs/metrics.md."""

from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

import polars as pl

from analysis.engines.protocol import Engine
from analysis.errors import AnalysisError
from analysis.metrics.arguments import check_choice
from analysis.metrics.range import Range
from analysis.metrics.statement import statement

__all__ = ["CENTURY", "CHECKOUT", "DAY", "Group", "Order", "funnel"]

Order: TypeAlias = Literal["ordered", "strict", "any"]
Group: TypeAlias = Literal["category", "brand", "visitor_type"]

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
        by: Count per group: `category`, `brand` or `visitor_type` at an attempt's first event. A visitor counts once in
            each group in which one of their attempts begins.

    Returns:
        One row per step: `step` (1…), `event_name` (null if `order` is `any`), `visitors`, `from_first` and
        `from_previous` (shares of 1), `dropped`. With `by`, one row per group and step, with `group` as the first
        column. Order: group, step.

    Raises:
        AnalysisError: The steps are empty or repeat a name, `window`, `order` or `by` has another value, or the events
            cannot be read.
    """
    check_choice("order", order, get_args(Order))
    check_choice("by", by, (None, *get_args(Group)))
    if not steps or len(set(steps)) < len(steps):
        raise AnalysisError("a funnel needs at least one step, and each step needs a different event name")
    if not 0 <= window <= CENTURY:
        raise AnalysisError(f"window must be between 0 seconds and a century ({CENTURY}), not {window}")
    attempts = _ordered(len(steps)) if order == "ordered" else {"funnel_attempts": f"funnel/{order}"}
    text = statement("funnel/funnel", funnel_steps="funnel/steps", funnel_events="funnel/events", **attempts)
    parameters = {**within.parameters, "steps": list(steps), "window": window, "order": order, "by": by}
    frame = engine.query(text, parameters)
    return frame if by else frame.drop("group")


def _ordered(steps: int) -> dict[str, str | tuple[str, str]]:
    """Name the relations of an ordered funnel: one per step, each made from the one before."""
    levels: dict[str, str | tuple[str, str]] = {"funnel_level_1": "funnel/ordered"}
    levels |= {f"funnel_level_{step}": ("funnel/next_step", f"funnel_level_{step - 1}") for step in range(2, steps + 1)}
    return {**levels, "funnel_attempts": ("funnel/reached", f"funnel_level_{steps}")}
