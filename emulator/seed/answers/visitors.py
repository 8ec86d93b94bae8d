"""Answers about visitors: who comes back, lists of visitors, of one visitor's events, and of the latest events."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from itertools import dropwhile
from typing import Any

from emulator.seed.answers.events import Events
from emulator.seed.answers.revenue import currency_of, first_orders
from emulator.seed.answers.table import COMPLETE, Table, day_of, first_day, grouped
from emulator.seed.clock import iso
from emulator.seed.record import Record

__all__ = ["VISITOR_COLUMNS", "latest_events", "retention", "visitor_events", "visitor_rows", "visitors"]

VISITOR_COLUMNS = (
    "visitor_kind",
    "visitor",
    "first_event",
    "last_event",
    "events",
    "sessions",
    "checkout_completes",
)
EVENT_COLUMNS = (
    "event_timestamp",
    "event_id",
    "event_name",
    "client_id",
    "user_id",
    "user_login_state",
    "session_id",
    "product_id",
    "product_name",
    "category",
    "brand",
    "price",
    "discount_price",
)
DERIVED_COLUMNS = ("page_path", "search_term", "acquisition_channel", "device", "browser", "country")
OF_ORIGIN = DERIVED_COLUMNS[1:]


def retention(events: Events, grain: str, cohort: str = "range") -> Table:
    """Count active visitors by cohort and period.

    A cohort is the day, or the first day of the week or month, of a visitor's first event (`range`) or of their first
    event that says it is of a first visit (`first_visit`); a period is the days, weeks or months since.
    """
    visitors: Counter[date] = Counter()
    active: dict[date, Counter[int]] = defaultdict(Counter)
    for records in events.visitors.values():
        counted = list(dropwhile(lambda record: cohort == "first_visit" and not record.is_first_visit, records))
        if not counted:
            continue
        periods = {first_day(day_of(record.time, events.zone), grain) for record in counted}
        begin = min(periods)
        visitors[begin] += 1
        active[begin].update(_since(begin, period, grain) for period in periods)
    rows = [
        (begin.isoformat(), period, visitors[begin], number, number / visitors[begin])
        for begin in sorted(visitors)
        for period, number in sorted(active[begin].items())
    ]
    return Table(("cohort", "period", "visitors", "active", "share"), rows)


def visitors(events: Events, limit: int, orders: bool = False) -> Table:  # noqa: FBT001, FBT002  # an argument by name
    """List the visitors whose last event is the latest."""
    rows = visitor_rows(events)[:limit]
    if not orders:
        return Table(VISITOR_COLUMNS, rows)
    placed = grouped(first_orders(events), lambda record: record.visitor)
    return Table((*VISITOR_COLUMNS, "orders", "currency", "revenue"), [(*row, *_sold(placed, row)) for row in rows])


def visitor_rows(events: Events) -> list[tuple[Any, ...]]:
    """Return the columns of every visitor, the latest first."""
    rows = [
        (
            *visitor,
            iso(records[0].time),
            iso(records[-1].time),
            len(records),
            len({record.session_id for record in records} - {None}),
            sum(record.name == COMPLETE for record in records),
        )
        for visitor, records in events.visitors.items()
    ]
    return sorted(sorted(rows), key=lambda row: row[3], reverse=True)


def latest_events(events: Events, limit: int, derived: bool = False) -> Table:  # noqa: FBT001, FBT002  # as above
    """List the latest events, the latest first."""
    return _listed(events.all[::-1][:limit], derived=derived)


def visitor_events(events: Events, visitor: str, kind: str, limit: int, derived: bool = False) -> Table:  # noqa: FBT001, FBT002  # as above
    """List the first events of one visitor."""
    return _listed(events.visitors.get((kind, visitor), [])[:limit], derived=derived)


def _listed(records: Iterable[Record], *, derived: bool) -> Table:
    rows = [
        (
            iso(record.time),
            record.event_id,
            record.name,
            record.client_id,
            record.user_id,
            record.login_state,
            *(getattr(record, column) for column in EVENT_COLUMNS[6:]),
            *((record.page_path, *(getattr(record.origin, column, None) for column in OF_ORIGIN)) if derived else ()),
        )
        for record in records
    ]
    return Table((*EVENT_COLUMNS, *(DERIVED_COLUMNS if derived else ())), rows)


def _sold(placed: dict[Any, list[Record]], row: tuple[Any, ...]) -> tuple[int, str | None, str | None]:
    records = placed.get(row[:2], [])
    currencies = {currency_of(record) for record in records}
    if len(currencies) != 1:
        return len(records), None, None
    totals = [record.order.total for record in records if record.order and record.order.total is not None]
    return len(records), currencies.pop(), str(sum(totals, Decimal())) if totals else None


def _since(begin: date, period: date, grain: str) -> int:
    if grain == "month":
        return 12 * (period.year - begin.year) + period.month - begin.month
    return (period - begin).days // {"day": 1, "week": 7}[grain]
