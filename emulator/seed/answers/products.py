"""Answers about products: views, carts and purchases of each, and the effect of discounts."""

from collections.abc import Sequence
from typing import Any

from emulator.seed.answers.events import Events
from emulator.seed.answers.table import ADD, COMPLETE, VIEW, Table, grouped, ratio
from emulator.seed.record import Record

__all__ = ["discount_effect", "latest", "products"]

COUNTED = (VIEW, ADD, "remove_from_cart_click", "wishlist_toggle")


def products(events: Events, limit: int) -> Table:
    """List the most viewed products."""
    bought = _bought(events)
    rows = [
        (product_id, *latest(records), *_numbers(records, bought.get(product_id, 0)))
        for product_id, records in events.products.items()
    ]
    columns = ("product_id", "product_name", "category", "brand", "views", "adds", "removes", "wishlists")
    more = ("view_sessions", "purchase_sessions", "add_rate", "conversion")
    return Table((*columns, *more), sorted(rows, key=lambda row: (-row[4], row[0]))[:limit])


def discount_effect(events: Events) -> Table:
    """Count views and cart additions, without and with a discount."""
    priced = [record for record in events.all if record.name in (VIEW, ADD) and record.price is not None]
    groups = grouped(priced, _is_discounted)
    rows = []
    for is_discounted in sorted(groups):
        views = sum(record.name == VIEW for record in groups[is_discounted])
        adds = len(groups[is_discounted]) - views
        rows.append((is_discounted, views, adds, ratio(adds, views)))
    return Table(("is_discounted", "views", "adds", "add_rate"), rows)


def _is_discounted(record: Record) -> bool:
    return record.price is not None and record.discount_price is not None and record.discount_price < record.price


def _bought(events: Events) -> dict[str, int]:
    """Count, by product, the sessions in which it was added to the cart before a purchase."""
    bought: dict[str, int] = {}
    for records in events.sessions.values():
        last = max((place for place, record in enumerate(records) if record.name == COMPLETE), default=0)
        for product_id in {r.product_id for r in records[:last] if r.name == ADD and r.product_id is not None}:
            bought[product_id] = bought.get(product_id, 0) + 1
    return bought


def latest(records: Sequence[Record]) -> list[Any]:
    """Return name, category and brand, each from the latest event that has one."""
    columns = ("product_name", "category", "brand")
    return [next((v for r in reversed(records) if (v := getattr(r, c)) is not None), None) for c in columns]


def _numbers(records: Sequence[Record], purchase_sessions: int) -> tuple[Any, ...]:
    views, adds, removes, wishlists = (sum(record.name == name for record in records) for name in COUNTED)
    view_sessions = len({record.session_id for record in records if record.name == VIEW} - {None})
    rates = ratio(adds, views), ratio(purchase_sessions, view_sessions)
    return views, adds, removes, wishlists, view_sessions, purchase_sessions, *rates
