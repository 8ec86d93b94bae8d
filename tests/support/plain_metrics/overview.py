"""Counts of events, visitors and sessions: the section "Overview" of docs/metrics.md."""

from collections.abc import Callable, Sequence

from tests.support.plain_metrics.history import Events, Row, grouped, ratio
from tests.support.plain_metrics.raw import Event
from tests.support.plain_metrics.zones import period_of

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


def overview(events: Events) -> list[Row]:
    times = [events.time(event) for event in events.all]
    return [
        {
            "events": len(events.all),
            "visitors": _visitors(events.all),
            "clients": len({event.client for event in events.all} - {None}),
            "users": len({event.user for event in events.all} - {None}),
            "sessions": _sessions(events.all),
            **_checkouts(events.all),
            "first_event": min(times, default=None),
            "last_event": max(times, default=None),
        }
    ]


def events_over_time(events: Events, grain: str = "day") -> list[Row]:
    periods = events.by(lambda event: period_of(events.time(event), grain, events.zone))
    return [
        {"period": period, "events": len(found), "visitors": _visitors(found), "sessions": _sessions(found)}
        for period, found in sorted(periods.items())
    ]


def key_figures(events: Events) -> list[Row]:
    return [_key_figures(events.all)]


def key_figures_over_time(events: Events, grain: str = "day") -> list[Row]:
    periods = events.by(lambda event: period_of(events.time(event), grain, events.zone))
    return [{"period": period, **_key_figures(found)} for period, found in sorted(periods.items())]


def top_events(events: Events) -> list[Row]:
    rows = [
        {"event_name": name, "events": len(found), "share": len(found) / len(events.all)}
        for name, found in events.by(lambda event: event.name).items()
    ]
    return sorted(rows, key=lambda row: (-row["events"], row["event_name"]))


def by_login_state(events: Events) -> list[Row]:
    return _compared(events, "user_login_state", lambda event: "unknown" if event.login is None else event.login)


def visitor_types(events: Events) -> list[Row]:
    return _compared(events, "visitor_type", visitor_type)


def visitor_type(event: Event) -> str:
    """Whether the event is of a new or a returning visitor."""
    return {True: "new", False: "returning", None: "unknown"}[event.first_visit]


def top_categories(events: Events, limit: int | None = None, *, unknown: bool = False) -> list[Row]:
    return _top(events, "category", lambda event: event.category or ("unknown" if unknown else None), limit)


def top_brands(events: Events, limit: int | None = None, *, unknown: bool = False) -> list[Row]:
    return _top(events, "brand", lambda event: event.brand or ("unknown" if unknown else None), limit)


def latest_product_events(events: Events, limit: int | None = None) -> list[Row]:
    latest = [event for event in reversed(events.all) if event.product is not None]
    return [
        {
            "event_timestamp": events.time(event),
            "event_id": event.event_id,
            "event_name": event.name,
            "product_id": event.product,
            "product_name": event.product_name,
            "category": event.category,
            "brand": event.brand,
            "price": events.amount(event.price),
            "discount_price": events.amount(event.discount),
        }
        for event in latest[:limit]
    ]


def _key_figures(events: Sequence[Event]) -> Row:
    views = {
        name: sum(event.name == f"{name}_view" for event in events) for name in ("page", "home", "category", "product")
    }
    checkouts = _checkouts(events)
    return {
        "events": len(events),
        "visitors": _visitors(events),
        "sessions": _sessions(events),
        "views": sum(views.values()),
        "product_views": views["product"],
        "add_to_cart_clicks": checkouts["add_to_cart_clicks"],
        "checkout_completes": checkouts["checkout_completes"],
        "add_rate": ratio(checkouts["add_to_cart_clicks"], views["product"]),
        "visitor_conversion": checkouts["visitor_conversion"],
    }


def _compared(events: Events, column: str, group: Callable[[Event], str]) -> list[Row]:
    return [
        {
            column: name,
            "events": len(found),
            "visitors": _visitors(found),
            "sessions": _sessions(found),
            **_checkouts(found),
        }
        for name, found in sorted(events.by(group).items())
    ]


def _top(events: Events, column: str, group: Callable[[Event], str | None], limit: int | None) -> list[Row]:
    rows: list[Row] = [
        {
            column: name,
            "events": len(found),
            "product_views": _named(found, "product_view"),
            "add_to_cart_clicks": _named(found, "add_to_cart_click"),
        }
        for name, found in grouped(events.all, group).items()
    ]
    return sorted(rows, key=lambda row: (-row["events"], row[column]))[:limit]


def _checkouts(found: Sequence[Event]) -> Row:
    buying = [event for event in found if event.name == "checkout_complete"]
    adds, completes = _named(found, "add_to_cart_click"), len(buying)
    return {
        "add_to_cart_clicks": adds,
        "checkout_completes": completes,
        "checkout_rate": ratio(completes, adds),
        "visitor_conversion": ratio(_visitors(buying), _visitors(found)),
        "session_conversion": ratio(_sessions(buying), _sessions(found)),
    }


def _named(found: Sequence[Event], name: str) -> int:
    return sum(event.name == name for event in found)


def _visitors(found: Sequence[Event]) -> int:
    return len({event.visitor for event in found} - {None})


def _sessions(found: Sequence[Event]) -> int:
    return len({event.session for event in found} - {None})
