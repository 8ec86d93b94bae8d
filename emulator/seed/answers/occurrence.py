"""Answers about when events happened: the rule of docs/metrics.md, one event after the other."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from emulator.seed.answers.table import grouped
from emulator.seed.clock import DAY, MINUTE, milliseconds
from emulator.seed.event import Event

__all__ = ["CLOCKS", "occurrences"]

CLOCKS = ("received", "occurred")
MOST_AHEAD, MOST_WAIT = DAY, 28 * DAY


def occurrences(events: Iterable[Event]) -> Mapping[str, int]:
    """Return when each event occurred, by its event id.

    The events are all of some clients, each once: a copy, which is received later, changes nothing.
    """
    found: dict[str, int] = {}
    for client_id, of_client in grouped(events, lambda event: event.payload["clientId"]).items():
        if client_id is None:
            found |= {event.payload["eventId"]: event.received_at for event in of_client}
            continue
        correction = _correction(of_client)
        for tab in grouped(of_client, lambda event: event.payload["tabId"]).values():
            found |= _of_tab(tab, correction)
    return found


def _sent_at(event: Event) -> int | None:
    """Return the browser's time of an event, if it has one that is near its receipt."""
    text = event.payload["eventTimestamp"]
    sent_at = None if text is None else milliseconds(datetime.fromisoformat(text))
    if sent_at is None or not -MOST_AHEAD <= event.received_at - sent_at <= MOST_WAIT:
        return None
    return sent_at


def _correction(events: Iterable[Event]) -> int:
    ways = [event.received_at - sent_at for event in events if (sent_at := _sent_at(event)) is not None]
    smallest = min(ways, default=0)
    return 0 if 0 <= smallest <= MINUTE else smallest


def _of_tab(events: list[Event], correction: int) -> dict[str, int]:
    """Go back over the numbers for the latest possible times, and then forward for the order."""

    def place(event: Event) -> Any:  # noqa: ANN401  # what a sort compares
        return event.payload["seq"], event.received_at, event.payload["eventId"]

    ordered = sorted(events, key=place)
    times: list[int] = []
    next_time: int | None = None
    earliest_receipt = ordered[-1].received_at
    for event in reversed(ordered):
        earliest_receipt = min(earliest_receipt, event.received_at)
        sent_at = _sent_at(event)
        next_time = next_time if sent_at is None else sent_at + correction
        times.append(earliest_receipt if next_time is None else min(next_time, earliest_receipt))
    found: dict[str, int] = {}
    latest: int | None = None
    for event, time in zip(ordered, reversed(times), strict=True):
        latest = time if latest is None else max(latest, time)
        found[event.payload["eventId"]] = latest
    return found
