"""How many visitors get from step to step: the section "Funnel" of docs/metrics.md."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from tests.support.plain_metrics.history import Events, Row, ratio
from tests.support.plain_metrics.overview import visitor_type
from tests.support.plain_metrics.raw import Event

__all__ = ["CHECKOUT", "funnel"]

CHECKOUT = ("product_view", "add_to_cart_click", "checkout_start", "checkout_complete")


def funnel(
    events: Events, steps: Sequence[str] = CHECKOUT, window: int = 86400, order: str = "ordered", by: str | None = None
) -> list[Row]:
    follow = {"ordered": _ordered, "strict": _strict, "any": _any}[order]
    # The furthest step of each visitor, by the group of the attempt.
    furthest: dict[str, dict[tuple[str, str], int]] = {} if by else {"": {}}
    for visitor, found in events.visitors.items():
        for place, event in enumerate(found):
            within = [
                each for each in found[place:] if events.time(each) - events.time(event) <= timedelta(seconds=window)
            ]
            reached = follow([each.name for each in within], steps)
            if reached:
                group = furthest.setdefault(_group(event, by), {})
                group[visitor] = max(reached, group.get(visitor, 0))
    return [row for name in sorted(furthest) for row in _rows(name, [*furthest[name].values()], steps, order, by)]


def _ordered(names: Sequence[str], steps: Sequence[str]) -> int:
    """The step that an attempt reaches which begins at the first of these events."""
    if names[0] != steps[0]:
        return 0
    rest = iter(names)
    return next((number for number, step in enumerate(steps) if step not in rest), len(steps))


def _strict(names: Sequence[str], steps: Sequence[str]) -> int:
    return next((at for at, step in enumerate(steps) if names[at : at + 1] != [step]), len(steps))


def _any(names: Sequence[str], steps: Sequence[str]) -> int:
    return len({*names} & {*steps}) if names[0] in steps else 0


def _group(event: Event, by: str | None) -> str:
    if by == "visitor_type":
        return visitor_type(event)
    value = {None: "", "category": event.category, "brand": event.brand}[by]
    return "unknown" if value is None else value


def _rows(group: str, reached: Sequence[int], steps: Sequence[str], order: str, by: str | None) -> Iterator[Row]:
    visitors = [sum(each >= number for each in reached) for number in range(1, len(steps) + 1)]
    for place, step in enumerate(steps):
        before = visitors[place - 1] if place else None
        yield {
            **({"group": group} if by else {}),
            "step": place + 1,
            "event_name": None if order == "any" else step,
            "visitors": visitors[place],
            "from_first": ratio(visitors[place], visitors[0]),
            "from_previous": ratio(visitors[place], before),
            "dropped": None if before is None else before - visitors[place],
        }
