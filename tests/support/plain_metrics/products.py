"""Views, adds and purchases by product and by discount: the section "Products" of docs/metrics.md."""

from collections.abc import Sequence

from tests.support.plain_metrics.history import Events, Row, ratio
from tests.support.plain_metrics.raw import Event

__all__ = ["discount_effect", "latest", "products"]


def products(events: Events, limit: int | None = None) -> list[Row]:
    rows: list[Row] = []
    for product, found in events.by(lambda event: event.product).items():
        views, adds, removes, wishlists = (
            [event for event in found if event.name == name]
            for name in ("product_view", "add_to_cart_click", "remove_from_cart_click", "wishlist_toggle")
        )
        view_sessions = len({event.session for event in views} - {None})
        purchase_sessions = sum(_is_purchased(product, session) for session in events.sessions.values())
        rows.append(
            {
                "product_id": product,
                "product_name": latest([event.product_name for event in found]),
                "category": latest([event.category for event in found]),
                "brand": latest([event.brand for event in found]),
                "views": len(views),
                "adds": len(adds),
                "removes": len(removes),
                "wishlists": len(wishlists),
                "view_sessions": view_sessions,
                "purchase_sessions": purchase_sessions,
                "add_rate": ratio(len(adds), len(views)),
                "conversion": ratio(purchase_sessions, view_sessions),
            }
        )
    return sorted(rows, key=lambda row: (-row["views"], row["product_id"]))[:limit]


def discount_effect(events: Events) -> list[Row]:
    rows = []
    for is_discounted in (False, True):
        found = [event for event in events.all if _is_priced(event) and _is_discounted(event) == is_discounted]
        views = sum(event.name == "product_view" for event in found)
        adds = len(found) - views
        if found:
            rows.append({"is_discounted": is_discounted, "views": views, "adds": adds, "add_rate": ratio(adds, views)})
    return rows


def _is_purchased(product: str, session: Sequence[Event]) -> bool:
    """Whether the product is added, and something is bought at a later position."""
    for place, event in enumerate(session):
        if event.product == product and event.name == "add_to_cart_click":
            return any(later.name == "checkout_complete" for later in session[place + 1 :])
    return False


def latest(values: Sequence[str | None]) -> str | None:
    """The last value that there is."""
    return next((value for value in reversed(values) if value is not None), None)


def _is_priced(event: Event) -> bool:
    return event.price is not None and event.name in ("product_view", "add_to_cart_click")


def _is_discounted(event: Event) -> bool:
    return event.discount is not None and event.price is not None and event.discount < event.price
