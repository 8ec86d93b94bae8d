"""Faults of identity: event ids, sessions of two clients or with a long gap, contradictory first visits."""

from collections import Counter
from itertools import pairwise
from uuid import NAMESPACE_URL, uuid5

from emulator.seed.event import random_uuid
from emulator.seed.history import History
from emulator.seed.planted.missing import take_away

__all__ = [
    "client_changes_in_a_session",
    "event_id_that_is_no_uuid",
    "first_visit_changes_in_a_session",
    "first_visit_comes_later",
    "first_visit_comes_twice",
    "missing_event_id",
    "session_goes_on_after_a_gap",
]


def missing_event_id(history: History) -> bool:
    """An event has no id: the warehouse takes one made of the key."""
    event = history.pick_any()
    take_away(history, event.spell(), "eventId")
    event.payload["eventId"] = str(uuid5(NAMESPACE_URL, event.key))
    history.findings.add("missing_event_ids", key=event.key)
    return True


def event_id_that_is_no_uuid(history: History) -> bool:
    """An event's id is some other text: the warehouse takes a UUID made of it."""
    event = history.pick_any()
    uuid = random_uuid(history.random)
    text = history.random.choice((f"evt-{uuid.time_low}", uuid.hex, f"{{{uuid}}}", f"order/{uuid.node} №1"))
    event.spell()["eventId"] = text
    event.payload["eventId"] = str(uuid5(NAMESPACE_URL, text))
    history.findings.add("event_ids_that_are_no_uuid", key=event.key, event_id=text)
    return True


def session_goes_on_after_a_gap(history: History) -> bool:
    """A session id is used again for the next visit."""
    pairs = [
        (earlier, later)
        for sessions in history.sessions_by_client()
        for earlier, later in pairwise(sessions)
        if not earlier[0].payload["isFirstVisit"]
    ]
    if not pairs:
        return False
    earlier, later = history.random.choice(pairs)
    session_id = earlier[0].payload["sessionId"]
    for event in later:
        event.payload["sessionId"] = session_id
    history.findings.add("broken_sessions", session_id=session_id, reason="gap")
    return True


def client_changes_in_a_session(history: History) -> bool:
    """Half-way through a session the client becomes another one."""
    sessions = [session for sessions in history.sessions_by_client() for session in sessions if len(session) > 1]
    if not sessions:
        return False
    session = history.random.choice(sessions)
    rest = session[history.random.randrange(1, len(session)) :]
    tabs = {event.payload["tabId"]: str(random_uuid(history.random)) for event in rest}
    later = [event for event in history.client(rest[0]) if event.at > rest[-1].at]
    if any(event.payload["tabId"] in tabs for event in later):
        return False  # the tab goes on, so that its numbers would have a gap
    client_id = str(random_uuid(history.random))
    seqs: Counter[str] = Counter()
    for event in rest:
        tab_id = tabs[event.payload["tabId"]]
        seqs[tab_id] += 1
        event.payload |= {"clientId": client_id, "tabId": tab_id, "seq": seqs[tab_id]}
    history.findings.add("broken_sessions", session_id=rest[0].payload["sessionId"], reason="clients")
    return True


def first_visit_comes_twice(history: History) -> bool:
    """A client says in its second session that it is its first, too."""
    return _say_first_visit(history, in_first=True)


def first_visit_comes_later(history: History) -> bool:
    """A client says only of a later session that it is its first."""
    return _say_first_visit(history, in_first=False)


def _say_first_visit(history: History, *, in_first: bool) -> bool:
    """Of the client's first two sessions, the second says it, and the first perhaps."""
    clients = [sessions for sessions in history.sessions_by_client() if len(sessions) > 1]
    if not clients:
        return False
    first, second, *_ = history.random.choice(clients)
    for event in first:
        event.payload["isFirstVisit"] = in_first
    for event in second:
        event.payload["isFirstVisit"] = True
    history.findings.add("first_visit_contradictions", client_id=first[0].payload["clientId"])
    return True


def first_visit_changes_in_a_session(history: History) -> bool:
    """A session is a first visit, and half-way through it no longer is."""
    firsts = [s[0] for s in history.sessions_by_client() if len(s[0]) > 1 and s[0][0].payload["isFirstVisit"]]
    if not firsts:
        return False
    session = history.random.choice(firsts)
    for event in session[history.random.randrange(1, len(session)) :]:
        event.payload["isFirstVisit"] = False
    history.findings.add("first_visit_contradictions", client_id=session[0].payload["clientId"])
    return True
