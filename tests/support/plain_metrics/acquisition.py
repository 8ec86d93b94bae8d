"""Groups of sessions, pages and search terms: the section "Acquisition and pages" of docs/metrics.md."""

from collections.abc import Sequence
from itertools import groupby

from tests.support.plain_metrics.history import Events, Row, grouped, ratio
from tests.support.plain_metrics.raw import Event
from tests.support.plain_metrics.revenue import orders_of, total_of

__all__ = ["group_of", "revenue_by", "search_terms", "sessions_by", "top_pages"]

# The column of each group that an acquisition has, and what stands for none.
ACQUIRED = {
    "channel": ("acquisition_channel", "Direct"),
    "source": ("utm_source", "(not set)"),
    "medium": ("utm_medium", "(not set)"),
    "campaign": ("utm_campaign", "(not set)"),
    "referrer": ("referrer_host", "(direct)"),
}


def group_of(session: Sequence[Event], by: str) -> str:
    """The group of a session, by its events in order."""
    if by in ACQUIRED:
        column, without = ACQUIRED[by]
        for event in session:
            if event.origin.acquisition_channel is not None:
                found = getattr(event.origin, column)
                return without if found is None else str(found)
        return without
    column = "page_path" if by.endswith("_page") else by
    values = [value for event in session if (value := getattr(event.origin, column)) is not None]
    return values[-1 if by == "exit_page" else 0] if values else "unknown"


def sessions_by(events: Events, by: str = "channel", limit: int | None = None) -> list[Row]:
    groups: dict[str, dict[str, list[Event]]] = {}
    for session, found in events.sessions.items():
        groups.setdefault(group_of(found, by), {})[session] = found
    rows = []
    for group, sessions in groups.items():
        of_group = [event for found in sessions.values() for event in found]
        buying = [event for event in of_group if event.name == "checkout_complete"]
        visitors, buyers = ({event.visitor for event in each} - {None} for each in (of_group, buying))
        row: Row = {
            "group": group,
            "sessions": len(sessions),
            "visitors": len(visitors),
            "buyers": len(buyers),
            "session_conversion": ratio(len({event.session for event in buying}), len(sessions)),
            "visitor_conversion": ratio(len(buyers), len(visitors)),
        }
        rows.append(row)
    return sorted(rows, key=lambda row: (-row["sessions"], row["group"]))[:limit]


def revenue_by(events: Events, by: str = "channel", limit: int | None = None) -> list[Row]:
    groups = {session: group_of(found, by) for session, found in events.sessions.items()}
    orders = [(order.currency, groups.get(order.session or "", "unknown"), order) for order in orders_of(events)]
    rows: list[Row] = []
    for currency, group in {(currency, group) for currency, group, _ in orders}:
        found = [order.total for *key, order in orders if key == [currency, group]]
        totals = [total for total in found if total is not None]
        row: Row = {"currency": currency, "group": group, "orders": len(found), "revenue": total_of(totals)}
        rows.append({**row, "average_order_value": float(sum(totals)) / len(totals) if totals else None})
    rows.sort(key=lambda row: (row["currency"], row["revenue"] is None, -(row["revenue"] or 0), row["group"]))
    return [row for _, each in groupby(rows, key=lambda row: row["currency"]) for row in [*each][:limit]]


def top_pages(events: Events, limit: int | None = None) -> list[Row]:
    rows: list[Row] = [
        {
            "page_path": path,
            "events": len(found),
            "views": sum(event.is_view for event in found),
            "visitors": len({event.visitor for event in found} - {None}),
            "sessions": len({event.session for event in found} - {None}),
        }
        for path, found in events.by(lambda event: event.origin.page_path).items()
    ]
    return sorted(rows, key=lambda row: (-row["views"], row["page_path"]))[:limit]


def search_terms(events: Events, limit: int | None = None) -> list[Row]:
    places = {event.key: place for place, event in enumerate(events.all)}
    checkouts = [event for event in events.all if event.name == "checkout_complete"]
    last = {
        session: places[found[-1].key] for session, found in grouped(checkouts, lambda event: event.session).items()
    }
    rows = []
    for term, found in events.by(lambda event: event.origin.search_term).items():
        sessions = {event.session for event in found} - {None}
        later = {event.session for event in found if event.session and places[event.key] < last.get(event.session, -1)}
        row: Row = {
            "search_term": term,
            "views": sum(event.is_view for event in found),
            "visitors": len({event.visitor for event in found} - {None}),
            "sessions": len(sessions),
            "purchase_sessions": len(later),
            "conversion": ratio(len(later), len(sessions)),
        }
        rows.append(row)
    return sorted(rows, key=lambda row: (-row["sessions"], row["search_term"]))[:limit]
