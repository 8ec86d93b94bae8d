"""Checks of sessions and visits: sessions that break their own rule, and first visits that contradict each other."""

import polars as pl

from analysis.checks.validation.finding import Check

__all__ = ["visit_checks"]

IDLE_SECONDS = 1800


def visit_checks(events: pl.DataFrame) -> list[Check]:
    """Check sessions by the clocks of their browsers, and what each client says of its first visit."""
    broken = pl.concat([_gaps(events), _shared(events)], how="diagonal").sort("session_id", "reason")
    contradictions = _contradictions(events)
    return [
        Check(
            "broken_sessions",
            "warning",
            f"{broken.height:,} sessions are none",
            f"no gap above {IDLE_SECONDS} s, one client",
            "Another publisher than ours makes them, or two browsers share a session; rebuilt_sessions does without.",
            broken.to_dicts(),
        ),
        Check(
            "first_visit_contradictions",
            "warning",
            f"{contradictions.height:,} clients contradict themselves",
            "isFirstVisit in the first session, and only there",
            "Count new clients by their first event instead; see who else writes isFirstVisit.",
            contradictions.to_dicts(),
        ),
    ]


def _gaps(events: pl.DataFrame) -> pl.DataFrame:
    timed = events.filter(pl.all_horizontal(pl.col("session_id", "sent_at").is_not_null()))
    gaps = timed.sort("session_id", "sent_at").with_columns(
        gap=(pl.col("sent_at") - pl.col("sent_at").shift(1).over("session_id")).dt.total_microseconds() / 1e6
    )
    found = gaps.group_by("session_id").agg(gap=pl.col("gap").max()).filter(pl.col("gap") > IDLE_SECONDS)
    return found.select("session_id", "gap", reason=pl.lit("gap"))


def _shared(events: pl.DataFrame) -> pl.DataFrame:
    known = events.filter(pl.all_horizontal(pl.col("session_id", "client_id").is_not_null()))
    clients = known.group_by("session_id").agg(clients=pl.col("client_id").n_unique())
    return clients.filter(pl.col("clients") > 1).select("session_id", "clients", reason=pl.lit("clients"))


def _contradictions(events: pl.DataFrame) -> pl.DataFrame:
    names = ("client_id", "session_id", "is_first_visit")
    known = events.filter(pl.all_horizontal(pl.col(*names).is_not_null()))
    sessions = (
        known.group_by("client_id", "session_id")
        .agg(
            is_first=pl.col("is_first_visit").any(),
            is_mixed=pl.col("is_first_visit").n_unique() > 1,
            begun=pl.col("event_timestamp").min(),
        )
        .sort("client_id", "begun", "session_id")
        .with_columns(number=pl.int_range(pl.len()).over("client_id"))
    )
    return (
        sessions.group_by("client_id")
        .agg(
            first_sessions=pl.col("is_first").sum(),
            mixed_sessions=pl.col("is_mixed").sum(),
            late_first_sessions=(pl.col("is_first") & (pl.col("number") > 0)).sum(),
        )
        .filter((pl.col("first_sessions") > 1) | (pl.col("mixed_sessions") > 0) | (pl.col("late_first_sessions") > 0))
        .sort("client_id")
    )
