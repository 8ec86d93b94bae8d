"""Answers about revenue: exact sums of orders, each counted once."""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

from emulator.seed.answers.events import Events
from emulator.seed.answers.products import latest
from emulator.seed.answers.table import COMPLETE, Table, grouped, period_of
from emulator.seed.clock import iso
from emulator.seed.record import Line, Order, Record

__all__ = ["currency_of", "first_orders", "revenue", "revenue_by_category", "revenue_by_product", "revenue_over_time"]

SOLD = ("orders", "buyers", "items", "revenue", "lines_without_revenue")


def revenue(events: Events) -> Table:
    """Sum orders by currency."""
    groups = grouped(_orders(events), lambda placed: _currency(placed[1]))
    columns = ("currency", "orders", "revenue", "average_order_value", "items", "orders_without_total")
    return Table(columns, [(name, *_totals([order for _, order in groups[name]])) for name in sorted(groups)])


def revenue_over_time(events: Events, grain: str) -> Table:
    """Sum orders by period, and by currency."""
    groups = grouped(_orders(events), lambda placed: (period_of(placed[0], grain, events.zone), _currency(placed[1])))
    rows = [
        (iso(period), currency, len(placed), _text(_total([order for _, order in placed])))
        for (period, currency), placed in sorted(groups.items())
    ]
    return Table(("period", "currency", "orders", "revenue"), rows)


def revenue_by_product(events: Events, limit: int) -> Table:
    """Sum the lines of orders by currency and product."""
    known = {product_id: latest(records) for product_id, records in events.products.items()}
    none = (None, None, None)
    rows = [
        (currency, product_id, known.get(product_id, none)[0], known.get(product_id, none)[1] or "unknown", *sold)
        for (currency, product_id), sold in _sold(events, lambda line: line.product_id)
    ]
    columns = ("currency", "product_id", "product_name", "category", *SOLD)
    return Table(columns, _most(rows, limit))


def revenue_by_category(events: Events, limit: int) -> Table:
    """Sum the lines of orders by currency and category of the product."""
    known = {product_id: latest(records)[1] for product_id, records in events.products.items()}
    rows = [(*group, *sold) for group, sold in _sold(events, lambda line: known.get(line.product_id) or "unknown")]
    return Table(("currency", "category", *SOLD), _most(rows, limit))


def _sold(
    events: Events, group: Callable[[Line], str]
) -> Iterable[tuple[tuple[str, str], tuple[int, int, int, Decimal, int]]]:
    """Give the columns SOLD of each currency and group."""
    lines = [(record, line) for record in first_orders(events) for line in (record.order.lines if record.order else ())]
    for key, sold in grouped(lines, lambda each: (currency_of(each[0]), group(each[1]))).items():
        revenue = sum((line.quantity * line.price for _, line in sold), Decimal())
        orders = {record.order.id for record, _ in sold if record.order}
        buyers = {record.visitor for record, _ in sold} - {None}
        yield key, (len(orders), len(buyers), sum(line.quantity for _, line in sold), revenue, 0)


def _most(rows: Iterable[tuple[Any, ...]], limit: int) -> list[tuple[Any, ...]]:
    """Keep the rows with the most revenue of each currency, in order."""
    ordered = sorted(rows, key=lambda row: (row[0], -row[-2], row[1]))
    kept = [row for group in grouped(ordered, lambda row: row[0]).values() for row in group[:limit]]
    return [(*row[:-2], _text(row[-2]), row[-1]) for row in kept]


def first_orders(events: Events) -> list[Record]:
    """Return the first record of each order."""
    first: dict[str, Record] = {}
    for record in events.all:
        if record.name == COMPLETE and record.order is not None:
            first.setdefault(record.order.id, record)
    return list(first.values())


def currency_of(record: Record) -> str:
    """Return the currency of a record's order."""
    return _currency(record.order) if record.order else "unknown"


def _orders(events: Events) -> list[tuple[int, Order]]:
    """Return each order as it was first received, with the time of receipt."""
    return [(record.time, record.order) for record in first_orders(events) if record.order]


def _currency(order: Order) -> str:
    return order.currency or "unknown"


def _total(orders: Sequence[Order]) -> Decimal | None:
    """Sum the known totals; None if no total is known."""
    totals = [order.total for order in orders if order.total is not None]
    return sum(totals, Decimal()) if totals else None


def _totals(orders: Sequence[Order]) -> tuple[Any, ...]:
    without_total = sum(order.total is None for order in orders)
    total = _total(orders)
    average = None if total is None else float(total / (len(orders) - without_total))
    return len(orders), _text(total), average, sum(order.items for order in orders), without_total


def _text(total: Decimal | None) -> str | None:
    return None if total is None else str(total)
