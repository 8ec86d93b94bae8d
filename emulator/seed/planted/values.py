"""Faults of values: values that do not fit their column, discounts above the price, and unknown names and members."""

from typing import Any

from emulator.seed.clock import iso
from emulator.seed.event import Event
from emulator.seed.history import History

__all__ = [
    "bad_discount_price",
    "bad_first_visit",
    "bad_price",
    "bad_product_name",
    "discount_above_price",
    "rounded_price",
    "unknown_event_name",
    "unknown_field",
]

BAD_PRICES: tuple[Any, ...] = ("liên hệ", "1.290.000 ₫", "0x10", True, {"amount": 1290000}, [890000], 10**19, "1e400")
BAD_NAMES: tuple[Any, ...] = ({"vi": "Áo mưa"}, ["Raincoat"], False)
NAMES = ("size_guide_open", "coupon_apply", "Product_View")
FIELDS: tuple[tuple[str, Any], ...] = (
    ("abTest", "B"),
    ("experiment", {"id": 7, "arms": ["a", "b"]}),
    ("eventID", None),
    ("product.colour", "chàm"),
    ("element.href", "/cart"),
    ("cart.coupon", "TET2027"),
    ("order.note", ""),
    ("dropped.expired", 0),
)


def bad_price(history: History) -> bool:
    """Plant a price that is not a number, or too large for the warehouse."""
    return _lose_value(history, history.pick_priced(), "price", "context_product_price", BAD_PRICES)


def bad_discount_price(history: History) -> bool:
    """Plant a discount price that is not a number, or too large for the warehouse."""
    return _lose_value(history, history.pick_priced(), "discountPrice", "context_product_discount_price", BAD_PRICES)


def bad_product_name(history: History) -> bool:
    """Plant a product's name that is not text."""
    return _lose_value(history, history.pick_priced(), "name", "context_product_name", BAD_NAMES)


def _lose_value(history: History, event: Event | None, member: str, column: str, values: tuple[Any, ...]) -> bool:
    if event is None:
        return False
    value = event.spell()["product"][member] = history.random.choice(values)
    event.payload["product"][member] = None
    wanted = "text" if member == "name" else "a number within 64 bits"
    _find_lost(history, event, column, f"product.{member}", value, wanted)
    return True


def bad_first_visit(history: History) -> bool:
    """Plant an event whose `isFirstVisit` is not a boolean."""
    event = history.pick_any()
    value: object = history.random.choice(("maybe", "True", 1, []))
    event.spell()["isFirstVisit"] = value
    event.payload["isFirstVisit"] = None
    _find_lost(history, event, "is_first_visit", "isFirstVisit", value, "true or false")
    return True


def _find_lost(history: History, event: Event, column: str, member: str, value: object, wanted: str) -> None:
    kinds = {str: "text", int: "a number", bool: str(value).lower(), dict: "an object", list: "an array"}
    history.findings.add(
        "lost_values",
        event_name=event.payload["eventName"],
        column=column,
        member=member,
        reason=f"{kinds[type(value)]}, where {wanted} is expected",
        first_seen=iso(event.received_at),
    )


def discount_above_price(history: History) -> bool:
    """Plant a discount price above the price."""
    event = history.pick_priced()
    if event is None:
        return False
    product = event.payload["product"]
    product["discountPrice"] = product["price"] + history.random.choice((1, 10_000))
    history.findings.add("discounts_above_price", key=event.key)
    return True


def rounded_price(history: History) -> bool:
    """Plant a price that is text, with a decimal to be rounded away from zero."""
    event = history.pick_priced()
    if event is None:
        return False
    price = event.payload["product"]["price"]
    event.spell()["product"]["price"] = history.random.choice((f" {price}.5 ", f"{price}5e-1"))
    event.payload["product"]["price"] = price + 1
    history.findings.add("rounded_prices", member="product.price", first_seen=iso(event.received_at))
    return True


def unknown_event_name(history: History) -> bool:
    """Plant an event with a name that the contract does not list."""
    event = history.pick_any()
    name = history.random.choice(NAMES)
    event.payload["eventName"] = name
    history.findings.add("unknown_event_names", event_name=name, first_seen=iso(event.received_at))
    return True


def unknown_field(history: History) -> bool:
    """Plant an event with a member that the contract does not list."""
    field, value = history.random.choice(FIELDS)
    holder, _, member = field.rpartition(".")
    event = history.pick(lambda event: not holder or holder in event.payload)
    if event is None:
        return False
    (event.payload[holder] if holder else event.payload)[member] = value
    history.findings.add("unknown_fields", field=field, first_seen=iso(event.received_at))
    return True
