"""Abandoned carts: the section "Carts" of docs/metrics.md."""

from collections.abc import Sequence

from tests.support.plain_metrics.history import Events, Row, ratio
from tests.support.plain_metrics.raw import Event

__all__ = ["carts"]


def carts(events: Events) -> list[Row]:
    sessions = [[event.name for event in session] for session in events.sessions.values()]
    after_add = [after for names in sessions if (after := _after("add_to_cart_click", names)) is not None]
    after_start = [after for names in after_add if (after := _after("checkout_start", names)) is not None]
    purchases = sum("checkout_complete" in names for names in after_add)
    checkouts = sum("checkout_complete" in names for names in after_start)
    made_and_bought = [_made_and_bought(session) for session in events.sessions.values()]
    counts = [(made, bought) for made, bought in made_and_bought if made]
    abandoned = sum(bought < made for made, bought in counts)
    return [
        {
            "sessions_with_cart": len(after_add),
            "sessions_with_purchase": purchases,
            "abandonment": 1 - purchases / len(after_add) if after_add else None,
            "sessions_with_checkout_start": len(after_start),
            "checkout_abandonment": 1 - checkouts / len(after_start) if after_start else None,
            "number_carts_created": sum(made for made, _ in counts),
            "number_carts_transacted": sum(bought for _, bought in counts),
            "session_cart_abandoned": abandoned,
            "session_cart_abandonment": ratio(abandoned, len(counts)),
        }
    ]


def _made_and_bought(session: Sequence[Event]) -> tuple[int, int]:
    """How many carts a session creates, and how many it buys."""
    cart: set[str | None] = set()
    made = bought = 0
    for event in session:
        if event.name == "add_to_cart_click":
            made += not cart
            cart.add(event.product)
        elif event.name == "remove_from_cart_click":
            cart.discard(event.product)
        elif event.name == "checkout_complete":
            bought += 1
            cart.clear()
    return made, bought


def _after(name: str, names: Sequence[str]) -> Sequence[str] | None:
    """The names after the first of that name; None without it."""
    return names[names.index(name) + 1 :] if name in names else None
