"""Sessions: how long visits last and what happens in them. Definitions: docs/metrics.md."""

import polars as pl

from analysis.metrics.engine import Engine
from analysis.metrics.range import Range
from analysis.metrics.statement import statement

__all__ = ["rebuilt_sessions", "session_summary", "sessions"]

_METHODS = {"session_id": "sessions/by_id", "rebuilt": "sessions/by_gap"}


def sessions(engine: Engine, within: Range) -> pl.DataFrame:
    """Give one row per `session_id`.

    Columns: `session_id`, `visitor` (of its first event), `started_at`, `ended_at`, `duration` (seconds), `events`,
    `views`, `interactions`, `is_bounce`, `is_engaged`, `has_cart`, `has_checkout_start`, `has_purchase`. A bounce is
    one view and nothing else, and lasts 0 s (Plausible, `metrics-definitions.md`); an engaged session is longer than 10
    s, or has a key event or two views (GA4 help 12798876). Order: started_at, session_id.
    """
    return _sessions(engine, within, "session_id").drop("number")


def rebuilt_sessions(engine: Engine, within: Range) -> pl.DataFrame:
    """Give one row per visit: a visitor's events, split where nothing happened for more than 1800 s.

    Columns: `visitor`, `number` (1…, per visitor), and from `started_at` on those of `sessions`. Half an hour is GA4's
    (help 12798876) and Plausible's. Events without visitor are left out. Order: started_at, visitor; where a client and
    a user have the same name, the client comes first.
    """
    return _sessions(engine, within, "rebuilt").drop("session_id")


def session_summary(engine: Engine, within: Range) -> pl.DataFrame:
    """Give two rows, one for `sessions` (`method` is `session_id`) and one for `rebuilt_sessions` (`rebuilt`).

    Columns: `method`, `sessions`, `median_duration`, `average_duration` (seconds), `events_per_session`,
    `views_per_session`, `bounce_rate`, `engagement_rate` (shares of 1). All but `sessions` are null without any. The
    median interpolates (`percentile_cont`).
    """
    return pl.concat(
        engine.query(
            statement("sessions/summary", session_events=events, sessions="sessions/sessions"),
            {**within.parameters, "method": method},
        )
        for method, events in _METHODS.items()
    )


def _sessions(engine: Engine, within: Range, method: str) -> pl.DataFrame:
    return engine.query(statement("sessions/sessions", session_events=_METHODS[method]), within.parameters)
