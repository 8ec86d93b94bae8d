"""Random small event histories, which are full of ties, gaps at the limit and missing values."""

from hypothesis import strategies as st

from tests.support.event_rows import Event, event

__all__ = ["histories"]

NAMES = (
    "product_view",
    "add_to_cart_click",
    "checkout_start",
    "checkout_complete",
    "page_view",
    "remove_from_cart_click",
    "wishlist_toggle",
    "unheard of",
)
# Around ends of sessions, windows, days and weeks, some to the microsecond.
MOMENTS = (0, 0.1, 0.3, 10, 10.000001, 1800, 1800.3, 3600.7, 86399.999999, 86400, 604800)
PRICES = (0, 1, 5, 9_007_199_254_740_993)


def _maybe(*values: object) -> st.SearchStrategy[object]:
    return st.sampled_from((None, *values))


ORDERS = _maybe(
    '{"id": "o", "total": 0.1, "currency": "EUR", "items": [{"quantity": 2}]}',
    '{"id": 1, "total": 12345678901.123456789012345678}',
    '{"id": "p", "total": "5"}',
    "[]",
)

_events = st.builds(
    event,
    st.sampled_from(MOMENTS[:3]) | st.sampled_from(MOMENTS),
    st.sampled_from(NAMES[:4]) | st.sampled_from(NAMES),
    client=_maybe("a", "a", "a", "B", "é"),
    user=_maybe("a", "u"),
    session=_maybe("s", "s", "T", "t u", "ü"),
    login=_maybe("logged_in", "anonymous"),
    first=st.none() | st.booleans(),
    product=_maybe("p", "p", "Q", "ß"),
    product_name=_maybe("one", "two"),
    category=_maybe("x", "Y"),
    brand=_maybe("m", "n"),
    price=_maybe(*PRICES),
    discount=_maybe(*PRICES),
    order=ORDERS,
)


def histories() -> st.SearchStrategy[list[Event]]:
    """Give lists of events, whose ids are in the order of the list."""
    return st.lists(_events, max_size=5) | st.lists(_events, min_size=10, max_size=40)
