"""Reads one raw object into one event, as docs/contract.md says, by the standard library alone."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import floor
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from tests.support.plain_metrics.pages import Origin, origin_of

__all__ = ["SPACE", "Event", "exact", "read", "text", "whole_number"]

# JSON's white space, and what else ASCII calls space.
SPACE = " \t\n\r\f\v"
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)
DAY = r"[0-9]{4}(-[0-9]{2}-[0-9]{2}|[0-9]{4}|-?W[0-9]{2}(-?[1-7])?)"
HOUR = r"([01][0-9]|2[0-3])"
CLOCK_TIME = rf"{HOUR}(:?[0-5][0-9](:?[0-5][0-9]([.,][0-9]+)?)?)?"
ISO_8601 = re.compile(rf"{DAY}([T ]{CLOCK_TIME}(Z|[+-]{HOUR}(:?[0-5][0-9])?)?)?", re.ASCII)
# Beyond this power of ten a number is out of BIGINT's range, or it rounds to 0.
EXPONENT = 400

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A smaller number is no time: 20261124 is a date. One of eleven zeros or more is milliseconds.
FIRST_SECONDS, FIRST_MILLISECONDS, LAST_SECONDS = 10**8, 10**11, 10**11


class Number(str):
    """A JSON number as it was spelled."""

    __slots__ = ()


@dataclass(frozen=True)
class Event:
    """One event: the contract's columns, and what raw holds beyond them.

    `received` is the contract's `event_timestamp`, and `ingested` is what ingest says about the receipt. `sent` is the
    browser's time, None if it cannot be read.
    """

    key: str
    event_id: str
    received: datetime
    name: str
    user: str | None
    login: str | None
    client: str | None
    session: str | None
    first_visit: bool | None
    product: str | None
    product_name: str | None
    category: str | None
    brand: str | None
    price: int | None
    discount: int | None
    ingested: datetime | None
    sent: datetime | None
    tab: str | None
    seq: int | None
    order: Any
    user_agent: str | None
    origin: Origin

    @property
    def visitor(self) -> tuple[str, str] | None:
        """The client, or else the user; a client and a user of the same text are two visitors."""
        if self.client is not None:
            return "client", self.client
        return None if self.user is None else ("user", self.user)

    @property
    def is_view(self) -> bool:
        """Whether it is a view; any other event is an interaction."""
        return self.name in ("page_view", "home_view", "category_view", "product_view")


def read(key: str, body: bytes, price_decimals: int = 0) -> Event:
    """Read an object.

    Args:
        key: The object's key, from which an event without an id gets one.
        body: The object's bytes: a JSON object.
        price_decimals: Prices are whole numbers of 10^-price_decimals.
    """
    payload = json.loads(body, parse_int=Number, parse_float=Number)

    def first(convert: Any, *paths: str) -> Any:
        return next((value for path in paths if (value := convert(_member(payload, path))) is not None), None)

    def price(value: Any) -> int | None:
        return whole_number(value, price_decimals)

    received = first(instant, "_ingest.receivedAt", "eventTimestamp", "event_timestamp")
    brand = ("product.brandName", "product.brand_name", "product.brand.name", "product.brand.title", "product.brand")
    return Event(
        key=key,
        event_id=first(event_id, "eventId", "event_id") or str(uuid5(NAMESPACE_URL, key)),
        received=received,
        name=first(text, "eventName", "event_name") or "unknown",
        user=first(text, "userId", "user_id"),
        login=first(text, "userLoginState", "user_login_state"),
        client=first(text, "clientId", "client_id"),
        session=first(text, "sessionId", "session_id"),
        first_visit=first(boolean, "isFirstVisit", "is_first_visit"),
        product=first(text, "product.id"),
        product_name=first(text, "product.name"),
        category=first(text, "product.category"),
        brand=first(text, *brand),
        price=first(price, "product.price"),
        discount=first(price, "product.discountPrice", "product.discount_price"),
        ingested=first(instant, "_ingest.receivedAt"),
        sent=first(sent_time, "eventTimestamp", "event_timestamp"),
        tab=first(text, "tabId", "tab_id"),
        seq=first(whole_number, "seq"),
        order=payload.get("order"),
        user_agent=first(text, "_ingest.userAgent"),
        origin=origin_of(
            first(text, "pageUrl", "page_url"),
            first(text, "referrer"),
            first(text, "_ingest.userAgent"),
            first(text, "context.timeZone"),
        ),
    )


def _member(payload: Any, path: str) -> Any:
    for name in path.split("."):
        payload = payload.get(name) if isinstance(payload, dict) else None
    return None if payload == "" else payload


def text(value: Any) -> str | None:
    """The contract's TEXT: strings, and numbers as they are spelled."""
    return re.sub("[\x00\ud800-\udfff]", "\ufffd", value) if isinstance(value, str) else None


def event_id(value: Any) -> str | None:
    """The contract's UUID, as lower-case text."""
    found = text(value)
    if found is None:
        return None
    try:
        is_uuid = str(UUID(found)) == found.lower()
    except ValueError:
        is_uuid = False
    return found.lower() if is_uuid else str(uuid5(NAMESPACE_URL, found))


def boolean(value: Any) -> bool | None:
    """The contract's BOOLEAN."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value) if isinstance(value, str) else None


def exact(value: Any) -> Fraction | None:
    """A JSON number, or trimmed text that spells one, exactly; None if there is none, or if it is astronomic."""
    spelled = value.strip(SPACE) if isinstance(value, str) else ""
    if not NUMBER.fullmatch(spelled):
        return None
    _, _, exponent = spelled.lower().partition("e")
    if exponent and abs(int(exponent)) > EXPONENT:
        return Fraction(0) if int(exponent) < 0 else None
    return Fraction(spelled)


def whole_number(value: Any, decimals: int = 0) -> int | None:
    """The contract's BIGINT, of value times 10^decimals: rounded half away from zero, None beyond 64 bits."""
    found = exact(value)
    if found is None:
        return None
    magnitude = floor(abs(found) * 10**decimals + Fraction(1, 2))
    number = -magnitude if found < 0 else magnitude
    return number if -(2**63) <= number < 2**63 else None


def instant(value: Any) -> datetime | None:
    """The contract's TIMESTAMPTZ."""
    if not isinstance(value, str) or isinstance(value, Number) or not ISO_8601.fullmatch(value.upper()):
        return None
    try:
        time = datetime.fromisoformat(value.upper())
    except ValueError:
        return None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def sent_time(value: Any) -> datetime | None:
    """The browser's time: as the contract reads it, or seconds or milliseconds since 1970, as a number or as text."""
    found = exact(value)
    if found is None or found < FIRST_SECONDS:
        return instant(value)
    seconds = found / 1000 if found >= FIRST_MILLISECONDS else found
    # Microseconds and nanoseconds since 1970 are thousands of years from here.
    return EPOCH + timedelta(microseconds=floor(seconds * 1_000_000)) if seconds < LAST_SECONDS else None
