"""Orders and their money: the section "Revenue" of docs/metrics.md."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from fractions import Fraction
from itertools import groupby
from typing import Any, NamedTuple

from tests.support.plain_metrics.history import Events, Row
from tests.support.plain_metrics.products import latest
from tests.support.plain_metrics.raw import SPACE, exact, text, whole_number
from tests.support.plain_metrics.zones import period_of

__all__ = ["orders_of", "revenue", "revenue_by_category", "revenue_by_product", "revenue_over_time", "total_of"]

MOST_MONEY = 10**12
MONEY_DECIMALS = 18
MOST_QUANTITY = 10**9


class Line(NamedTuple):
    """One entry of an order's items."""

    product: str | None
    quantity: int
    revenue: Fraction | None


class Order(NamedTuple):
    """One order: its id, the time of its first event, and what that says."""

    id: str
    time: datetime
    currency: str
    total: Fraction | None
    lines: Sequence[Line]
    session: str | None
    visitor: tuple[str, str] | None


def revenue(events: Events) -> list[Row]:
    rows = []
    orders = orders_of(events)
    for currency in sorted({order.currency for order in orders}):
        found = [order for order in orders if order.currency == currency]
        totals = [order.total for order in found if order.total is not None]
        rows.append(
            {
                "currency": currency,
                "orders": len(found),
                "revenue": total_of(totals),
                "average_order_value": float(sum(totals)) / len(totals) if totals else None,
                "items": sum(line.quantity for order in found for line in order.lines),
                "orders_without_total": len(found) - len(totals),
            }
        )
    return rows


def revenue_over_time(events: Events, grain: str = "day") -> list[Row]:
    orders = [(period_of(order.time, grain, events.zone), order) for order in orders_of(events)]
    rows = []
    for period, currency in sorted({(period, order.currency) for period, order in orders}):
        found = [order for at, order in orders if (at, order.currency) == (period, currency)]
        total = total_of(order.total for order in found if order.total is not None)
        rows.append({"period": period, "currency": currency, "orders": len(found), "revenue": total})
    return rows


def revenue_by_product(events: Events, limit: int | None = None) -> list[Row]:
    names = events.by(lambda event: event.product)

    def shown(line: Line) -> Row:
        found = names.get(line.product, []) if line.product else []
        return {
            "product_id": line.product or "unknown",
            "product_name": latest([event.product_name for event in found]),
            "category": latest([event.category for event in found]) or "unknown",
        }

    return _by_line(events, shown, "product_id", limit)


def revenue_by_category(events: Events, limit: int | None = None) -> list[Row]:
    products = events.by(lambda event: event.product)

    def shown(line: Line) -> Row:
        found = products.get(line.product, []) if line.product else []
        return {"category": latest([event.category for event in found]) or "unknown"}

    return _by_line(events, shown, "category", limit)


def _by_line(events: Events, shown: Callable[[Line], Row], group: str, limit: int | None) -> list[Row]:
    sold: dict[tuple[str, str], list[tuple[Order, Line]]] = defaultdict(list)
    for order in orders_of(events):
        for line in order.lines:
            sold[order.currency, shown(line)[group]].append((order, line))
    rows: list[Row] = [
        {
            "currency": currency,
            **shown(found[0][1]),
            "orders": len({order.id for order, _ in found}),
            "buyers": len({order.visitor for order, _ in found} - {None}),
            "items": sum(line.quantity for _, line in found),
            "revenue": total_of(line.revenue for _, line in found if line.revenue is not None),
            "lines_without_revenue": sum(line.revenue is None for _, line in found),
        }
        for (currency, _), found in sold.items()
    ]
    rows.sort(key=lambda row: (row["currency"], row["revenue"] is None, -(row["revenue"] or 0), row[group]))
    return [row for _, each in groupby(rows, key=lambda row: row["currency"]) for row in [*each][:limit]]


def orders_of(events: Events) -> list[Order]:
    """Each order id once: its first event, if that is in the range."""
    orders: dict[str, Order | None] = {}
    in_range = {event.key for event in events.all}
    for event in (*events.earlier, *events.all):
        sent = event.order if isinstance(event.order, dict) else {}
        order_id = text(sent.get("id"))
        if event.name == "checkout_complete" and order_id:
            currency = (text(sent.get("currency")) or "").strip(SPACE).upper() or "unknown"
            lines = [_line(item) for item in sent["items"]] if isinstance(sent.get("items"), list) else []
            total = _money(exact(sent.get("total")))
            order = Order(order_id, events.time(event), currency, total, lines, event.session, event.visitor)
            orders.setdefault(order_id, order if event.key in in_range else None)
    return [order for order in orders.values() if order]


def _line(item: Any) -> Line:
    members = item if isinstance(item, dict) else {}
    price, quantity = (_money(exact(members.get(name))) for name in ("price", "quantity"))
    earned = None if price is None or quantity is None else _money(price * quantity)
    count = whole_number(members.get("quantity"))
    return Line(text(members.get("id")), count if count is not None and abs(count) <= MOST_QUANTITY else 0, earned)


def _money(amount: Fraction | None) -> Fraction | None:
    """An amount below a trillion of at most 18 decimals; None for any other."""
    if amount is None or abs(amount) >= MOST_MONEY or (amount * 10**MONEY_DECIMALS).denominator != 1:
        return None
    return amount


def total_of(totals: Iterable[Fraction]) -> Fraction | None:
    """The sum of amounts; None without any."""
    found = list(totals)
    return sum(found, Fraction()) if found else None
