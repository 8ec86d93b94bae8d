from collections.abc import Callable

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from analysis.metrics.carts import carts
from analysis.metrics.engine import Engine
from analysis.metrics.funnel import funnel
from analysis.metrics.overview import (
    by_login_state,
    events_over_time,
    latest_product_events,
    overview,
    top_brands,
    top_categories,
    top_events,
    visitor_types,
)
from analysis.metrics.paths import paths
from analysis.metrics.products import discount_effect, products
from analysis.metrics.range import LoginState, Range
from analysis.metrics.retention import retention
from analysis.metrics.sessions import rebuilt_sessions, session_summary, sessions
from tests.support.event_rows import RANGE, Event, raw_of, warehouse_of
from tests.support.histories import histories

METRICS: list[Callable[[Engine, Range], pl.DataFrame]] = [
    overview,
    lambda engine, within: events_over_time(engine, within, "hour"),
    lambda engine, within: events_over_time(engine, within, "day"),
    top_events,
    by_login_state,
    visitor_types,
    lambda engine, within: top_categories(engine, within, limit=1),
    lambda engine, within: top_brands(engine, within, limit=1),
    lambda engine, within: latest_product_events(engine, within, limit=9),
    lambda engine, within: funnel(engine, within, window=1800),
    lambda engine, within: funnel(engine, within, order="strict", by="category"),
    lambda engine, within: funnel(engine, within, order="any", by="visitor_type"),
    sessions,
    rebuilt_sessions,
    session_summary,
    lambda engine, within: retention(engine, within, "day"),
    lambda engine, within: retention(engine, within, "week"),
    products,
    discount_effect,
    carts,
    paths,
]


class TestEngines:
    @given(histories(), st.sampled_from([None, "logged_in"]))
    @settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_they_give_the_same_frames(self, metrics_url: str, history: list[Event], state: LoginState | None) -> None:
        """Every metric, to the last digit, type and row."""
        within = Range(RANGE.start, RANGE.end, state)
        raw, warehouse = raw_of(history), warehouse_of(metrics_url, history)
        for metric in METRICS:
            assert_frame_equal(metric(raw, within), metric(warehouse, within), check_exact=True)
