"""Answers about abandoned carts, and about the paths through the shop."""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby, pairwise

from emulator.seed.answers.events import Events
from emulator.seed.answers.table import ADD, COMPLETE, REMOVE, START, Table, grouped, ratio
from emulator.seed.record import Record

__all__ = ["carts", "path_links", "paths"]

BY_CART = ("number_carts_created", "number_carts_transacted", "session_cart_abandoned", "session_cart_abandonment")


def carts(events: Events) -> Table:
    """Count the sessions with a cart, and with a checkout, and the share of each that ends without a purchase."""
    after_add = [after for records in events.sessions.values() if (after := _after(ADD, records)) is not None]
    after_start = [after for records in after_add if (after := _after(START, records)) is not None]
    purchases, checkouts = (
        sum(_after(COMPLETE, records) is not None for records in rest) for rest in (after_add, after_start)
    )
    columns = ("sessions_with_cart", "sessions_with_purchase", "abandonment")
    more = ("sessions_with_checkout_start", "checkout_abandonment")
    abandonment, checkout_abandonment = _left(purchases, len(after_add)), _left(checkouts, len(after_start))
    by_session = (len(after_add), purchases, abandonment, len(after_start), checkout_abandonment)
    return Table((*columns, *more, *BY_CART), [(*by_session, *_by_cart(events))])


def paths(events: Events, limit: int, *, clicks: bool = False) -> Table:
    """Count which event follows which in a session, with or without automatic clicks."""
    names = (
        [record.name for record in records if clicks or record.name != "click"] for records in events.sessions.values()
    )
    transitions = Counter(pair for of_session in names for pair in pairwise(of_session))
    outgoing: Counter[str] = Counter()
    for (origin, _), number in transitions.items():
        outgoing[origin] += number
    rows = [(*names, number, number / outgoing[names[0]]) for names, number in transitions.items()]
    ordered = sorted(rows, key=lambda row: (-row[2], row[0], row[1]))
    return Table(("from_event", "to_event", "transitions", "share"), ordered[:limit])


def path_links(events: Events, node: str | None, direction: str, steps: int, limit: int, nodes: str = "page") -> Table:
    """Count the sessions on each link of the paths from a page or an event, or to it."""
    links: Counter[tuple[int, str | None, str | None]] = Counter()
    for records in events.sessions.values():
        names = [record.page_path if nodes == "page" else record.name for record in records if record.name != "click"]
        path = [name for name, _ in groupby(name for name in names if name is not None)]
        if direction == "to":
            path.reverse()
        begin = 0 if node is None else next((place for place, name in enumerate(path) if name == node), len(path))
        followed: list[str | None] = [*path[begin : begin + steps + 1]]
        if len(path) - begin <= steps:
            followed.append(None)
        for step, link in enumerate(pairwise(followed), 1):
            there, here = link[::-1] if direction == "to" else link
            links[step, there, here] += 1
    last = "\U0010ffff"  # behind all names
    rows = sorted(
        ((*link, number) for link, number in links.items()),
        key=lambda row: (row[0], -row[3], *((name or last) for name in row[1:3])),
    )
    kept = [row for of_step in grouped(rows, lambda row: row[0]).values() for row in of_step[:limit]]
    return Table(("step", "from_node", "to_node", "sessions"), kept)


def _after(name: str, records: Sequence[Record]) -> Sequence[Record] | None:
    """Return the records after the first event of that name; None if there is no such event."""
    return next((records[place:] for place, record in enumerate(records, 1) if record.name == name), None)


def _by_cart(events: Events) -> tuple[int, int, int, float | None]:
    """Count carts created and bought, and the sessions with a cart in which more are created than bought."""
    created, bought = [], []
    for records in events.sessions.values():
        carts, cart = 0, set[str | None]()
        for record in records:
            if record.name == ADD:
                carts += not cart
                cart.add(record.product_id)
            elif record.name == REMOVE:
                cart.discard(record.product_id)
            elif record.name == COMPLETE:
                cart.clear()
        if carts:
            created.append(carts)
            bought.append(sum(record.name == COMPLETE for record in records))
    abandoned = sum(more > fewer for more, fewer in zip(created, bought, strict=True))
    return sum(created), sum(bought), abandoned, ratio(abandoned, len(created))


def _left(finished: int, begun: int) -> float | None:
    return 1 - finished / begun if begun else None
