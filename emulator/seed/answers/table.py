"""The table of an answer, with columns and rows in the order of the metric's definition, and its calculations."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any, NamedTuple, TypeVar

from emulator.seed.clock import DAY, HOUR, SECOND

__all__ = [
    "ADD",
    "COMPLETE",
    "REMOVE",
    "START",
    "VIEW",
    "VIEWS",
    "Table",
    "day_of",
    "grouped",
    "period_of",
    "ratio",
    "seconds",
]

ADD, REMOVE, VIEW = "add_to_cart_click", "remove_from_cart_click", "product_view"
START, COMPLETE = "checkout_start", "checkout_complete"
VIEWS = frozenset(("page_view", "home_view", "category_view", "product_view"))
PERIODS = {"hour": HOUR, "day": DAY}

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


def period_of(time: int, grain: str) -> int:
    """Return the beginning of the hour or UTC day of a time."""
    return time - time % PERIODS[grain]


def day_of(time: int) -> date:
    """Return the UTC day of a time."""
    return date(1970, 1, 1) + timedelta(days=time // DAY)
