"""Faults of transport: events that come twice, late or not at all, and objects that are stored wrongly."""

from emulator.seed.clock import DAY, HOUR, MINUTE, SECOND, hour_of
from emulator.seed.event import Event, random_uuid
from emulator.seed.history import History

__all__ = [
    "corrupt_object",
    "counted_loss",
    "late_events",
    "lost_events",
    "repeated_in_another_hour",
    "repeated_object",
    "repeated_seq",
    "wrong_partition",
]

MOST_LOST = 3  # in a row
MOST_LATE = 6
LATEST = 5 * HOUR
SAME_DAY, NEXT_DAY = (10 * MINUTE, LATEST), (12 * HOUR, 20 * HOUR)  # how long a device may be offline
TWIN = 7  # milliseconds later


def repeated_object(history: History) -> bool:
    """Plant an event that is stored twice within seconds, perhaps within the same millisecond."""
    return _repeat(history, history.random.choice((0, 1, SECOND, 3 * SECOND)))


def repeated_in_another_hour(history: History) -> bool:
    """Plant an event that is stored once more in a later partition."""
    return _repeat(history, history.random.randint(HOUR, LATEST))


def _repeat(history: History, delay: int) -> bool:
    event = history.pick(lambda event: event.received_at + delay < history.end)
    if event is None:
        return False
    copy = event.again(history.random, event.received_at + delay)
    history.copies.append(copy)
    later = max(event, copy, key=lambda each: (each.received_at, each.key))
    history.findings.add("repeated_event_ids", key=later.key, event_id=event.payload["eventId"])
    return True


def late_events(history: History) -> bool:
    """Plant a device that is offline for a while, so that its events are received later, all together.

    A part of a session is late, for hours or until the next day. Its clock is right, so it is known when they happened.
    """
    session = history.session(history.pick_any())
    if len(session) < 2:
        return False
    late = session[history.random.randrange(1, len(session)) :][: history.random.randint(1, MOST_LATE)]
    if late[-1].at + NEXT_DAY[1] + SECOND > history.end:
        return False
    usual = min(event.received_at - event.at for event in history.client(late[0]) if event not in late)
    online_at = late[-1].at + history.random.randint(*history.random.choice((SAME_DAY, NEXT_DAY)))
    for number, event in enumerate(late):
        event.received_at = online_at + number * history.random.randint(5, 40)
        seconds = (event.received_at - event.at - usual) / SECOND
        history.findings.add("late_events", key=event.key, seconds=seconds)
        if event.received_at // DAY > event.at // DAY:
            history.findings.add("moved_days", key=event.key)
    return True


def lost_events(history: History) -> bool:
    """Plant events that never arrive and that the publisher did not count."""
    return bool(_lose(history))


def counted_loss(history: History) -> bool:
    """Plant events that never arrive and that the publisher counts as dropped in later events."""
    lost = _lose(history)
    if not lost:
        return False
    reason = history.random.choice(("overflow", "refused"))
    for event in history.client(lost[-1]):
        if event.at > lost[-1].at:
            event.payload["dropped"][reason] += len(lost)
    history.findings.add("counted_drops", client_id=lost[-1].payload["clientId"], grew_by=len(lost))
    return True


def _lose(history: History) -> list[Event]:
    """Remove consecutive events of a tab, neither its first nor its last, and return them."""
    event = history.pick(lambda event: event.payload["seq"] > 1)
    if event is None:
        return []
    tab = history.tab(event)
    lost = tab[tab.index(event) : -1][: history.random.randint(1, MOST_LOST)]
    lost = [each for each in lost if each.payload["sessionId"] == event.payload["sessionId"]]
    if not lost or not history.is_spare(*lost):
        return []
    history.events = [each for each in history.events if each not in lost]
    client_id, tab_id = event.payload["clientId"], event.payload["tabId"]
    first, last = (each.payload["seq"] for each in (lost[0], lost[-1]))
    history.findings.add("lost_events", client_id=client_id, tab_id=tab_id, first=first, last=last)
    return lost


def repeated_seq(history: History) -> bool:
    """Plant two events of a tab with the same sequence number, as if the tab had been duplicated."""
    event = history.pick(lambda event: event.received_at + TWIN < history.end)
    if event is None:
        return False
    twin = event.again(history.random, event.received_at + TWIN)
    twin.payload["eventId"] = str(random_uuid(history.random))
    history.events.insert(history.events.index(event) + 1, twin)
    event_ids = sorted(each.payload["eventId"] for each in (event, twin))
    client_id, tab_id, seq = (event.payload[member] for member in ("clientId", "tabId", "seq"))
    history.findings.add("repeated_seqs", client_id=client_id, tab_id=tab_id, seq=seq, event_ids=event_ids)
    return True


def corrupt_object(history: History) -> bool:
    """Plant an object in the bucket that is not a JSON object, beside the complete events."""
    event = history.pick_any()
    body = event.body
    bodies = (b"", b"[]", b"null", body[: len(body) // 2], b"\xff\xfe" + body, body + body)
    corrupt = event.again(history.random, event.received_at)
    history.corrupt.append((corrupt, history.random.choice(bodies)))
    history.findings.add("rejects", key=corrupt.key)
    return True


def wrong_partition(history: History) -> bool:
    """Plant an object in the partition of another hour than that of its receipt."""
    hours = [hours for hours in range(-3, 4) if hours]
    shift = history.random.choice(hours) * HOUR
    event = history.pick(lambda event: history.start <= hour_of(event.received_at) + shift < history.end)
    if event is None:
        return False
    event.partition = event.received_at + shift
    history.findings.add("wrong_partitions", key=event.key)
    return True
