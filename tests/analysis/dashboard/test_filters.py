from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import polars as pl
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import analysis
from analysis import AnalysisError, Engine, FilteredEvents, Range, RawEvents, WarehouseEvents, read_events
from analysis.dashboard.filters import FILTERS, values_of
from chalicelib.contract import COLUMNS
from chalicelib.warehouse.schema import SCHEMA
from emulator.seed.answers import acquisition, funnel, overview, products, revenue
from tests.analysis.dashboard.conftest import END, START, Chosen, Seeded, plain
from tests.support.event_rows import event, raw_of

pytestmark = pytest.mark.slow

WITHIN = Range(START, END)
FIELDS = ["order", "page_url", "referrer", "user_agent", "time_zone"]
STEPS = {"steps": funnel.STEPS, "window": funnel.WINDOW, "order": "ordered", "by": None}
METRICS: Mapping[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "key_figures": (overview.key_figures, {}),
    "key_figures_over_time": (overview.key_figures_over_time, {"grain": "day"}),
    "top_events": (overview.top_events, {}),
    "products": (products.products, {"limit": 5}),
    "revenue": (revenue.revenue, {}),
    "funnel": (funnel.funnel, STEPS),
    "sessions_by": (acquisition.sessions_by, {"by": "channel", "limit": 5}),
}


@pytest.fixture(scope="module")
def raw(seeded: Seeded) -> RawEvents:
    """Give the events of the history, with the derived columns."""
    return RawEvents(read_events(seeded.bucket, START, END, fields=FIELDS, lake=False))


@pytest.fixture(scope="module")
def values(raw: RawEvents) -> Mapping[str, list[str]]:
    """Give the values of each filter, the most frequent first."""
    return {name: values_of(raw, name, WITHIN.parameters)["value"].to_list() for name in FILTERS}


def check(engine: Engine, seeded: Seeded, filters: Chosen, *metrics: str) -> None:
    """Assert that metrics give exactly the seed's answers under filters."""
    filtered = FilteredEvents(engine, filters)
    for name in metrics or METRICS:
        answer, arguments = METRICS[name]
        found = plain(getattr(analysis, name)(filtered, WITHIN, **arguments).to_dicts())
        assert found == seeded.answer(answer, filters, **arguments), (name, filters)


class TestFilteredEvents:
    @pytest.mark.parametrize("name", FILTERS)
    def test_every_metric_is_exact_under_each_filter(
        self, seeded: Seeded, raw: RawEvents, values: Mapping[str, list[str]], name: str
    ) -> None:
        """For the most frequent value, a rare one, and two together."""
        for chosen in (values[name][:1], values[name][-1:], values[name][:2]):
            check(raw, seeded, {name: chosen})

    def test_several_filters_hold_together(
        self, seeded: Seeded, raw: RawEvents, values: Mapping[str, list[str]]
    ) -> None:
        """Any of them, with any of their values."""

        @settings(max_examples=20, deadline=None)
        @given(st.data())
        def hold(data: st.DataObject) -> None:
            names = data.draw(st.lists(st.sampled_from(sorted(FILTERS)), min_size=2, max_size=4, unique=True))
            some = {
                name: st.lists(st.sampled_from(values[name][:4]), min_size=1, max_size=2, unique=True) for name in names
            }
            check(raw, seeded, data.draw(st.fixed_dictionaries(some)), "key_figures", "top_events", "revenue")

        hold()

    def test_both_engines_filter_by_what_the_warehouse_has(
        self,
        seeded: Seeded,
        raw: RawEvents,
        values: Mapping[str, list[str]],
        new_database: Callable[[], AbstractContextManager[str]],
    ) -> None:
        """The same figures; the other filters say why they cannot be used."""
        with new_database() as url:
            with psycopg.connect(url) as connection, connection.cursor() as cursor:
                cursor.execute(SCHEMA.create_events)
                rows = raw.query(
                    f"SELECT {', '.join(each.name for each in COLUMNS)} FROM public.clickstream_events", {}
                )
                cursor.executemany(SCHEMA.insert, rows.rows())
            warehouse = WarehouseEvents(url)
            for name, chosen in FILTERS.items():
                if chosen.is_derived:
                    with pytest.raises(AnalysisError, match="it is in raw and in the lake"):
                        FilteredEvents(warehouse, {name: values[name][:1]})
                else:
                    assert values_of(warehouse, name, WITHIN.parameters)["value"].to_list() == values[name]
                    check(warehouse, seeded, {name: values[name][:1]}, "key_figures", "funnel", "products")

    def test_without_filters_nothing_changes(self, raw: RawEvents) -> None:
        """Every event is left."""
        assert analysis.overview(FilteredEvents(raw, {}), WITHIN).equals(analysis.overview(raw, WITHIN))

    def test_text_of_others_is_a_parameter(self) -> None:
        """A value cannot end the query's text."""
        value = "x' OR TRUE --"
        engine = raw_of([event(0, category="x", session="s"), event(1, category=value, session="t")])
        filtered = FilteredEvents(engine, {"category": [value]})
        assert analysis.sessions(filtered, Range(START.replace(day=1), END))["session_id"].to_list() == ["t"]

    def test_unknown_names_are_refused(self, raw: RawEvents) -> None:
        """With the names that there are."""
        with pytest.raises(AnalysisError, match="there is no filter 'colour': choose from visitor"):
            FilteredEvents(raw, {"colour": ["red"]})
        with pytest.raises(AnalysisError, match="'old' is no value of this filter"):
            FilteredEvents(raw, {"visitor": ["old"]})


class TestValuesOf:
    def test_it_counts_sessions_by_channel(self, seeded: Seeded, raw: RawEvents) -> None:
        """As the metric of acquisition does."""
        groups = seeded.answer(acquisition.sessions_by, by="channel", limit=100)
        found = values_of(raw, "channel", WITHIN.parameters)
        assert found.rows() == [(row["group"], row["sessions"]) for row in groups]

    def test_it_counts_events_by_device(self, seeded: Seeded, raw: RawEvents) -> None:
        """The most frequent first."""
        found = values_of(raw, "device", WITHIN.parameters)
        assert dict(found.rows()) == {device: len(seeded.events({"device": [device]}).all) for device in found["value"]}
        assert found["events"].is_sorted(descending=True)
        assert found["events"].dtype == pl.Int64()
