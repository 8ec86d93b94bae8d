"""Checks of sessions and first visits: sessions that break their rules, and contradictory first visits."""

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from analysis.checks.validation.evidence.parts import Parts
from analysis.checks.validation.finding import Check, counted
from analysis.checks.validation.senders.publishers import first_event_only

__all__ = ["visit_checks"]

IDLE_SECONDS = 1800
VISIT = ("client_id", "session_id", "is_first_visit")


def visit_checks(events: Parts, first_only: Sequence[str | None] | None = None) -> list[Check]:
    """Check each session by its browser's clock, and what each client says about its first visit.

    Args:
        events: The events.
        first_only: What `first_event_only` says of them, if somebody has asked already.
    """
    first_only = first_event_only(events) if first_only is None else first_only
    named = events.where(pl.col("session_id").is_not_null())
    sessions = map(_suspects, named.groups("session_id", "session_id", "client_id", "sent_at"))
    found = [each for part in sessions for each in (_gaps(part), _shared(part))]
    broken = pl.concat(found, how="diagonal").sort("session_id", "reason")
    # other_publishers reports those, once.
    others = events.where(~pl.col("publisher").is_in(list(first_only), nulls_equal=True))
    known = others.where(pl.all_horizontal(pl.col(*VISIT).is_not_null()))
    clients = known.groups("client_id", *VISIT, "event_timestamp")
    contradictions = pl.concat([_contradictions(part) for part in clients]).sort("client_id")
    return [
        Check(
            "broken_sessions",
            "warning",
            counted(
                broken.height,
                "session breaks the 30-minute rule or has several clients",
                "sessions break the 30-minute rule or have several clients",
            ),
            f"no gap above {IDLE_SECONDS} s, and one client per session",
            "Another publisher makes these sessions, or browsers share one. rebuilt_sessions needs no session ids.",
            broken.to_dicts(),
        ),
        Check(
            "first_visit_contradictions",
            "warning",
            counted(
                contradictions.height,
                "client contradicts itself about its first visit",
                "clients contradict themselves about their first visit",
            ),
            "isFirstVisit is true in a client's first session only",
            "Count new clients by their first event instead. Find out which other program sends isFirstVisit.",
            contradictions.to_dicts(),
        ),
    ]


def _suspects(events: pl.DataFrame) -> pl.DataFrame:
    """Keep the events of sessions that are long enough for a gap, or have several clients."""
    sessions = events.group_by("session_id").agg(
        length=pl.col("sent_at").max() - pl.col("sent_at").min(), clients=pl.col("client_id").n_unique()
    )
    is_suspect = (pl.col("length") > timedelta(seconds=IDLE_SECONDS)) | (pl.col("clients") > 1)
    return events.join(sessions.filter(is_suspect), on="session_id", how="semi", maintain_order="left")


def _gaps(events: pl.DataFrame) -> pl.DataFrame:
    gaps = (
        events.drop_nulls("sent_at")
        .sort("session_id", "sent_at")
        .with_columns(
            gap=(pl.col("sent_at") - pl.col("sent_at").shift(1).over("session_id")).dt.total_microseconds() / 1e6
        )
    )
    found = gaps.group_by("session_id").agg(gap=pl.col("gap").max()).filter(pl.col("gap") > IDLE_SECONDS)
    return found.select("session_id", "gap", reason=pl.lit("gap"))


def _shared(events: pl.DataFrame) -> pl.DataFrame:
    clients = events.drop_nulls("client_id").group_by("session_id").agg(clients=pl.col("client_id").n_unique())
    return clients.filter(pl.col("clients") > 1).select("session_id", "clients", reason=pl.lit("clients"))


def _contradictions(events: pl.DataFrame) -> pl.DataFrame:
    sessions = (
        events.group_by("client_id", "session_id")
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
    )
