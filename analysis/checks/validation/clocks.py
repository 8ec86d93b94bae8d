"""Checks of time: wrong clocks, events that arrived late, and events that arrived on a later day."""

import polars as pl

from analysis.checks.validation.evidence.parts import Parts
from analysis.checks.validation.finding import Check, counted
from analysis.metrics.zone import zone_of
from analysis.rows.browser_time import SENT_AT
from analysis.rows.fields import OCCURRED_AT
from analysis.rows.occurrence import MOST_SKEW, with_occurred_at

__all__ = ["MOST_LATE", "MOST_SKEW", "SECOND", "clock_checks", "timed"]

SECOND = 1_000_000  # microseconds: times stay whole numbers until they are shown, so that nothing is rounded
FIRST = ("event_timestamp", "key")
COLUMNS = (*FIRST, "event_id", "client_id", "tab_id", "seq", "sent_at", "received_at")
MOST_LATE = 300.0  # seconds that an event may take from the browser to ingest


def clock_checks(events: Parts, zone: str = "UTC") -> list[Check]:
    """Check each client's clock, and the delay of each event; days are those of the time zone, an IANA name."""
    skew, delay = ((pl.col(name) / SECOND).round(6) for name in ("offset", "delay"))
    wrong, waited, arrived = [], [], []
    # Each client's clock is judged by all of its events. An event without a client has no clock.
    for part in events.where(pl.col("client_id").is_not_null()).groups("client_id", *COLUMNS):
        found = timed(part)
        wrong.append(found.filter(skew.abs() > MOST_SKEW).select("client_id", seconds=skew).unique())
        waited.append(found.filter(delay > MOST_LATE).select(*FIRST, seconds=delay))
        arrived.append(_waited(part))
    clocks, late = pl.concat(wrong), pl.concat(waited).sort(FIRST)
    moved = _moved(pl.concat(arrived).sort(FIRST), zone)
    return [
        Check(
            "clock_skew",
            "warning",
            counted(clocks.height, "client has a wrong clock", "clients have a wrong clock"),
            f"at most {MOST_SKEW:g} s off",
            "A clock is behind by these seconds, or ahead if they are negative. Use event_timestamp, the time of "
            "receipt, for these clients: eventTimestamp only orders the events of one client.",
            clocks.sort("client_id").to_dicts(),
        ),
        Check(
            "late_events",
            "info",
            counted(late.height, "event arrived late", "events arrived late"),
            f"a delay of at most {MOST_LATE:g} s",
            "Such an event waited in a browser that was offline or closed. It counts at the time of receipt.",
            late.select("key", "seconds").to_dicts(),
        ),
        Check(
            "moved_days",
            "info",
            counted(len(moved), "event arrived on a later day", "events arrived on a later day") + f" ({zone})",
            "each event on the day on which it happened",
            "These events count on the day of their receipt. Metrics over raw with clock='occurred' count them on the "
            "day on which they happened.",
            moved,
        ),
    ]


def _waited(events: pl.DataFrame) -> pl.DataFrame:
    """Find the events that waited for longer than transit takes."""
    times = with_occurred_at(events.rename({"sent_at": SENT_AT.name}))
    waited = (pl.col("event_timestamp") - pl.col(OCCURRED_AT)).dt.total_microseconds() > MOST_SKEW * SECOND
    return times.filter(waited).select("key", OCCURRED_AT, "event_timestamp")


def _moved(late: pl.DataFrame, zone: str) -> list[dict[str, object]]:
    """Choose the events that waited until another day of the zone."""
    there = zone_of(zone)
    return [
        {"key": key, OCCURRED_AT: occurred, "received_at": received}
        for key, occurred, received in late.iter_rows()
        if occurred.astimezone(there).date() != received.astimezone(there).date()
    ]


def timed(events: pl.DataFrame) -> pl.DataFrame:
    """Compute each event's delay, with its client's clock set right.

    Args:
        events: Columns `client_id`, `sent_at` (the browser's clock) and `received_at` (ingest's clock), among others.

    Returns:
        The events in which these three are present, with two more columns in microseconds. `offset` is how far the
        client's clock is behind, judged by the client's quickest event, because no event arrives before it is sent.
        `delay` is how long the event took: receipt minus sending, minus `offset`.
    """
    way = (pl.col("received_at") - pl.col("sent_at")).dt.total_microseconds()
    known = events.filter(pl.all_horizontal(pl.col("client_id", "sent_at", "received_at").is_not_null()))
    offset = way.min().over("client_id")
    return known.with_columns(offset=offset, delay=way - offset)
