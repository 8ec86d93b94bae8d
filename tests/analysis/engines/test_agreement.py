from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from analysis import (
    Engine,
    LoginState,
    Range,
    by_login_state,
    carts,
    discount_effect,
    events_over_time,
    funnel,
    funnel_dropped,
    funnel_times,
    latest_events,
    latest_product_events,
    overview,
    path_links,
    paths,
    products,
    rebuilt_sessions,
    retention,
    session_summary,
    sessions,
    top_brands,
    top_categories,
    top_events,
    visitor_events,
    visitor_types,
    visitors,
)
from tests.support.event_rows import RANGE, Event, raw_of, warehouse_of
from tests.support.histories import histories

METRICS: list[Callable[[Engine, Range], pl.DataFrame]] = [
    overview,
    lambda engine, within: events_over_time(engine, within, "hour"),
    lambda engine, within: events_over_time(engine, within, "day"),
    lambda engine, within: events_over_time(engine, within, "minute"),
    lambda engine, within: events_over_time(engine, within, "week"),
    top_events,
    by_login_state,
    visitor_types,
    lambda engine, within: top_categories(engine, within, limit=1),
    lambda engine, within: top_brands(engine, within, limit=1),
    lambda engine, within: top_brands(engine, within, unknown=True),
    lambda engine, within: latest_product_events(engine, within, limit=9),
    lambda engine, within: funnel(engine, within, window=1800),
    lambda engine, within: funnel(engine, within, order="strict", by="category"),
    lambda engine, within: funnel(engine, within, order="any", by="visitor_type"),
    lambda engine, within: funnel(engine, within, by="login_state"),
    funnel_times,
    lambda engine, within: funnel_times(engine, within, order="strict", by="brand"),
    lambda engine, within: funnel_times(engine, within, order="any"),
    lambda engine, within: funnel_dropped(engine, within, 2),
    sessions,
    rebuilt_sessions,
    session_summary,
    lambda engine, within: retention(engine, within, "day"),
    lambda engine, within: retention(engine, within, "week"),
    lambda engine, within: retention(engine, within, "month"),
    lambda engine, within: retention(engine, within, "day", "first_visit"),
    products,
    discount_effect,
    carts,
    paths,
    lambda engine, within: paths(engine, within, clicks=True),
    lambda engine, within: path_links(engine, within, nodes="event"),
    lambda engine, within: path_links(engine, within, "product_view", "to", limit=2, nodes="event"),
    visitors,
    lambda engine, within: latest_events(engine, within, limit=9),
    lambda engine, within: visitor_events(engine, within, "a"),
]


class TestEngines:
    @pytest.mark.slow
    @given(histories(), st.sampled_from([None, "logged_in"]))
    @settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_they_give_the_same_frames(self, metrics_url: str, history: list[Event], state: LoginState | None) -> None:
        """Every metric, to the last digit, type and row."""
        within = Range(RANGE.start, RANGE.end, state)
        raw, warehouse = raw_of(history), warehouse_of(metrics_url, history)
        for metric in METRICS:
            assert_frame_equal(metric(raw, within), metric(warehouse, within), check_exact=True)
