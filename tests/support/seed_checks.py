"""The checks of validation once more, over the bytes of objects and as slowly as they are said."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import isfinite
from typing import Any
from uuid import UUID

from chalicelib.contract import COLUMNS, EVENT_NAMES
from chalicelib.errors import InvalidEvent
from chalicelib.flatten import flatten

Finding = dict[str, Any]

MEMBERS = {
    "": "eventId eventName eventTimestamp pageUrl referrer userId userLoginState identitySource clientId sessionId "
    "isFirstVisit tabId seq wishlisted channel",
    "product": "id name category brand price discountPrice urlPath",
    "element": "tag id role text dataset",
    "cart": "items total currency",
    "order": "id items total currency",
    "dropped": "overflow refused withheld",
    "publisher": "name version",
    "context": "timeZone language",
}
REQUIRED = ["eventName", "eventTimestamp", "clientId", "sessionId", "pageUrl"]
REQUIRED_OF = {
    "category_view": "product.category",
    "click": "element.tag",
    "checkout_complete": "order.id",
    "login_success": "userId",
    **dict.fromkeys(
        ["product_view", "add_to_cart_click", "remove_from_cart_click", "wishlist_toggle", "share_click"], "product.id"
    ),
}
SPELLINGS = [[s for s in column.sources if not s.startswith("_ingest.")] for column in COLUMNS]
NAMES = [column.name for column in COLUMNS]
TYPES = {column.name: column.type for column in COLUMNS}
SOURCES = {column.name: column.sources for column in COLUMNS}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def member(payload: dict[str, Any], path: str) -> Any:
    """The member at a path, in camelCase or as the contract spells it otherwise; None where it is not present."""
    for spelling in next((sources for sources in SPELLINGS if path in sources), (path,)):
        found: Any = payload
        for name in spelling.split("."):
            found = found.get(name) if isinstance(found, dict) else None
        if found not in (None, ""):
            return found
    return None


class Stored:
    """One object as it lies in the bucket."""

    def __init__(self, key: str, body: bytes) -> None:
        self.key = key
        self.row = dict(zip(NAMES, flatten(body, key, datetime.now(UTC)), strict=True))
        self.payload = json.loads(body)
        self.received_at = at(self.payload["_ingest"]["receivedAt"])
        sent_at = member(self.payload, "eventTimestamp")
        self.at = at(sent_at) if sent_at else None
        self.client_id, self.session_id = self.row["client_id"], self.row["session_id"]
        self.tab = (self.client_id, self.payload.get("tabId"))
        self.seq = self.payload.get("seq")

    @property
    def delay(self) -> float:
        assert self.at is not None
        return (self.received_at - self.at).total_seconds()


def grouped(events: Iterable[Stored], name: str) -> dict[Any, list[Stored]]:
    groups = defaultdict(list)
    for event in events:
        if getattr(event, name) is not None:
            groups[getattr(event, name)].append(event)
    return groups


def checks(objects: dict[str, bytes]) -> dict[str, list[Finding]]:
    """The findings of every check that needs no warehouse, as the answers write them."""
    found: dict[str, list[Finding]] = defaultdict(list)
    stored = []
    for key, body in objects.items():
        try:
            stored.append(Stored(key, body))
        except InvalidEvent:
            found["rejects"].append({"key": key})
    stored.sort(key=lambda each: (each.received_at, each.key))
    first: dict[Any, Stored] = {}
    for each in stored:
        if first.setdefault(each.row["event_id"], each) is not each:
            event_id = member(each.payload, "eventId")
            found["repeated_event_ids"].append({"key": each.key, "event_id": event_id})
    events = list(first.values())
    for check in (of_events, of_members, of_names, of_clients, of_tabs, of_sessions):
        for name, finding in check(events):
            found[name].append(finding)
    return {name: sorted(findings, key=json.dumps) for name, findings in found.items()}


def of_events(events: list[Stored]) -> Iterator[tuple[str, Finding]]:
    for event in events:
        key, payload, row = event.key, event.payload, event.row
        event_id = member(payload, "eventId")
        if event_id is None:
            yield "missing_event_ids", {"key": key}
        elif not is_uuid(event_id):
            yield "event_ids_that_are_no_uuid", {"key": key, "event_id": event_id}
        price, discount = row["context_product_price"], row["context_product_discount_price"]
        if isinstance(price, int) and isinstance(discount, int) and discount > price:
            yield "discounts_above_price", {"key": key}
        if not key.startswith(f"{event.received_at:events/%Y/%m/%d/%H/}"):
            yield "wrong_partitions", {"key": key}


def of_members(events: list[Stored]) -> Iterator[tuple[str, Finding]]:
    """Missing members and lost values, each once, with its first event and the number of its events."""
    found: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for event in events:
        name, received_at = str(event.row["event_name"]), event.payload["_ingest"]["receivedAt"]
        for field in [*REQUIRED, *filter(None, [REQUIRED_OF.get(name)])]:
            if member(event.payload, field) is None:
                found["missing_fields", name, field].append(received_at)
        for column, sources in SOURCES.items():
            there = [source for source in sources if member(event.payload, source) is not None]
            if there and event.row[column] is None:
                wanted = {"BIGINT": "a number within 64 bits", "BOOLEAN": "true or false"}.get(TYPES[column], "text")
                reason = f"{kind(member(event.payload, there[0]))}, where {wanted} is expected"
                found["lost_values", name, column, there[0], reason].append(received_at)
    names = {"missing_fields": ("field",), "lost_values": ("column", "member", "reason")}
    for (check, name, *rest), times in found.items():
        group = {"event_name": name, **dict(zip(names[check], rest, strict=True))}
        yield check, {**group, "first_seen": min(times), "events": len(times)}


def kind(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    kinds = {dict: "an object", list: "an array", str: "text"}
    return next((name for type_, name in kinds.items() if isinstance(value, type_)), "a number")


def is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def is_rounded(price: Any) -> bool:
    """Whether it is a number of any spelling, and not a whole one."""
    try:
        return not isinstance(price, bool) and isfinite(float(price)) and float(price) % 1 != 0
    except (TypeError, ValueError, OverflowError):
        return False


def of_names(events: list[Stored]) -> Iterator[tuple[str, Finding]]:
    names: dict[str, list[str]] = defaultdict(list)
    fields: dict[str, list[str]] = defaultdict(list)
    known = {source for sources in SOURCES.values() for source in sources}
    for event in events:
        received_at = event.payload.pop("_ingest")["receivedAt"]
        name = member(event.payload, "eventName")
        if name is not None and name not in EVENT_NAMES:
            names[name].append(received_at)
        for field in dotted(event.payload):
            holder, _, last = field.rpartition(".")
            if field not in known and last not in MEMBERS[holder].split():
                fields[field].append(received_at)
    for name in ("price", "discountPrice"):
        prices = [(event, member(event.payload, f"product.{name}")) for event in events]
        rounded = [event for event, price in prices if is_rounded(price)]
        if rounded:
            first = min(event.received_at for event in rounded).isoformat(timespec="milliseconds")
            first = first.replace("+00:00", "Z")
            yield "rounded_prices", {"member": f"product.{name}", "first_seen": first, "events": len(rounded)}
    for name, times in names.items():
        yield "unknown_event_names", {"event_name": name, "first_seen": min(times), "events": len(times)}
    for field, times in fields.items():
        yield "unknown_fields", {"field": field, "first_seen": min(times), "events": len(times)}


def dotted(payload: dict[str, Any]) -> Iterator[str]:
    for name, value in payload.items():
        if name in MEMBERS and isinstance(value, dict):
            yield from (f"{name}.{inner}" for inner in value)
        else:
            yield name


def of_clients(events: list[Stored]) -> Iterator[tuple[str, Finding]]:
    for client_id, of_client in grouped(events, "client_id").items():
        timed = [event for event in of_client if event.at]
        smallest = min(event.delay for event in timed)
        if abs(smallest) > 60:
            yield "clock_skew", {"client_id": client_id, "seconds": smallest}
        for event in timed:
            if event.delay - smallest > 300:
                yield "late_events", {"key": event.key, "seconds": round(event.delay - smallest, 3)}
            waited = timedelta(seconds=event.delay - (0 if 0 <= smallest <= 60 else smallest))
            happened = event.received_at - waited
            if waited > timedelta(minutes=1) and happened.date() < event.received_at.date():
                yield "moved_days", {"key": event.key}
        dropped = [event.payload["dropped"] for event in of_client]
        totals = [sum(counts.values()) for counts in dropped]
        if max(totals) > min(totals):
            yield "counted_drops", {"client_id": client_id, "grew_by": max(totals) - min(totals)}
        if contradicts(timed):
            yield "first_visit_contradictions", {"client_id": client_id}


def contradicts(of_client: list[Stored]) -> bool:
    """Whether first visits contradict each other, all of one client."""
    sessions = grouped(sorted(of_client, key=lambda event: event.at or event.received_at), "session_id")
    said = [{event.row["is_first_visit"] for event in session} for session in sessions.values()]
    return any(True in each for each in said[1:]) or any({True, False} <= each for each in said)


def of_tabs(events: list[Stored]) -> Iterator[tuple[str, Finding]]:
    for (client_id, tab_id), of_tab in grouped(events, "tab").items():
        if client_id is None:
            continue
        by_seq = grouped(of_tab, "seq")
        for earlier, later in pairwise(sorted(by_seq)):
            if later > earlier + 1:
                gap = {"client_id": client_id, "tab_id": tab_id, "first": earlier + 1, "last": later - 1}
                yield "lost_events", gap
        for seq, same in by_seq.items():
            if len(same) > 1:
                ids = sorted(str(event.row["event_id"]) for event in same)
                yield "repeated_seqs", {"client_id": client_id, "tab_id": tab_id, "seq": seq, "event_ids": ids}


def of_sessions(events: list[Stored]) -> Iterator[tuple[str, Finding]]:
    for session_id, of_session in grouped(events, "session_id").items():
        times = sorted(event.at for event in of_session if event.at)
        if any((later - earlier).total_seconds() > 1800 for earlier, later in pairwise(times)):
            yield "broken_sessions", {"session_id": session_id, "reason": "gap"}
        if len({event.client_id for event in of_session} - {None}) > 1:
            yield "broken_sessions", {"session_id": session_id, "reason": "clients"}
