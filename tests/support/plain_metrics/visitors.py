"""Lists of visitors and of events: the section "Visitors and events, one by one" of docs/metrics.md."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from tests.support.plain_metrics.history import Events, Row
from tests.support.plain_metrics.raw import Event
from tests.support.plain_metrics.revenue import orders_of, total_of

__all__ = ["latest_events", "listed_visitors", "visitor_events", "visitors"]

DERIVED = ("page_path", "search_term", "acquisition_channel", "device", "browser", "country")


def visitors(events: Events, limit: int | None = None, after: Any = None, *, orders: bool = False) -> list[Row]:
    rows = listed_visitors(events, after)[:limit]
    if not orders:
        return rows
    placed = orders_of(events)
    for row in rows:
        own = [order for order in placed if order.visitor == (row["visitor_kind"], row["visitor"])]
        currencies = {order.currency for order in own}
        revenue = total_of(order.total for order in own if order.total is not None)
        is_one = len(currencies) == 1
        row["orders"] = len(own)
        row |= {"currency": currencies.pop() if is_one else None, "revenue": revenue if is_one else None}
    return rows


def listed_visitors(events: Events, after: tuple[datetime, str, str] | None = None) -> list[Row]:
    """Every visitor after a place, with the first columns."""
    rows = []
    for (kind, visitor), found in events.visitors.items():
        times = [events.time(event) for event in found]
        row: Row = {
            "visitor_kind": kind,
            "visitor": visitor,
            "first_event": min(times),
            "last_event": max(times),
            "events": len(found),
            "sessions": len({event.session for event in found} - {None}),
            "checkout_completes": sum(event.name == "checkout_complete" for event in found),
        }
        rows.append(row)

    def place(time: datetime, kind: str, visitor: str) -> tuple[Any, ...]:
        return -time.timestamp(), kind, visitor

    def of_row(row: Row) -> tuple[Any, ...]:
        return place(row["last_event"], row["visitor_kind"], row["visitor"])

    return sorted((row for row in rows if after is None or of_row(row) > place(*after)), key=of_row)


def latest_events(events: Events, limit: int | None = None, before: Any = None, *, derived: bool = False) -> list[Row]:
    latest = _beyond(events, events.all[::-1], before)
    return [_shown(events, event, derived=derived) for event in latest[:limit]]


def visitor_events(
    events: Events,
    visitor: str,
    kind: str = "client",
    limit: int | None = None,
    after: Any = None,
    *,
    derived: bool = False,
) -> list[Row]:
    found = _beyond(events, events.visitors.get((kind, visitor), []), after)
    return [_shown(events, event, derived=derived) for event in found[:limit]]


def _beyond(events: Events, found: Iterable[Event], place: tuple[datetime, str] | None) -> list[Event]:
    """The events that come after the one at a place."""
    listed = [*found]
    if place is None:
        return listed
    at = next(number for number, event in enumerate(listed) if (events.time(event), event.event_id) == place)
    return listed[at + 1 :]


def _shown(events: Events, event: Event, *, derived: bool) -> Row:
    return {
        "event_timestamp": events.time(event),
        "event_id": event.event_id,
        "event_name": event.name,
        "client_id": event.client,
        "user_id": event.user,
        "user_login_state": event.login,
        "session_id": event.session,
        "product_id": event.product,
        "product_name": event.product_name,
        "category": event.category,
        "brand": event.brand,
        "price": events.amount(event.price),
        "discount_price": events.amount(event.discount),
        **({name: getattr(event.origin, name) for name in DERIVED} if derived else {}),
    }
