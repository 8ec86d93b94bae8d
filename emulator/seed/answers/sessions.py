"""Answers about sessions: those of the publisher's ids, and those rebuilt from the gaps between events."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import Any

from emulator.seed.answers.events import Events
from emulator.seed.answers.table import ADD, COMPLETE, START, VIEWS, Table, ratio, seconds
from emulator.seed.clock import MINUTE, SECOND, iso
from emulator.seed.record import Record

__all__ = ["rebuilt_sessions", "session_summary", "sessions"]

IDLE = 30 * MINUTE
ENGAGED = 10 * SECOND
FACTS = (
    "started_at",
    "ended_at",
    "duration",
    "events",
    "views",
    "interactions",
    "is_bounce",
    "is_engaged",
    "has_cart",
    "has_checkout_start",
    "has_purchase",
)


def sessions(events: Events) -> Table:
    """One row per session id."""
    rows = [(session_id, _visitor(records), *_measures(records)) for session_id, records in events.sessions.items()]
    return Table(("session_id", "visitor", *FACTS), sorted(rows, key=lambda row: (row[2], row[0])))


def rebuilt_sessions(events: Events) -> Table:
    """One row per session of a visitor, as the gaps between events say."""
    rows = [
        (_visitor(records), number, *_measures(records))
        for visitor in events.visitors.values()
        for number, records in enumerate(_rebuilt(visitor), 1)
    ]
    return Table(("visitor", "number", *FACTS), sorted(rows, key=lambda row: (row[2], row[0])))


def session_summary(events: Events) -> Table:
    """One row for each of both."""
    rebuilt = (records for visitor in events.visitors.values() for records in _rebuilt(visitor))
    columns = ("sessions", "median_duration", "average_duration", "events_per_session", "views_per_session")
    rows = [("session_id", *_summary(events.sessions.values())), ("rebuilt", *_summary(rebuilt))]
    return Table(("method", *columns, "bounce_rate", "engagement_rate"), rows)


def _rebuilt(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    """The events of one visitor, split at gaps."""
    begin = 0
    for position, (earlier, later) in enumerate(pairwise(records), 1):
        if later.time - earlier.time > IDLE:
            yield records[begin:position]
            begin = position
    yield records[begin:]


def _visitor(records: Sequence[Record]) -> str | None:
    visitor = records[0].visitor
    return None if visitor is None else visitor[1]


def _duration(records: Sequence[Record]) -> int:
    return records[-1].time - records[0].time


def _views(records: Sequence[Record]) -> int:
    return sum(record.name in VIEWS for record in records)


def _is_bounce(records: Sequence[Record]) -> bool:
    return len(records) == _views(records) == 1


def _is_engaged(records: Sequence[Record]) -> bool:
    return _duration(records) > ENGAGED or _has(records, COMPLETE) or _views(records) >= 2


def _has(records: Sequence[Record], name: str) -> bool:
    return any(record.name == name for record in records)


def _measures(records: Sequence[Record]) -> tuple[Any, ...]:
    views = _views(records)
    return (
        iso(records[0].time),
        iso(records[-1].time),
        seconds(_duration(records)),
        len(records),
        views,
        len(records) - views,
        _is_bounce(records),
        _is_engaged(records),
        *(_has(records, name) for name in (ADD, START, COMPLETE)),
    )


def _summary(sessions: Iterable[Sequence[Record]]) -> tuple[Any, ...]:
    measures = [(_duration(s), len(s), _views(s), _is_bounce(s), _is_engaged(s)) for s in sessions]
    if not measures:
        return (0, None, None, None, None, None, None)
    durations, *others = zip(*measures, strict=True)
    averages = (ratio(sum(values), len(measures)) for values in others)
    return len(measures), seconds(median(durations)), seconds(sum(durations)) / len(measures), *averages
