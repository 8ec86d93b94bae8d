"""Answers about where sessions come from, where they begin and end, on which device, and about pages and searches."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from emulator.seed.answers.events import Events
from emulator.seed.answers.revenue import currency_of, first_orders
from emulator.seed.answers.table import COMPLETE, VIEWS, Table, grouped, ratio
from emulator.seed.record import Record

__all__ = ["SESSION_COLUMNS", "revenue_by", "search_terms", "session_groups", "sessions_by", "top_pages"]

# Attribute of an origin, and the group of a session that has no such value.
OF_ACQUISITION = {
    "channel": ("acquisition_channel", "Direct"),
    "source": ("utm_source", "(not set)"),
    "medium": ("utm_medium", "(not set)"),
    "campaign": ("utm_campaign", "(not set)"),
}
OF_BROWSER = ("device", "browser", "system", "country")
SESSION_COLUMNS = (*OF_ACQUISITION, "referrer", "landing_page", "exit_page", *OF_BROWSER)


def sessions_by(events: Events, by: str, limit: int) -> Table:
    """Count sessions, visitors and buyers by a value of the session."""
    rows = []
    for name, sessions in grouped(events.sessions.values(), lambda records: _group(records, by)).items():
        buying = [record for records in sessions for record in records if record.name == COMPLETE]
        visitors = {record.visitor for records in sessions for record in records} - {None}
        buyers = {record.visitor for record in buying} - {None}
        sold = len({record.session_id for record in buying})
        rates = ratio(sold, len(sessions)), ratio(len(buyers), len(visitors))
        rows.append((name, len(sessions), len(visitors), len(buyers), *rates))
    columns = ("group", "sessions", "visitors", "buyers", "session_conversion", "visitor_conversion")
    return Table(columns, sorted(rows, key=lambda row: (-row[1], row[0]))[:limit])


def revenue_by(events: Events, by: str, limit: int) -> Table:
    """Add up the orders by a value of the order's session."""
    groups = session_groups(events, by)
    placed = grouped(
        first_orders(events),
        lambda record: (currency_of(record), groups.get(record.session_id or "", "unknown")),
    )
    rows = []
    for (currency, group), records in placed.items():
        totals = [record.order.total for record in records if record.order and record.order.total is not None]
        total = sum(totals, Decimal())
        average = float(total / len(totals)) if totals else None
        rows.append((currency, group, len(records), total if totals else None, average))
    rows.sort(key=lambda row: (row[0], row[3] is None, -(row[3] or 0), row[1]))
    kept = [row for found in grouped(rows, lambda row: row[0]).values() for row in found[:limit]]
    texts = [(*row[:3], None if row[3] is None else str(row[3]), row[4]) for row in kept]
    return Table(("currency", "group", "orders", "revenue", "average_order_value"), texts)


def top_pages(events: Events, limit: int) -> Table:
    """Count the events at each page."""
    rows = [
        (
            path,
            len(records),
            sum(record.name in VIEWS for record in records),
            len({record.visitor for record in records} - {None}),
            len({record.session_id for record in records} - {None}),
        )
        for path, records in grouped(events.all, lambda record: record.page_path).items()
        if path is not None
    ]
    columns = ("page_path", "events", "views", "visitors", "sessions")
    return Table(columns, sorted(rows, key=lambda row: (-row[2], row[0]))[:limit])


def search_terms(events: Events, limit: int) -> Table:
    """Count the searches for each term, and the sessions that buy something later."""
    bought: dict[str, set[str]] = {}
    for session, records in events.sessions.items():
        last = max((place for place, record in enumerate(records) if record.name == COMPLETE), default=0)
        for term in {_term(record) for record in records[:last]} - {None}:
            bought.setdefault(str(term), set()).add(session)
    rows = []
    for term, records in grouped(events.all, _term).items():
        if term is not None:
            sessions, later = {record.session_id for record in records} - {None}, bought.get(term, set())
            views = sum(record.name in VIEWS for record in records)
            visitors = {record.visitor for record in records} - {None}
            counts = views, len(visitors), len(sessions), len(later)
            rows.append((term, *counts, ratio(len(later), len(sessions))))
    columns = ("search_term", "views", "visitors", "sessions", "purchase_sessions", "conversion")
    return Table(columns, sorted(rows, key=lambda row: (-row[3], row[0]))[:limit])


def session_groups(events: Events, by: str) -> dict[str, str]:
    """Return the group of each session."""
    return {session: _group(records, by) for session, records in events.sessions.items()}


def _group(records: Sequence[Record], by: str) -> str:
    acquired = _first(records, lambda record: record.origin and record.origin.acquisition_channel) or Record("", 0, "")
    if by in OF_ACQUISITION:
        column, other = OF_ACQUISITION[by]
        return (acquired.origin and getattr(acquired.origin, column)) or other
    if by == "referrer":
        return acquired.referrer_host or "(direct)"
    if by in OF_BROWSER:
        told = _first(records, lambda record: record.origin and getattr(record.origin, by))
        return getattr(told.origin, by) if told else "unknown"
    ordered = records if by == "landing_page" else records[::-1]
    at = _first(ordered, lambda record: record.page_path)
    return (at and at.page_path) or "unknown"


def _first(records: Sequence[Record], has: Callable[[Record], object]) -> Record | None:
    return next((record for record in records if has(record)), None)


def _term(record: Record) -> str | None:
    return record.origin and record.origin.search_term
