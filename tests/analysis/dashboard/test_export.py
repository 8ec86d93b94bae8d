import io
from contextlib import redirect_stdout
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from analysis.dashboard.answer import shown_for
from analysis.dashboard.export import as_csv, as_parquet, as_python, as_sql
from analysis.dashboard.panel import Query
from analysis.metrics.acquisition import sessions_by
from analysis.metrics.funnel import funnel, funnel_dropped
from analysis.metrics.overview import key_figures, key_figures_over_time
from analysis.metrics.paths import path_links, paths
from analysis.metrics.retention import retention
from analysis.metrics.revenue import revenue
from analysis.metrics.sessions import session_summary
from analysis.metrics.visitors import latest_events, visitors
from tests.analysis.dashboard.conftest import NOW, Seeded

pytestmark = pytest.mark.slow

QUERIES = [
    Query(key_figures),
    Query(key_figures_over_time, {"grain": "day"}),
    Query(revenue),
    Query(sessions_by, {"by": "campaign", "limit": 3}),
    Query(session_summary),
    Query(retention, {"grain": "day", "cohort": "first_visit"}),
    Query(path_links, {"node": "/cart", "direction": "to", "steps": 3, "limit": 5}),
    Query(paths, {"limit": 5}),
    Query(funnel, {"steps": ("product_view", "it's, 50 %"), "window": 3600, "order": "any", "by": "device"}),
    Query(funnel_dropped, {"step": 2, "after": (datetime(2026, 11, 17, 12, tzinfo=UTC), "client", "m"), "limit": 5}),
    Query(visitors, {"limit": 5, "after": (datetime(2026, 11, 17, 12, tzinfo=UTC), "client", "m"), "orders": True}),
    Query(latest_events, {"limit": 5, "before": (datetime(2026, 11, 17, 12, tzinfo=UTC), "a"), "derived": True}),
]
ADDRESSES = [
    "start=2026-11-13&end=2026-11-20",
    "start=2026-11-14T06:30&end=2026-11-18&zone=Asia/Ho_Chi_Minh&device=mobile&category=bags&category=shoes",
    "start=2026-11-13&end=2026-11-20&login=logged_in&clock=occurred&bots=1&campaign=%C6%AFu+%C4%91%C3%A3i+T%E1%BA%BFt",
]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.metric.__name__)
class TestCopies:
    def test_python_gives_the_same_figures(self, seeded: Seeded, query: Query, address: str) -> None:
        """Run as a notebook would run it."""
        shown = shown_for(seeded.place, address, NOW)
        names: dict[str, Any] = {}
        with redirect_stdout(io.StringIO()):
            exec(as_python(shown, query), names)  # noqa: S102  # our own text
        assert_frame_equal(names["frame"], shown.frame(query), check_exact=True)

    def test_sql_gives_the_same_figures(self, seeded: Seeded, query: Query, address: str) -> None:
        """Without parameters; a metric of several queries is as many statements."""
        shown = shown_for(seeded.place, address, NOW)
        engine = seeded.place.opened(shown.within, shown.view).engine
        parts = [engine.query(part, {}) for part in as_sql(shown, query).split(";\n\n")]
        assert "$" not in as_sql(shown, query)
        found = pl.concat(parts)
        assert_frame_equal(found.select(shown.frame(query).columns), shown.frame(query), check_exact=True)


class TestFiles:
    FRAME = pl.DataFrame(
        {
            "name": ["=1+1", "plain", "@x", None],
            "time": [datetime(2026, 11, 24, 9, 30, tzinfo=UTC)] * 4,
            "revenue": [Decimal("12.990000000000000000")] * 4,
        },
        schema_overrides={"time": pl.Datetime("us", "UTC")},
    )

    def test_csv_runs_nothing_in_a_spreadsheet(self) -> None:
        """A text that would be a formula is marked as text; times are in UTC."""
        lines = as_csv(self.FRAME).decode().splitlines()
        assert lines[0] == "name,time,revenue"
        assert lines[1].startswith("'=1+1,2026-11-24T09:30:00.000000Z,12.99")
        assert lines[2].startswith("plain,")
        assert lines[3].startswith("'@x,")

    def test_parquet_keeps_every_type(self) -> None:
        """It is the frame."""
        assert_frame_equal(pl.read_parquet(as_parquet(self.FRAME)), self.FRAME)
