"""The table of an answer, with columns and rows in the order of the metric's definition, and its calculations."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any, NamedTuple, TypeVar

from analysis.metrics.zone import zone_of
from emulator.seed.clock import MINUTE, SECOND, milliseconds, moment

__all__ = [
    "ADD",
    "COMPLETE",
    "REMOVE",
    "START",
    "VIEW",
    "VIEWS",
    "Table",
    "day_of",
    "first_day",
    "grouped",
    "period_of",
    "ratio",
    "seconds",
]

ADD, REMOVE, VIEW = "add_to_cart_click", "remove_from_cart_click", "product_view"
START, COMPLETE = "checkout_start", "checkout_complete"
VIEWS = frozenset(("page_view", "home_view", "category_view", "product_view"))
QUARTER = 15 * MINUTE
NOON = time(12)

T = TypeVar("T")
K = TypeVar("K")


class Table(NamedTuple):
    """Names of columns, and rows with one value for each column."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def ratio(numerator: float, denominator: float) -> float | None:
    """Divide; None if the denominator is 0."""
    return numerator / denominator if denominator else None


def seconds(duration: float) -> float:
    """Convert milliseconds to seconds."""
    return duration / SECOND


def grouped(members: Iterable[T], group: Callable[[T], K]) -> dict[K, list[T]]:
    """Return the members of each group, in their order."""
    groups: dict[K, list[T]] = defaultdict(list)
    for member in members:
        groups[group(member)].append(member)
    return groups


def period_of(time: int, grain: str, zone: str) -> int:
    """Return the beginning of a period of a time, by the clocks of a zone.

    A day begins with the first quarter hour before it with the same date, and an hour with the first one with the same
    hour and offset, too. A week or a month begins with its first day.
    """
    if grain == "minute":
        return time - time % MINUTE
    if grain in ("week", "month"):
        first = first_day(day_of(time, zone), grain)
        noon = milliseconds(datetime.combine(first, NOON, zone_of(zone)))
        return period_of(noon, "day", zone)
    return _first_quarter(time - time % QUARTER, grain, zone)


def day_of(time: int, zone: str) -> date:
    """Return the day of a time, by the clocks of a zone."""
    return moment(time).astimezone(zone_of(zone)).date()


def first_day(day: date, grain: str) -> date:
    """Return the Monday of a day's week, or the first day of its month; of the grain `day`, the day itself."""
    return {"day": day, "week": day - timedelta(days=day.weekday()), "month": day.replace(day=1)}[grain]


@cache
def _first_quarter(quarter: int, grain: str, zone: str) -> int:
    is_first = _place(quarter - QUARTER, grain, zone) != _place(quarter, grain, zone)
    return quarter if is_first else _first_quarter(quarter - QUARTER, grain, zone)


def _place(time: int, grain: str, zone: str) -> tuple[object, ...]:
    local = moment(time).astimezone(zone_of(zone))
    return (local.date(),) if grain == "day" else (local.date(), local.hour, local.utcoffset())
