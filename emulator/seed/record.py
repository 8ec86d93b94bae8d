"""The record of an event: the values that the warehouse (and raw, for orders) must hold, known from the generator."""

from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from emulator.seed.event import Event
from emulator.seed.origins.origin import Origin

__all__ = ["Line", "Order", "Record", "Visitor", "record_of"]

Visitor = tuple[str, str]  # "client" or "user", and the id: the same id in both members means two visitors


class Line(NamedTuple):
    """One entry of an order's `items`."""

    product_id: str
    quantity: int
    price: Decimal


class Order(NamedTuple):
    """An order; its total is exact, and None if it is not a number. `items` is the sum of its lines' quantities."""

    id: str
    total: Decimal | None
    currency: str | None
    items: int
    lines: tuple[Line, ...] = ()


class Record(NamedTuple):
    """One received event; a value is None if none was sent, or none that fits.

    `time` is the receipt and `occurred` when the event happened, both as in `clock`. `origin` has the values of the
    derived columns that the address of the page, the user agent and the time zone tell.
    """

    event_id: str
    time: int
    name: str
    user_id: str | None = None
    login_state: str | None = None
    client_id: str | None = None
    session_id: str | None = None
    is_first_visit: bool | None = None
    product_id: str | None = None
    product_name: str | None = None
    category: str | None = None
    brand: str | None = None
    price: int | None = None
    discount_price: int | None = None
    order: Order | None = None
    occurred: int = 0
    tab_id: str | None = None
    seq: int | None = None
    page_path: str | None = None
    referrer_host: str | None = None
    origin: Origin | None = None

    @property
    def visitor(self) -> Visitor | None:
        """The client, or the user if there is no client; None without both."""
        if self.client_id is not None:
            return "client", self.client_id
        return None if self.user_id is None else ("user", self.user_id)


def record_of(event: Event, occurred: int) -> Record:
    """Return the record of an event, from its true payload."""
    payload = event.payload
    product = payload.get("product", {})
    return Record(
        payload["eventId"],
        event.received_at,
        payload["eventName"] or "unknown",
        payload["userId"],
        payload["userLoginState"],
        payload["clientId"],
        payload["sessionId"],
        payload["isFirstVisit"],
        product.get("id"),
        product.get("name"),
        product.get("category"),
        product.get("brand"),
        product.get("price"),
        product.get("discountPrice"),
        _order(payload),
        occurred,
        payload["tabId"],
        payload["seq"],
        urlsplit(payload["pageUrl"]).path or "/" if payload["pageUrl"] else None,
        urlsplit(payload["referrer"] or "").hostname,
        event.origin if payload["pageUrl"] else event.origin.without_page(),
    )


def _order(payload: dict[str, Any]) -> Order | None:
    order = payload.get("order", {})
    if order.get("id") is None:
        return None
    total = None if order["total"] is None else Decimal(str(order["total"]))
    lines = tuple(Line(item["id"], item["quantity"], Decimal(str(item["price"]))) for item in order["items"])
    return Order(order["id"], total, order.get("currency"), sum(line.quantity for line in lines), lines)
