import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import polars as pl
import psycopg
import pytest

from analysis import AnalysisError, Engine, Events, Range, RawEvents, WarehouseEvents, funnel, overview, paths
from analysis.metrics import statement
from chalicelib.contract import COLUMNS, Column
from chalicelib.warehouse.schema import Schema
from tests.support.event_rows import RANGE, Event, at, check, event, fill, frame_of

EngineOf = Callable[[Sequence[Event]], Engine]

SELECT = """
SELECT event_id, event_timestamp, CAST(event_timestamp AS DATE) AS day, is_first_visit
FROM public.clickstream_events
"""


def in_tab(events: Sequence[Event], occurred: Sequence[float]) -> pl.DataFrame:
    """The events as those of one tab, in the order of their numbers, which occurred so many seconds after MONDAY."""
    times = pl.Series(list(map(at, occurred)), dtype=pl.Datetime("us", "UTC"))
    seqs = pl.Series(range(1, len(events) + 1), dtype=pl.Int64)
    return frame_of(events).with_columns(occurred_at=times, tab_id=pl.lit("t"), seq=seqs)


class TestBoth:
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


class TestRawEvents:
    def test_missing_columns_are_an_error(self) -> None:
        """Which names them."""
        with pytest.raises(AnalysisError, match="lack these columns: event_name, session_id"):
            RawEvents(frame_of([]).drop("session_id", "event_name"))
        with pytest.raises(AnalysisError, match="lack these columns: occurred_at, tab_id, seq"):
            RawEvents(frame_of([]), clock="occurred")

    def test_another_clock_is_an_error(self) -> None:
        """Also receipt for events that were read by occurrence: those of the range are not all there."""
        with pytest.raises(AnalysisError, match="clock must be one of received, occurred"):
            RawEvents(frame_of([]), clock="sent")  # type: ignore[arg-type]
        read = Events(in_tab([], []), frame_of([]).clear(), clock="occurred")
        assert RawEvents(read).clock == "occurred"
        with pytest.raises(AnalysisError, match="read the events that were received in it"):
            RawEvents(read, clock="received")

    def test_the_time_of_events_is_that_of_the_clock(self) -> None:
        """In ranges, and in every figure."""
        frame = in_tab([event(0, client="c"), event(7200, client="c")], [0, 60])
        hour = Range(at(0), at(3600))
        for clock, last, events in (("received", 0, 1), ("occurred", 60, 2)):
            figures = overview(RawEvents(frame, clock=clock), hour).row(0, named=True)  # type: ignore[arg-type]
            assert (figures["last_event"], figures["events"]) == (at(last), events)

    @pytest.mark.parametrize("ids", [(1, 2), (2, 1)])
    def test_events_of_one_tab_with_the_same_time_are_in_the_order_of_seq(self, ids: tuple[int, int]) -> None:
        """A view of `seq` 1 and an add of `seq` 2, received in one millisecond; by receipt, the ids decide."""
        shown = event(5, "product_view", ids[0], client="c", session="s")
        added = event(5, "add_to_cart_click", ids[1], client="c", session="s")
        frame = in_tab([shown, added], [5, 5])
        steps = ["product_view", "add_to_cart_click"]
        received, occurred = RawEvents(frame), RawEvents(frame, clock="occurred")
        assert funnel(occurred, RANGE, steps)["visitors"].to_list() == [1, 1]
        assert funnel(received, RANGE, steps)["visitors"].to_list() == [1, 1 if ids == (1, 2) else 0]
        follows = ("product_view", "add_to_cart_click", 1, 1.0)
        assert paths(occurred, RANGE).rows() == [follows]

    def test_no_metric_orders_events_by_their_ids(self) -> None:
        """But by `tie_order`, which knows `seq`."""
        folder = Path(statement.__file__).parent / "sql"
        texts = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.sql")}
        assert statement.TIE_ORDER in texts["events.sql"]
        assert [name for name, text in texts.items() if re.search(r"event_timestamp( DESC)?, .*event_id", text)] == []


class TestWarehouseEvents:
    def test_it_only_reads(self, metrics_url: str) -> None:
        """Though its user might write."""
        fill(metrics_url, [])
        with pytest.raises(AnalysisError, match="read-only transaction"):
            WarehouseEvents(metrics_url).query("DELETE FROM public.clickstream_events RETURNING event_name", {})

    def test_a_query_that_takes_too_long_is_given_up(self, metrics_url: str) -> None:
        """And the error says after how long."""
        with pytest.raises(AnalysisError, match=r"more than 0\.05 s"):
            WarehouseEvents(metrics_url, timeout=0.05).query("SELECT pg_sleep(10)", {})

    def test_an_absent_warehouse_is_an_error(self) -> None:
        """In one line."""
        with pytest.raises(AnalysisError, match=r"the warehouse does not answer: .*refused"):
            WarehouseEvents("postgresql://nobody@127.0.0.1:1/nothing").query(SELECT, {})

    def test_an_empty_warehouse_is_an_error(self, warehouse_url: str) -> None:
        """Its table is made with the first event."""
        with pytest.raises(AnalysisError, match="no event has been projected yet"):
            WarehouseEvents(warehouse_url).query(SELECT, {})

    def test_an_older_warehouse_is_an_error(self, warehouse_url: str) -> None:
        """If a column of the contract is missing; to read is not to upgrade."""
        fill(warehouse_url, [])
        with psycopg.connect(warehouse_url) as connection:
            connection.execute("ALTER TABLE clickstream_events DROP COLUMN is_first_visit")
        said = r"\"is_first_visit\" does not exist: .* run 'python -m analysis upgrade'"
        with pytest.raises(AnalysisError, match=said):
            WarehouseEvents(warehouse_url).query(SELECT, {})

    def test_a_newer_warehouse_is_refused(self, warehouse_url: str) -> None:
        """Before the first query, by both versions."""
        fill(warehouse_url, [])
        newer = Schema((*COLUMNS, Column("utm_source", "TEXT", ("utm.source",))))
        with psycopg.connect(warehouse_url) as connection:
            newer.upgrade(connection)
        with pytest.raises(AnalysisError, match=r"at version 2\.17, this code knows 2\.16: update the code"):
            WarehouseEvents(warehouse_url).query(SELECT, {})

    def test_another_text_is_no_url(self) -> None:
        """And the error does not quote it, since it may hold a password."""
        with pytest.raises(AnalysisError) as caught:
            WarehouseEvents("postgresql//user:secret@host")
        assert "secret" not in str(caught.value)
