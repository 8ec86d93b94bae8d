"""Faults of missing members: events without a member that they need."""

from typing import Any

from emulator.seed.clock import iso
from emulator.seed.event import Event
from emulator.seed.history import History

__all__ = [
    "missing_category",
    "missing_client_id",
    "missing_element_tag",
    "missing_event_name",
    "missing_event_timestamp",
    "missing_order_id",
    "missing_page_url",
    "missing_product_id",
    "missing_session_id",
    "missing_user_id",
    "take_away",
]

OF_A_PRODUCT = ("product_view", "add_to_cart_click", "remove_from_cart_click", "wishlist_toggle", "share_click")


def missing_event_name(history: History) -> bool:
    """Plant an event without a name, which the warehouse calls `unknown`."""
    return _miss(history, history.pick_any(), "eventName")


def missing_page_url(history: History) -> bool:
    """Plant an event without the address of its page."""
    return _miss(history, history.pick_any(), "pageUrl")


def missing_event_timestamp(history: History) -> bool:
    """Plant an event without a time; its session has no long gap without it."""
    return _miss(history, history.pick(history.is_spare), "eventTimestamp")


def missing_session_id(history: History) -> bool:
    """Plant an event without a session; its session has no long gap without it, and first visits do not change."""
    event = history.pick(lambda event: not event.payload["isFirstVisit"] and history.is_spare(event))
    return _miss(history, event, "sessionId")


def missing_client_id(history: History) -> bool:
    """Plant an event without a client: the last one of its tab, so that the sequence numbers have no gap without it."""
    event = history.pick(lambda event: not event.payload["isFirstVisit"] and event is history.tab(event)[-1])
    return _miss(history, event, "clientId")


def missing_category(history: History) -> bool:
    """Plant a `category_view` without a category."""
    return _miss(history, history.pick_named("category_view"), "category", "product")


def missing_product_id(history: History) -> bool:
    """Plant an event of a product without the product's id."""
    return _miss(history, history.pick_named(*OF_A_PRODUCT), "id", "product")


def missing_element_tag(history: History) -> bool:
    """Plant a click without the tag of its element."""
    return _miss(history, history.pick_named("click"), "tag", "element")


def missing_order_id(history: History) -> bool:
    """Plant a `checkout_complete` without an order id."""
    return _miss(history, history.pick_named("checkout_complete"), "id", "order")


def missing_user_id(history: History) -> bool:
    """Plant a `login_success` without a user."""
    return _miss(history, history.pick_named("login_success"), "userId")


def take_away(history: History, holder: dict[str, Any], member: str) -> None:
    """Leave a member out, or make it null or empty; by the contract, it is not present either way."""
    value = history.random.choice((None, "", ...))
    if value is ...:
        del holder[member]
    else:
        holder[member] = value


def _miss(history: History, event: Event | None, member: str, holder: str = "") -> bool:
    if event is None:
        return False
    sent, meant = event.spell(), event.payload
    name = "unknown" if member == "eventName" else meant["eventName"]
    take_away(history, sent[holder] if holder else sent, member)
    (meant[holder] if holder else meant)[member] = None
    field = f"{holder}.{member}" if holder else member
    history.findings.add("missing_fields", event_name=name, field=field, first_seen=iso(event.received_at))
    return True
