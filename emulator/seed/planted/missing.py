"""Faults of what is not there: required members that are missing."""

from typing import Any

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
    """An event without a name: it is an `unknown` one to the warehouse."""
    return _miss(history, history.pick_any(), "eventName")


def missing_page_url(history: History) -> bool:
    """An event does not say on which page it happened."""
    return _miss(history, history.pick_any(), "pageUrl")


def missing_event_timestamp(history: History) -> bool:
    """An event does not say when it happened; its session has no gap without it."""
    return _miss(history, history.pick(history.is_spare), "eventTimestamp")


def missing_session_id(history: History) -> bool:
    """An event has no session; its session has no gap without it, and first visits stay what they are."""
    event = history.pick(lambda event: not event.payload["isFirstVisit"] and history.is_spare(event))
    return _miss(history, event, "sessionId")


def missing_client_id(history: History) -> bool:
    """An event has no client: the last one of a tab, so that its client's numbers have no gap without it."""
    event = history.pick(lambda event: not event.payload["isFirstVisit"] and event is history.tab(event)[-1])
    return _miss(history, event, "clientId")


def missing_category(history: History) -> bool:
    """A `category_view` does not say of which category."""
    return _miss(history, history.pick_named("category_view"), "category", "product")


def missing_product_id(history: History) -> bool:
    """An event of a product does not say of which."""
    return _miss(history, history.pick_named(*OF_A_PRODUCT), "id", "product")


def missing_element_tag(history: History) -> bool:
    """A click does not say on what."""
    return _miss(history, history.pick_named("click"), "tag", "element")


def missing_order_id(history: History) -> bool:
    """A `checkout_complete` does not say which order."""
    return _miss(history, history.pick_named("checkout_complete"), "id", "order")


def missing_user_id(history: History) -> bool:
    """A `login_success` does not say who."""
    return _miss(history, history.pick_named("login_success"), "userId")


def take_away(history: History, holder: dict[str, Any], member: str) -> None:
    """Leave a member out, or make it null or empty: it is not present either way, says the contract."""
    value = history.random.choice((None, "", ...))
    if value is ...:
        del holder[member]
    else:
        holder[member] = value


def _miss(history: History, event: Event | None, member: str, holder: str = "") -> bool:
    if event is None:
        return False
    sent, meant = event.spell(), event.payload
    take_away(history, sent[holder] if holder else sent, member)
    (meant[holder] if holder else meant)[member] = None
    history.findings.add("missing_fields", key=event.key, field=f"{holder}.{member}" if holder else member)
    return True
