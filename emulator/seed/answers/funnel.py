"""Answers of the funnel: counts the visitors who reach each step, in three orders and for several groups."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import zip_longest
from math import ceil
from statistics import median
from typing import Any

from emulator.seed.answers.acquisition import session_groups
from emulator.seed.answers.events import Events
from emulator.seed.answers.overview import visitor_type
from emulator.seed.answers.table import ADD, COMPLETE, START, VIEW, Table, ratio, seconds
from emulator.seed.answers.visitors import VISITOR_COLUMNS, visitor_rows
from emulator.seed.clock import DAY, SECOND
from emulator.seed.record import Record, Visitor

__all__ = ["GROUPS", "ORDERS", "STEPS", "WINDOW", "funnel", "funnel_dropped", "funnel_times"]

STEPS = (VIEW, ADD, START, COMPLETE)
WINDOW = DAY // SECOND
GROUPS: dict[str | None, Callable[[Record], str]] = {
    None: lambda _record: "",
    "category": lambda record: record.category or "unknown",
    "brand": lambda record: record.brand or "unknown",
    "visitor_type": visitor_type,
    "login_state": lambda record: record.login_state or "unknown",
}

# Its first event, and how long it takes to each step that it reaches, in milliseconds.
Attempt = tuple[Record, list[int]]


def ordered(records: Sequence[Record], steps: Sequence[str], window: int) -> Iterator[Attempt]:
    """Yield an attempt for each event of step 1; each step is the earliest event of its name after the step before."""
    relevant = [record for record in records if record.name in steps]
    for position, first in enumerate(relevant):
        if first.name != steps[0]:
            continue
        times = [0]
        for later in relevant[position + 1 :]:
            if len(times) == len(steps) or later.time > first.time + window:
                break
            if later.name == steps[len(times)]:
                times.append(later.time - first.time)
        yield first, times


def strict(records: Sequence[Record], steps: Sequence[str], window: int) -> Iterator[Attempt]:
    """Yield attempts as `ordered` does, but each step has to be the very next event of the visitor."""
    for position, first in enumerate(records):
        if first.name != steps[0]:
            continue
        times = [0]
        for later, name in zip(records[position + 1 : position + len(steps)], steps[1:], strict=False):
            if later.name != name or later.time > first.time + window:
                break
            times.append(later.time - first.time)
        yield first, times


def any_order(records: Sequence[Record], steps: Sequence[str], window: int) -> Iterator[Attempt]:
    """Yield an attempt for each event of any step; it reaches as many steps as occur from there on, in any order."""
    relevant = [record for record in records if record.name in steps]
    for position, first in enumerate(relevant):
        soonest: dict[str, int] = {}
        for later in relevant[position:]:
            if len(soonest) == len(steps) or later.time > first.time + window:
                break
            soonest.setdefault(later.name, later.time - first.time)
        yield first, sorted(soonest.values())


ORDERS = {"ordered": ordered, "strict": strict, "any": any_order}


def funnel(
    events: Events, steps: Sequence[str] = STEPS, window: int = WINDOW, order: str = "ordered", by: str | None = None
) -> Table:
    """Count the visitors of each step.

    Args:
        events: The events of the metric.
        steps: Event names of the steps.
        window: The most seconds from the first event of an attempt to its last step.
        order: A key of ORDERS.
        by: A key of GROUPS, or one of SESSION_COLUMNS; the group of an attempt is that of its first event.
    """
    visitors: dict[str, list[int]] = defaultdict(lambda: [0] * len(steps))
    if by is None:
        visitors[""] = [0] * len(steps)
    for group, of_visitors in _times(events, steps, window, order, by).items():
        for times in of_visitors.values():
            for step in range(len(times)):
                visitors[group][step] += 1
    names = [None] * len(steps) if order == "any" else list(steps)
    columns = ("step", "event_name", "visitors", "from_first", "from_previous", "dropped")
    rows = [row for group in sorted(visitors) for row in _rows(group, names, visitors[group])]
    if by is None:
        return Table(columns, [row[1:] for row in rows])
    return Table(("group", *columns), rows)


def funnel_times(
    events: Events, steps: Sequence[str] = STEPS, window: int = WINDOW, order: str = "ordered", by: str | None = None
) -> Table:
    """Measure the time to each step: the median of the visitors, and what nine tenths of them need. As in `funnel`."""
    found = _times(events, steps, window, order, by)
    rows: list[tuple[Any, ...]] = []
    for group in sorted(found) if by else [""]:
        for number, name in enumerate(steps, 1):
            times = sorted(each[number - 1] for each in found.get(group, {}).values() if len(each) >= number)
            most = seconds(times[ceil(Fraction(9, 10) * len(times)) - 1]) if times else None
            middle = seconds(median(times)) if times else None
            rows.append((group, number, None if order == "any" else name, len(times), middle, most))
    columns = ("step", "event_name", "visitors", "median_time", "p90_time")
    return Table(("group", *columns), rows) if by else Table(columns, [row[1:] for row in rows])


def funnel_dropped(
    events: Events,
    step: int,
    limit: int,
    steps: Sequence[str] = STEPS,
    window: int = WINDOW,
    order: str = "ordered",
) -> Table:
    """List the visitors who reach the step before, and no further."""
    reached = _times(events, steps, window, order, None).get("", {})
    stopped = {visitor for visitor, times in reached.items() if len(times) == step - 1}
    return Table(VISITOR_COLUMNS, [row for row in visitor_rows(events) if row[:2] in stopped][:limit])


def _times(
    events: Events, steps: Sequence[str], window: int, order: str, by: str | None
) -> dict[str, dict[Visitor, list[int]]]:
    """Return the shortest times to each step, by group and visitor."""
    group_of = _group_of(events, by)
    found: dict[str, dict[Visitor, list[int]]] = defaultdict(dict)
    for visitor, records in events.visitors.items():
        for first, times in ORDERS[order](records, steps, window * SECOND):
            of_group = found[group_of(first)]
            best = of_group.get(visitor, [])
            of_group[visitor] = [
                min(pair) for pair in zip_longest(times, best, fillvalue=max(*times, *best, window * SECOND))
            ]
    return found


def _group_of(events: Events, by: str | None) -> Callable[[Record], str]:
    if by in GROUPS:
        return GROUPS[by]
    groups = session_groups(events, str(by))
    return lambda record: groups.get(record.session_id or "", "unknown")


def _rows(group: str, names: Sequence[str | None], visitors: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    yield group, 1, names[0], visitors[0], ratio(visitors[0], visitors[0]), None, None
    for number in range(1, len(names)):
        before, now = visitors[number - 1], visitors[number]
        yield group, number + 1, names[number], now, ratio(now, visitors[0]), ratio(now, before), before - now
