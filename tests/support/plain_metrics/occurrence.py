"""When events happened: the section "When it happened, and when it came" of docs/metrics.md."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from tests.support.plain_metrics.raw import Event

__all__ = ["occurred_at", "order_in_tab"]

MOST_TRANSIT = timedelta(seconds=60)
MOST_AHEAD, MOST_WAIT = timedelta(days=1), timedelta(days=28)


def occurred_at(events: Sequence[Event]) -> Mapping[str, datetime]:
    """Say when each event happened, by the key of its object, as far as these events tell."""
    corrected = _corrected(events)
    times = {}
    tabs: dict[Any, list[Event]] = defaultdict(list)
    for event in events:
        if None in (event.client, event.tab, event.seq, event.ingested):
            times[event.key] = min(corrected.get(event.key, event.received), event.received)
        else:
            tabs[event.client, event.tab].append(event)
    for tab in tabs.values():
        times |= _in_tab(sorted(tab, key=lambda event: (event.seq, event.received, event.event_id)), corrected)
    return times


def order_in_tab(event: Event) -> tuple[Any, ...]:
    """The order of events of one time: by client, tab, number and id, with what is absent first."""
    values = (event.client, event.tab, event.seq, event.event_id)
    return tuple((value is not None, value if value is not None else 0) for value in values)


def _corrected(events: Sequence[Event]) -> dict[str, datetime]:
    """The usable browser's times, set right."""
    ways: dict[str, list[tuple[str, datetime, timedelta]]] = defaultdict(list)
    for event in events:
        if event.client is None or event.ingested is None or event.sent is None:
            continue
        way = event.ingested - event.sent
        if -MOST_AHEAD <= way <= MOST_WAIT:
            ways[event.client].append((event.key, event.sent, way))
    times = {}
    for found in ways.values():
        quickest = min(way for _, _, way in found)
        correction = timedelta() if timedelta() <= quickest <= MOST_TRANSIT else quickest
        times.update({key: sent + correction for key, sent, _ in found})
    return times


def _in_tab(tab: Sequence[Event], corrected: Mapping[str, datetime]) -> dict[str, datetime]:
    """The times of one tab's events, which are given by number."""
    times: dict[str, datetime] = {}
    for place, event in enumerate(tab):
        later = tab[place:]
        own = next((corrected[each.key] for each in later if each.key in corrected), event.received)
        lowered = min(own, *(each.received for each in later), event.received)
        times[event.key] = max([lowered, *times.values()])
    return times
