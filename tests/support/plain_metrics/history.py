"""Chooses the events of a metric from the objects of a bucket: duplicates, the range, the login state, the order."""

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, TypeVar

from tests.support.plain_metrics.occurrence import occurred_at, order_in_tab
from tests.support.plain_metrics.raw import Event

__all__ = ["ALWAYS", "Events", "Row", "choose", "first_of_each", "grouped", "ratio"]

# As far back as the warehouse looks: to the first event that it ever got.
ALWAYS = timedelta(days=36525)
Group = TypeVar("Group", bound=Hashable)
Row = dict[str, Any]


@dataclass(frozen=True)
class Events:
    """The events of one metric, in their order, and what the metric needs to know of the range.

    Attributes:
        all: The events of the range by position.
        earlier: The events before the range that were read too, by position.
        zone: The IANA name of the zone that makes hours, days and weeks.
        time: Gives the time of an event by the clock of the metric.
        price_decimals: Prices are whole numbers of 10^-price_decimals.
    """

    all: Sequence[Event]
    earlier: Sequence[Event]
    zone: str
    time: Callable[[Event], datetime]
    price_decimals: int = 0

    def amount(self, price: int | None) -> Fraction | None:
        """The amount that a stored price stands for."""
        return None if price is None else Fraction(price, 10**self.price_decimals)

    def by(self, group: Callable[[Event], Group | None]) -> dict[Group, list[Event]]:
        """The events of each group, in their order; events without a group are in none."""
        return grouped(self.all, group)

    @property
    def visitors(self) -> dict[tuple[str, str], list[Event]]:
        """The events of each visitor."""
        return self.by(lambda event: event.visitor)

    @property
    def sessions(self) -> dict[str, list[Event]]:
        """The events of each session id."""
        return self.by(lambda event: event.session)


def first_of_each(events: Iterable[Event]) -> list[Event]:
    """The event of each id that was received first; of two in one moment, that of the lower key."""
    first: dict[str, Event] = {}
    for event in sorted(events, key=lambda event: (event.received, event.key)):
        first.setdefault(event.event_id, event)
    return list(first.values())


def choose(
    objects: Iterable[Event],
    start: datetime,
    end: datetime,
    *,
    clock: str = "received",
    lookback: timedelta = timedelta(hours=24),
    lookahead: timedelta = timedelta(hours=24),
    login: str | None = None,
    zone: str = "UTC",
    price_decimals: int = 0,
    part: tuple[datetime, datetime] | None = None,
    bots: Collection[str] = (),
) -> Events:
    """Choose the events of a range: from `start`, before `end`, each id once, where it was received first.

    Args:
        objects: Every object of the bucket.
        start: The first moment.
        end: The moment after the last.
        clock: `received` or `occurred`.
        lookback: How long before `start` objects are read, too.
        lookahead: How long after `end` objects are read, too, if the clock is `occurred`.
        login: Keep only events of this login state.
        zone: The zone of hours, days and weeks.
        price_decimals: What the objects were read with.
        part: The first moment of the metric, and the one after its last, if it does not look at all that was read.
        bots: The user agents whose events are left out.
    """
    last = end + lookahead if clock == "occurred" else end
    read = [event for event in objects if start - lookback <= event.received < last]
    times = {event.key: event.received for event in read} if clock == "received" else occurred_at(read)

    def position(event: Event) -> tuple[Any, ...]:
        ties = (event.event_id,) if clock == "received" else order_in_tab(event)
        return times[event.key], *ties

    known = [event for event in first_of_each(read) if login in (None, event.login) and event.user_agent not in bots]
    known.sort(key=position)
    first, after = part or (start, end)
    chosen = [event for event in known if event.received >= start and first <= times[event.key] < after]
    earlier = [event for event in known if times[event.key] < first]
    return Events(chosen, earlier, zone, lambda event: times[event.key], price_decimals)


def grouped(events: Iterable[Event], group: Callable[[Event], Group | None]) -> dict[Group, list[Event]]:
    """Group events; those whose group is None are in none."""
    groups: dict[Group, list[Event]] = defaultdict(list)
    for event in events:
        found = group(event)
        if found is not None:
            groups[found].append(event)
    return dict(groups)


def ratio(part: Any, whole: Any) -> float | None:
    """A share as a double; None of nothing."""
    return part / whole if whole else None
