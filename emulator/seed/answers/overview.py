"""Answers of the overview: counts of events, visitors and sessions, over time and by group."""

from collections.abc import Callable, Sequence
from typing import Any

from emulator.seed.answers.events import Events
from emulator.seed.answers.table import ADD, COMPLETE, VIEW, VIEWS, Table, grouped, period_of, ratio
from emulator.seed.clock import iso
from emulator.seed.record import Record

__all__ = [
    "by_login_state",
    "events_over_time",
    "key_figures",
    "key_figures_over_time",
    "latest_product_events",
    "overview",
    "top_brands",
    "top_categories",
    "top_events",
    "visitor_type",
    "visitor_types",
]

VISITOR_TYPES = {True: "new", False: "returning", None: "unknown"}
AUDIENCE = ("events", "visitors", "sessions")
KEY_FIGURES = (
    *AUDIENCE,
    "views",
    "product_views",
    "add_to_cart_clicks",
    "checkout_completes",
    "add_rate",
    "visitor_conversion",
)
CHECKOUTS = ("add_to_cart_clicks", "checkout_completes", "checkout_rate", "visitor_conversion", "session_conversion")


def visitor_type(record: Record) -> str:
    """Return `new`, `returning` or `unknown`."""
    return VISITOR_TYPES[record.is_first_visit]


def overview(events: Events) -> Table:
    """Return one row of totals."""
    records = events.all
    columns = ("events", "visitors", "clients", "users", "sessions", *CHECKOUTS, "first_event", "last_event")
    distinct = [_distinct(records, "visitor"), *(_distinct(records, f"{name}_id") for name in ("client", "user"))]
    first_and_last = (iso(records[0].time), iso(records[-1].time)) if records else (None, None)
    row = (len(records), *distinct, _distinct(records, "session_id"), *_checkouts(records), *first_and_last)
    return Table(columns, [row])


def events_over_time(events: Events, grain: str) -> Table:
    """Count events, visitors and sessions by period."""
    periods = grouped(events.all, lambda record: period_of(record.time, grain, events.zone))
    return Table(("period", *AUDIENCE), [(iso(period), *_audience(periods[period])) for period in sorted(periods)])


def key_figures(events: Events) -> Table:
    """Return one row of what a shop looks at first."""
    return Table(KEY_FIGURES, [_key_figures(events.all)])


def key_figures_over_time(events: Events, grain: str) -> Table:
    """Return the key figures of each period."""
    periods = grouped(events.all, lambda record: period_of(record.time, grain, events.zone))
    rows = [(iso(period), *_key_figures(periods[period])) for period in sorted(periods)]
    return Table(("period", *KEY_FIGURES), rows)


def top_events(events: Events) -> Table:
    """Count events by name."""
    names = grouped(events.all, lambda record: record.name)
    rows = [(name, len(records), len(records) / len(events.all)) for name, records in names.items()]
    return Table(("event_name", "events", "share"), sorted(rows, key=lambda row: (-row[1], row[0])))


def by_login_state(events: Events) -> Table:
    """Count by login state."""
    return _by(events, "user_login_state", lambda record: record.login_state or "unknown")


def visitor_types(events: Events) -> Table:
    """Count by visitor type."""
    return _by(events, "visitor_type", visitor_type)


def top_categories(events: Events, limit: int, unknown: bool = False) -> Table:  # noqa: FBT001, FBT002  # an argument by name
    """Count events by category of the product."""
    return _top(events, "category", limit, unknown=unknown)


def top_brands(events: Events, limit: int, unknown: bool = False) -> Table:  # noqa: FBT001, FBT002  # as above
    """Count events by brand of the product."""
    return _top(events, "brand", limit, unknown=unknown)


def latest_product_events(events: Events, limit: int) -> Table:
    """List the latest events that have a product."""
    columns = ("event_id", "event_name", "product_id", "product_name", "category", "brand", "price", "discount_price")
    latest = [record for record in reversed(events.all) if record.product_id is not None][:limit]
    rows = [(iso(r.time), r.event_id, r.name, *(getattr(r, column) for column in columns[2:])) for r in latest]
    return Table(("event_timestamp", *columns), rows)


def _distinct(records: Sequence[Record], field: str) -> int:
    return len({getattr(record, field) for record in records} - {None})


def _named(records: Sequence[Record], name: str) -> int:
    return sum(record.name == name for record in records)


def _audience(records: Sequence[Record]) -> tuple[int, int, int]:
    return len(records), _distinct(records, "visitor"), _distinct(records, "session_id")


def _key_figures(records: Sequence[Record]) -> tuple[float | None, ...]:
    views, product_views = (sum(record.name in names for record in records) for names in (VIEWS, {VIEW}))
    adds, completes, _, of_visitors, _ = _checkouts(records)
    return *_audience(records), views, product_views, adds, completes, ratio(adds, product_views), of_visitors


def _checkouts(records: Sequence[Record]) -> tuple[int, int, float | None, float | None, float | None]:
    completes = [record for record in records if record.name == COMPLETE]
    adds = _named(records, ADD)
    of_visitors, of_sessions = (
        ratio(_distinct(completes, field), _distinct(records, field)) for field in ("visitor", "session_id")
    )
    return adds, len(completes), ratio(len(completes), adds), of_visitors, of_sessions


def _by(events: Events, column: str, group: Callable[[Record], str]) -> Table:
    groups = grouped(events.all, group)
    rows = [(name, *_audience(groups[name]), *_checkouts(groups[name])) for name in sorted(groups)]
    return Table((column, *AUDIENCE, *CHECKOUTS), rows)


def _top(events: Events, field: str, limit: int, *, unknown: bool) -> Table:
    groups: dict[Any, list[Record]] = grouped(
        events.all, lambda record: getattr(record, field) or ("unknown" if unknown else None)
    )
    groups.pop(None, None)
    rows = [(name, len(group), _named(group, VIEW), _named(group, ADD)) for name, group in groups.items()]
    ordered = sorted(rows, key=lambda row: (-row[1], row[0]))
    return Table((field, "events", "product_views", "add_to_cart_clicks"), ordered[:limit])
