"""Oddities that are no faults: other spellings that the contract accepts, and orders that revenue must count right."""

from typing import Any

from emulator.seed.clock import iso
from emulator.seed.event import Event, random_uuid
from emulator.seed.history import History

__all__ = [
    "brand_object",
    "foreign_currency",
    "no_currency",
    "no_total",
    "repeated_order",
    "snake_case",
    "upper_case_id",
]

SECOND_CLICK = 9  # milliseconds later

SNAKE_CASE = {
    "eventId": "event_id",
    "eventName": "event_name",
    "eventTimestamp": "event_timestamp",
    "userId": "user_id",
    "userLoginState": "user_login_state",
    "identitySource": "identity_source",
    "clientId": "client_id",
    "sessionId": "session_id",
    "isFirstVisit": "is_first_visit",
    "brand": "brand_name",
    "discountPrice": "discount_price",
    "urlPath": "url_path",
}


def snake_case(history: History) -> bool:
    """Plant an event with members in snake_case, as far as the contract accepts that."""
    event = history.pick_any()
    event.sent = _in_snake_case(event.spell())
    if "product" in event.sent:
        event.sent["product"] = _in_snake_case(event.sent["product"])
    return True


def _in_snake_case(members: dict[str, Any]) -> dict[str, Any]:
    return {SNAKE_CASE.get(name, name): value for name, value in members.items()}


def brand_object(history: History) -> bool:
    """Plant a brand that is an object with a name or a title."""
    event = history.pick_priced()
    if event is None:
        return False
    product = event.spell()["product"]
    product["brand"] = {history.random.choice(("name", "title")): product["brand"]}
    return True


def upper_case_id(history: History) -> bool:
    """Plant an event id in capitals, which is the same id."""
    event = history.pick_any()
    event.spell()["eventId"] = event.payload["eventId"].upper()
    return True


def foreign_currency(history: History) -> bool:
    """Plant an order in dollars and cents, which are text, as shop systems send them."""
    event = _order(history)
    if event is None:
        return False
    order = event.payload["order"]
    cents = order["total"] // 250
    event.payload["order"] = {**order, "items": [], "total": cents / 100, "currency": "USD"}
    event.spell()["order"] |= {"total": f" {cents / 100:.2f}", "currency": " usd "}
    return True


def no_currency(history: History) -> bool:
    """Plant an order without a currency."""
    event = _order(history)
    if event is None:
        return False
    del event.payload["order"]["currency"]
    return True


def no_total(history: History) -> bool:
    """Plant an order whose total is not a number."""
    event = _order(history)
    if event is None:
        return False
    event.spell()["order"]["total"] = history.random.choice((None, "", "n/a", [250000]))
    event.payload["order"]["total"] = None
    return True


def repeated_order(history: History) -> bool:
    """Plant an order that a second click places again, when the cart is empty already."""
    event = _order(history)
    if event is None:
        return False
    later = [each for each in history.tab(event) if each.payload["seq"] > event.payload["seq"]]
    for each in later:
        each.payload["seq"] += 1
    twin = event.again(history.random, event.received_at + SECOND_CLICK)
    twin.at += SECOND_CLICK
    twin.payload |= {"eventId": str(random_uuid(history.random)), "eventTimestamp": iso(twin.at)}
    twin.payload["seq"] += 1
    twin.payload["order"] |= {"items": [], "total": 0}
    history.events.insert(history.events.index(event) + 1, twin)
    return True


def _order(history: History) -> Event | None:
    return history.pick(
        lambda event: (
            event.payload["eventName"] == "checkout_complete" and event.received_at + SECOND_CLICK < history.end
        )
    )
