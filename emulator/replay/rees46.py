"""The REES46 format: converts one CSV line of the log into the payload of one event of the contract."""

import csv
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

__all__ = ["EVENT_NAMES", "HEADER", "MAX_LINE_BYTES", "payload"]

HEADER = "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session"
EVENT_NAMES = {
    "view": "product_view",
    "cart": "add_to_cart_click",
    "remove_from_cart": "remove_from_cart_click",
    "purchase": "checkout_complete",
}
MAX_LINE_BYTES = 65_536  # real lines have about 130; without a limit, a file without newlines would fill the memory

_COLUMNS = HEADER.split(",")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} UTC", re.ASCII)
_DECIMAL = re.compile(r"-?\d+(\.\d+)?", re.ASCII)


def payload(line: bytes) -> dict[str, Any]:
    """Return the payload of the line's event, without its id and without empty columns.

    Raises:
        ValueError: The line is malformed; the message is printable ASCII.
    """
    fields = _fields(line)
    product = _product(fields)
    return _present(
        eventName=_event_name(fields["event_type"]),
        eventTimestamp=_timestamp(fields["event_time"]),
        userId=fields["user_id"],
        sessionId=fields["user_session"],
        product=product,
        order=_order(product) if fields["event_type"] == "purchase" else None,
    )


def _fields(line: bytes) -> dict[str, str]:
    if len(line) > MAX_LINE_BYTES:
        raise ValueError(f"longer than {MAX_LINE_BYTES:,} bytes")
    if not line.strip():
        raise ValueError("blank line")
    values = _values(line)
    if len(values) != len(_COLUMNS):
        raise ValueError(f"expected {len(_COLUMNS)} fields, found {len(values)}")
    return dict(zip(_COLUMNS, values, strict=True))


def _values(line: bytes) -> list[str]:
    try:
        return next(csv.reader([line.decode()], strict=True))
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start + 1}") from error
    except csv.Error as error:
        raise ValueError(f"not CSV: {error}") from error


def _product(fields: Mapping[str, str]) -> dict[str, Any]:
    if not fields["product_id"].strip():
        raise ValueError("empty product_id")
    return _present(
        id=fields["product_id"],
        category=fields["category_code"],
        categoryId=fields["category_id"],
        brand=fields["brand"],
        price=_price(fields["price"]),
    )


def _order(product: Mapping[str, Any]) -> dict[str, Any]:
    """Return the order of a purchase line: one unit of one product, at a price in US dollars."""
    price = product.get("price")
    return _present(items=[_present(id=product["id"], quantity=1, price=price)], total=price, currency="USD")


def _present(**members: object) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value not in ("", None)}


def _event_name(event_type: str) -> str:
    if event_type not in EVENT_NAMES:
        raise ValueError(f"unknown event_type {event_type[:40]!a}")
    return EVENT_NAMES[event_type]


def _timestamp(text: str) -> str:
    try:
        if _TIME.fullmatch(text):
            return datetime.fromisoformat(text.removesuffix(" UTC")).isoformat() + "Z"
    except ValueError:
        pass  # the text has the right shape, but names no real day or time
    raise ValueError(f"event_time {text[:40]!a} is not YYYY-MM-DD HH:MM:SS UTC")


def _price(text: str) -> float | None:
    """Return the price, which may be negative as in real logs; None if the text is empty."""
    if not text:
        return None
    if not _DECIMAL.fullmatch(text):
        raise ValueError(f"price {text[:40]!a} is not a decimal number")
    number = float(text)
    # A price must not change silently: infinity, and digits that a double cannot keep, are refused.
    if Decimal(repr(number)) != Decimal(text):
        raise ValueError(f"price {text[:40]!a} has more digits than a JSON number keeps")
    return number
