"""Sessions by id and rebuilt ones: the section "Sessions" of docs/metrics.md."""

from collections.abc import Sequence
from datetime import timedelta
from statistics import median

from tests.support.plain_metrics.history import Events, Row
from tests.support.plain_metrics.raw import Event

__all__ = ["rebuilt_sessions", "session_summary", "sessions"]

LONGEST_GAP = timedelta(seconds=1800)
MICROSECOND = timedelta(microseconds=1)


def sessions(events: Events) -> list[Row]:
    rows = [
        {"session_id": session, "visitor": found[0].visitor and found[0].visitor[1], **_measured(events, found)}
        for session, found in events.sessions.items()
    ]
    return sorted(rows, key=lambda row: (row["started_at"], row["session_id"]))


def rebuilt_sessions(events: Events) -> list[Row]:
    rows = []
    for (kind, visitor), found in events.visitors.items():
        for number, part in enumerate(_split(events, found), 1):
            rows.append((kind, {"visitor": visitor, "number": number, **_measured(events, part)}))
    # "client" is less than "user".
    return [row for _, row in sorted(rows, key=lambda pair: (pair[1]["started_at"], pair[1]["visitor"], pair[0]))]


def session_summary(events: Events) -> list[Row]:
    return [_summary("session_id", sessions(events)), _summary("rebuilt", rebuilt_sessions(events))]


def _split(events: Events, found: Sequence[Event]) -> list[list[Event]]:
    parts: list[list[Event]] = []
    for event in found:
        if parts and events.time(event) - events.time(parts[-1][-1]) <= LONGEST_GAP:
            parts[-1].append(event)
        else:
            parts.append([event])
    return parts


def _measured(events: Events, found: Sequence[Event]) -> Row:
    times = [events.time(event) for event in found]
    names = {event.name for event in found}
    views = sum(event.is_view for event in found)
    duration = max(times) - min(times)
    return {
        "started_at": min(times),
        "ended_at": max(times),
        "duration": duration.total_seconds(),
        "events": len(found),
        "views": views,
        "interactions": len(found) - views,
        "is_bounce": views == 1 and len(found) == 1,
        "is_engaged": duration > timedelta(seconds=10) or "checkout_complete" in names or views >= 2,
        "has_cart": "add_to_cart_click" in names,
        "has_checkout_start": "checkout_start" in names,
        "has_purchase": "checkout_complete" in names,
    }


def _summary(method: str, rows: Sequence[Row]) -> Row:
    # In whole microseconds, which add up exactly; a double of a sum of doubles would depend on their order.
    durations = [(row["ended_at"] - row["started_at"]) // MICROSECOND for row in rows]

    def mean(total: float) -> float | None:
        return total / len(rows) if rows else None

    return {
        "method": method,
        "sessions": len(rows),
        "median_duration": median(durations) / 1_000_000 if rows else None,
        "average_duration": mean(sum(durations) / 1_000_000),
        "events_per_session": mean(sum(row["events"] for row in rows)),
        "views_per_session": mean(sum(row["views"] for row in rows)),
        "bounce_rate": mean(sum(row["is_bounce"] for row in rows)),
        "engagement_rate": mean(sum(row["is_engaged"] for row in rows)),
    }
