"""Sessions: their duration, depth, bounces and purchases. Definitions: docs/metrics.md."""

import polars as pl

from analysis.engines.protocol import Engine
from analysis.metrics.range import Range
from analysis.metrics.statement import statement

__all__ = ["rebuilt_sessions", "session_summary", "sessions"]

_METHODS = {"session_id": "sessions/by_id", "rebuilt": "sessions/by_gap"}


def sessions(engine: Engine, within: Range) -> pl.DataFrame:
    """Measure each session that the publisher named with a `session_id`.

    A bounce is one view and nothing else, and lasts 0 s (Plausible, `metrics-definitions.md`). An engaged session is
    longer than 10 s, or has a key event or two views (GA4 help 12798876).

    Args:
        engine: Where to compute: `RawEvents` or `WarehouseEvents`.
        within: The time range, and the login state.

    Returns:
        One row per session: `session_id`, `visitor` (of the session's first event), `started_at` and `ended_at` (UTC),
        `duration` (seconds), `events`, `views`, `interactions`, `is_bounce`, `is_engaged`, `has_cart`,
        `has_checkout_start`, `has_purchase`. Order: started_at, session_id.
    """
    return _sessions(engine, within, "session_id").drop("number")


def rebuilt_sessions(engine: Engine, within: Range) -> pl.DataFrame:
    """Rebuild sessions from time alone: a visitor's events, split at every gap of more than 1800 s.

    GA4 (help 12798876) and Plausible use the same half hour. Events without a visitor are left out.

    Args:
        engine: Where to compute: `RawEvents` or `WarehouseEvents`.
        within: The time range, and the login state.

    Returns:
        One row per rebuilt session: `visitor`, `number` (1…, per visitor), then the columns of `sessions` from
        `started_at` on. Order: started_at, visitor; if a client and a user have the same name, the client comes first.
    """
    return _sessions(engine, within, "rebuilt").drop("session_id")


def session_summary(engine: Engine, within: Range) -> pl.DataFrame:
    """Summarize sessions, once by `session_id` and once rebuilt.

    Returns:
        Two rows, for `sessions` (`method` is `session_id`) and for `rebuilt_sessions` (`method` is `rebuilt`):
        `method`, `sessions`, `median_duration` (interpolated, as `percentile_cont` does) and `average_duration`
        (seconds), `events_per_session`, `views_per_session`, `bounce_rate` and `engagement_rate` (shares of 1). Without
        sessions, every figure but `sessions` is null.
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
