"""Answers of the funnel: counts the visitors who reach each step, in three orders and for several groups."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from emulator.seed.answers.events import Events
from emulator.seed.answers.overview import visitor_type
from emulator.seed.answers.table import ADD, COMPLETE, START, VIEW, Table, ratio
from emulator.seed.clock import DAY, SECOND
from emulator.seed.record import Record

__all__ = ["GROUPS", "ORDERS", "STEPS", "WINDOW", "funnel"]

STEPS = (VIEW, ADD, START, COMPLETE)
WINDOW = DAY // SECOND
GROUPS: dict[str | None, Callable[[Record], str]] = {
    None: lambda _record: "",
    "category": lambda record: record.category or "unknown",
    "brand": lambda record: record.brand or "unknown",
    "visitor_type": visitor_type,
}

Attempt = tuple[Record, int]  # its first event, and the number of the last step that it reaches


def ordered(records: Sequence[Record], steps: Sequence[str], window: int) -> Iterator[Attempt]:
    """Yield an attempt for each event of step 1; each step is the earliest event of its name after the step before."""
    relevant = [record for record in records if record.name in steps]
    for position, first in enumerate(relevant):
        if first.name != steps[0]:
            continue
        reached = 1
        for later in relevant[position + 1 :]:
            if reached == len(steps) or later.time > first.time + window:
                break
            reached += later.name == steps[reached]
        yield first, reached


def strict(records: Sequence[Record], steps: Sequence[str], window: int) -> Iterator[Attempt]:
    """Yield attempts as `ordered` does, but each step has to be the very next event of the visitor."""
    for position, first in enumerate(records):
        if first.name != steps[0]:
            continue
        reached = 1
        for later, name in zip(records[position + 1 : position + len(steps)], steps[1:], strict=False):
            if later.name != name or later.time > first.time + window:
                break
            reached += 1
        yield first, reached


def any_order(records: Sequence[Record], steps: Sequence[str], window: int) -> Iterator[Attempt]:
    """Yield an attempt for each event of any step; it reaches as many steps as occur from there on, in any order."""
    relevant = [record for record in records if record.name in steps]
    for position, first in enumerate(relevant):
        names: set[str] = set()
        for later in relevant[position:]:
            if len(names) == len(steps) or later.time > first.time + window:
                break
            names.add(later.name)
        yield first, len(names)


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
        by: A key of GROUPS; the group of an attempt is that of its first event.
    """
    group_of = GROUPS[by]
    visitors: dict[str, list[int]] = defaultdict(lambda: [0] * len(steps))
    if by is None:
        visitors[""] = [0] * len(steps)
    for records in events.visitors.values():
        furthest: dict[str, int] = {}
        for first, reached in ORDERS[order](records, steps, window * SECOND):
            group = group_of(first)
            furthest[group] = max(reached, furthest.get(group, 0))
        for group, reached in furthest.items():
            for step in range(reached):
                visitors[group][step] += 1
    names = [None] * len(steps) if order == "any" else list(steps)
    columns = ("step", "event_name", "visitors", "from_first", "from_previous", "dropped")
    rows = [row for group in sorted(visitors) for row in _rows(group, names, visitors[group])]
    if by is None:
        return Table(columns, [row[1:] for row in rows])
    return Table(("group", *columns), rows)


def _rows(group: str, names: Sequence[str | None], visitors: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    yield group, 1, names[0], visitors[0], ratio(visitors[0], visitors[0]), None, None
    for number in range(1, len(names)):
        before, now = visitors[number - 1], visitors[number]
        yield group, number + 1, names[number], now, ratio(now, visitors[0]), ratio(now, before), before - now
