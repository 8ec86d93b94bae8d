"""Checks of time: clocks that are off, and events that came late."""

import polars as pl

from analysis.checks.validation.finding import Check

__all__ = ["MOST_LATE", "MOST_SKEW", "SECOND", "clock_checks", "timed"]

MOST_SKEW = 60.0  # seconds that a client's clock may be off
SECOND = 1_000_000  # microseconds: whole ones until the end, and in the end no more digits than they have
MOST_LATE = 300.0  # seconds that an event may have been on its way


def clock_checks(events: pl.DataFrame) -> list[Check]:
    """Check each client's clock, and how long each event took."""
    found = timed(events)
    skew, delay = ((pl.col(name) / SECOND).round(6) for name in ("offset", "delay"))
    clocks = found.filter(skew.abs() > MOST_SKEW).select("client_id", seconds=skew).unique()
    late = found.filter(delay > MOST_LATE)
    return [
        Check(
            "clock_skew",
            "warning",
            f"{clocks.height:,} clients have a clock that is off",
            f"at most {MOST_SKEW:g} s",
            "Trust event_timestamp, the time of receipt, for these; eventTimestamp orders one client's events only.",
            clocks.sort("client_id").to_dicts(),
        ),
        Check(
            "late_events",
            "info",
            f"{late.height:,} events came late",
            f"at most {MOST_LATE:g} s",
            "They waited in a browser that was offline or closed, and count at the time of receipt.",
            late.select("key", seconds=delay).to_dicts(),
        ),
    ]


def timed(events: pl.DataFrame) -> pl.DataFrame:
    """The events of known clients with a `sent_at` and a `received_at`, and two times in microseconds.

    `offset` is how far the client's clock is behind, by its quickest event, since none can arrive before it was sent.
    `delay` is what is left of the event's way once the clock is set right: how long it really took.
    """
    way = (pl.col("received_at") - pl.col("sent_at")).dt.total_microseconds()
    known = events.filter(pl.all_horizontal(pl.col("client_id", "sent_at", "received_at").is_not_null()))
    offset = way.min().over("client_id")
    return known.with_columns(offset=offset, delay=way - offset)
