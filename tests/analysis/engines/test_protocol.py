from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import polars as pl

from analysis import Engine
from tests.support.event_rows import RANGE, Event, at, check, event

EngineOf = Callable[[Sequence[Event]], Engine]

SELECT = """
SELECT event_id, event_timestamp, CAST(event_timestamp AS DATE) AS day, is_first_visit
FROM public.clickstream_events
"""


class TestEngine:
    def test_they_give_the_same_types(self, engine_of: EngineOf) -> None:
        """Times in UTC, ids as text."""
        frame = engine_of([event(86399.5, number=0xAB, first=True)]).query(SELECT, {})
        schema = {
            "event_id": pl.String,
            "event_timestamp": pl.Datetime("us", "UTC"),
            "day": pl.Date,
            "is_first_visit": pl.Boolean,
        }
        check(frame, schema, [("00000000-0000-0000-0000-0000000000ab", at(86399.5), at(0).date(), True)])

    def test_parameters_are_bound(self, engine_of: EngineOf) -> None:
        """As values, whatever they look like; a percent sign is one, and a time may be of any zone."""
        tokyo = datetime(2026, 11, 2, 9, tzinfo=timezone(timedelta(hours=9)))
        sql = "SELECT CAST($a AS TEXT) || '%' AS a, CAST($b AS TIMESTAMPTZ) AS b, CAST(7 % 4 AS BIGINT) AS c"
        frame = engine_of([]).query(sql, {"a": "$b'; %(b)s", "b": tokyo})
        assert frame.rows() == [("$b'; %(b)s%", datetime(2026, 11, 2, tzinfo=UTC), 3)]

    def test_other_parameters_are_ignored(self, engine_of: EngineOf) -> None:
        """So a query may take a range's, and use some of them."""
        sql = "SELECT COUNT(*) FROM public.clickstream_events WHERE event_timestamp >= $start"
        assert engine_of([event(0)]).query(sql, RANGE.parameters).item() == 1

    def test_threads_may_share_one(self, engine_of: EngineOf) -> None:
        """Each gets its own answer."""
        engine = engine_of([event(0)])
        with ThreadPoolExecutor(4) as threads:
            answers = threads.map(lambda n: engine.query("SELECT CAST($n AS BIGINT) AS n", {"n": n}).item(), range(20))
        assert list(answers) == list(range(20))
