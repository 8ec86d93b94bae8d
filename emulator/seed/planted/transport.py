"""Faults on the way: events that come twice, late, or not at all, and objects that are stored wrongly."""

from emulator.seed.clock import HOUR, MINUTE, SECOND, hour_of
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
TWIN = 7  # milliseconds later


def repeated_object(history: History) -> bool:
    """The same event is stored twice within moments, perhaps within the same millisecond."""
    return _repeat(history, history.random.choice((0, 1, SECOND, 3 * SECOND)))


def repeated_in_another_hour(history: History) -> bool:
    """The same event is stored once more, in a later partition."""
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
    """A device is offline for a while: what it sent meanwhile is received later, at once."""
    session = history.session(history.pick_any())
    late = session[history.random.randrange(len(session)) :][: history.random.randint(1, MOST_LATE)]
    in_time = [event for event in history.client(late[0]) if event not in late]
    if not in_time or late[-1].at + LATEST + SECOND > history.end:
        return False
    usual = min(event.received_at - event.at for event in in_time)
    online_at = late[-1].at + history.random.randint(10 * MINUTE, LATEST)
    for number, event in enumerate(late):
        event.received_at = online_at + number * history.random.randint(5, 40)
        seconds = (event.received_at - event.at - usual) / SECOND
        history.findings.add("late_events", key=event.key, seconds=seconds)
    return True


def lost_events(history: History) -> bool:
    """Some events never arrive, and nobody counted them."""
    return bool(_lose(history))


def counted_loss(history: History) -> bool:
    """Some events never arrive, and the publisher says so in those that follow."""
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
    """Take events away that follow each other in a tab, neither its first nor its last; give them."""
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
    """Two events of a tab have the same number, as if it had been duplicated."""
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
    """An object that is no JSON object lies in the bucket; no event is missing for it."""
    event = history.pick_any()
    body = event.body
    bodies = (b"", b"[]", b"null", body[: len(body) // 2], b"\xff\xfe" + body, body + body)
    corrupt = event.again(history.random, event.received_at)
    history.corrupt.append((corrupt, history.random.choice(bodies)))
    history.findings.add("rejects", key=corrupt.key)
    return True


def wrong_partition(history: History) -> bool:
    """An object is stored under another hour than that of its receipt."""
    hours = [hours for hours in range(-3, 4) if hours]
    shift = history.random.choice(hours) * HOUR
    event = history.pick(lambda event: history.start <= hour_of(event.received_at) + shift < history.end)
    if event is None:
        return False
    event.partition = event.received_at + shift
    history.findings.add("wrong_partitions", key=event.key)
    return True
