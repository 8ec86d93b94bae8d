"""Answers about revenue: exact sums of orders, each counted once."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from emulator.seed.answers.events import Events
from emulator.seed.answers.table import COMPLETE, Table, grouped, period_of
from emulator.seed.clock import iso
from emulator.seed.record import Order

__all__ = ["revenue", "revenue_over_time"]


def revenue(events: Events) -> Table:
    """Sum orders by currency."""
    groups = grouped(_orders(events), lambda placed: _currency(placed[1]))
    columns = ("currency", "orders", "revenue", "average_order_value", "items", "orders_without_total")
    return Table(columns, [(name, *_totals([order for _, order in groups[name]])) for name in sorted(groups)])


def revenue_over_time(events: Events, grain: str) -> Table:
    """Sum orders by hour or day, and by currency."""
    groups = grouped(_orders(events), lambda placed: (period_of(placed[0], grain, events.zone), _currency(placed[1])))
    rows = [
        (iso(period), currency, len(placed), _text(_total([order for _, order in placed])))
        for (period, currency), placed in sorted(groups.items())
    ]
    return Table(("period", "currency", "orders", "revenue"), rows)


def _orders(events: Events) -> list[tuple[int, Order]]:
    """Return each order as it was first received, with the time of receipt."""
    first: dict[str, tuple[int, Order]] = {}
    for record in events.all:
        if record.name == COMPLETE and record.order is not None:
            first.setdefault(record.order.id, (record.time, record.order))
    return list(first.values())


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
