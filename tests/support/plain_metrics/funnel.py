"""How many visitors get from step to step: the section "Funnel" of docs/metrics.md."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from statistics import median
from typing import Any

from tests.support.plain_metrics.acquisition import group_of
from tests.support.plain_metrics.history import Events, Row, ratio
from tests.support.plain_metrics.overview import visitor_type
from tests.support.plain_metrics.raw import Event
from tests.support.plain_metrics.visitors import listed_visitors

__all__ = ["CHECKOUT", "funnel", "funnel_dropped", "funnel_times"]

OF_EVENTS = ("category", "brand", "visitor_type", "login_state")
MICROSECOND = timedelta(microseconds=1)

CHECKOUT = ("product_view", "add_to_cart_click", "checkout_start", "checkout_complete")


def funnel(
    events: Events, steps: Sequence[str] = CHECKOUT, window: int = 86400, order: str = "ordered", by: str | None = None
) -> list[Row]:
    # The furthest step of each visitor, by the group of the attempt.
    furthest: dict[str, dict[tuple[str, str], int]] = {} if by else {"": {}}
    for group, visitor, times in _attempts(events, steps, window, order, by):
        of_group = furthest.setdefault(group, {})
        of_group[visitor] = max(len(times), of_group.get(visitor, 0))
    return [row for name in sorted(furthest) for row in _rows(name, [*furthest[name].values()], steps, order, by)]


def funnel_times(
    events: Events, steps: Sequence[str] = CHECKOUT, window: int = 86400, order: str = "ordered", by: str | None = None
) -> list[Row]:
    # The shortest time of each visitor to each step, by the group of the attempt and the step.
    soonest: dict[str, dict[int, dict[tuple[str, str], timedelta]]] = {} if by else {"": {}}
    for group, visitor, times in _attempts(events, steps, window, order, by):
        for step, time in enumerate(times, 1):
            of_step = soonest.setdefault(group, {}).setdefault(step, {})
            of_step[visitor] = min(time, of_step.get(visitor, time))
    rows = []
    for group in sorted(soonest):
        for step, name in enumerate(steps, 1):
            found = sorted(soonest[group].get(step, {}).values())
            row: Row = {
                **({"group": group} if by else {}),
                "step": step,
                "event_name": None if order == "any" else name,
                "visitors": len(found),
                "median_time": median(time // MICROSECOND for time in found) / 1_000_000 if found else None,
                "p90_time": None,
            }
            # The first time that is long enough for nine tenths of the visitors.
            row["p90_time"] = next(
                (time.total_seconds() for place, time in enumerate(found, 1) if 10 * place >= 9 * len(found)), None
            )
            rows.append(row)
    return rows


def funnel_dropped(
    events: Events,
    step: int,
    steps: Sequence[str] = CHECKOUT,
    window: int = 86400,
    order: str = "ordered",
    limit: int | None = None,
    after: Any = None,
) -> list[Row]:
    furthest: dict[tuple[str, str], int] = {}
    for _, visitor, times in _attempts(events, steps, window, order, None):
        furthest[visitor] = max(len(times), furthest.get(visitor, 0))
    rows = listed_visitors(events, after)
    return [row for row in rows if furthest.get((row["visitor_kind"], row["visitor"])) == step - 1][:limit]


def _attempts(
    events: Events, steps: Sequence[str], window: int, order: str, by: str | None
) -> Iterator[tuple[str, tuple[str, str], list[timedelta]]]:
    """The group and visitor of each attempt, and the time that it takes to each step that it reaches."""
    follow = {"ordered": _ordered, "strict": _strict, "any": _any}[order]
    groups = {} if by is None or by in OF_EVENTS else {s: group_of(found, by) for s, found in events.sessions.items()}
    for visitor, found in events.visitors.items():
        for place, event in enumerate(found):
            within = [
                each for each in found[place:] if events.time(each) - events.time(event) <= timedelta(seconds=window)
            ]
            reached = follow([each.name for each in within], steps)
            if reached:
                is_of_event = by is None or by in OF_EVENTS
                group = _group(event, by) if is_of_event else groups.get(event.session or "", "unknown")
                yield group, visitor, [events.time(within[at]) - events.time(event) for at in reached]


def _ordered(names: Sequence[str], steps: Sequence[str]) -> list[int]:
    """The places of the events by which an attempt reaches its steps that begins at the first of these events."""
    reached: list[int] = []
    for place, name in enumerate(names):
        if len(reached) < len(steps) and name == steps[len(reached)]:
            reached.append(place)
        elif not reached:
            return []
    return reached


def _strict(names: Sequence[str], steps: Sequence[str]) -> list[int]:
    return [*range(next((at for at, step in enumerate(steps) if names[at : at + 1] != [step]), len(steps)))]


def _any(names: Sequence[str], steps: Sequence[str]) -> list[int]:
    return sorted(names.index(step) for step in {*names} & {*steps}) if names[0] in steps else []


def _group(event: Event, by: str | None) -> str:
    if by == "visitor_type":
        return visitor_type(event)
    value = {None: "", "category": event.category, "brand": event.brand, "login_state": event.login}[by]
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
