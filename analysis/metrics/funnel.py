"""Funnel: how many visitors get from step to step. Definitions: docs/metrics.md."""

from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

import polars as pl

from analysis.errors import AnalysisError
from analysis.metrics.arguments import check_choice
from analysis.metrics.engine import Engine
from analysis.metrics.range import Range
from analysis.metrics.statement import statement

__all__ = ["CENTURY", "CHECKOUT", "DAY", "Group", "Order", "funnel"]

Order: TypeAlias = Literal["ordered", "strict", "any"]
Group: TypeAlias = Literal["category", "brand", "visitor_type"]

CHECKOUT = ("product_view", "add_to_cart_click", "checkout_start", "checkout_complete")
DAY = 86400
CENTURY = 36525 * DAY

_STATEMENTS = {
    "ordered": {"funnel_links": "funnel/ordered", "funnel_attempts": "funnel/attempts"},
    "strict": {"funnel_links": "funnel/strict", "funnel_attempts": "funnel/attempts"},
    "any": {"funnel_attempts": "funnel/any"},
}


def funnel(
    engine: Engine,
    within: Range,
    steps: Sequence[str] = CHECKOUT,
    window: int = DAY,
    order: Order = "ordered",
    by: Group | None = None,
) -> pl.DataFrame:
    """Per step: `step` (1…), `event_name`, `visitors`, `from_first`, `from_previous` (shares of 1), `dropped`.

    `steps` are event names, `window` is seconds from an attempt's first event, inclusive. A visitor reaches a step if
    one of their attempts does: the events of the steps in this order, with others between them (`ordered`) or without
    (`strict`), or so many of the steps in `any` order (`event_name` is null then). With `by`, `group` comes first: the
    value at an attempt's first event; a visitor counts once in each group in which an attempt of theirs begins.
    Order: group, step. Definition: PostHog, `conversion-metric-definitions.md`. Raises AnalysisError for no steps,
    repeated ones, a window below 0 or beyond a century, and another `order` or `by`.
    """
    check_choice("order", order, get_args(Order))
    check_choice("by", by, (None, *get_args(Group)))
    if not steps or len(set(steps)) < len(steps):
        raise AnalysisError("a funnel needs steps, each with another event name")
    if not 0 <= window <= CENTURY:
        raise AnalysisError(f"a window is from 0 seconds to a century: not {window}")
    text = statement("funnel/funnel", funnel_steps="funnel/steps", funnel_events="funnel/events", **_STATEMENTS[order])
    parameters = {**within.parameters, "steps": list(steps), "window": window, "order": order, "by": by}
    frame = engine.query(text, parameters)
    return frame if by else frame.drop("group")
