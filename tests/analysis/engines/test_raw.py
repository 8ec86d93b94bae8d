import re
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from analysis import AnalysisError, Events, Range, RawEvents, funnel, overview, paths
from analysis.engines import raw
from analysis.metrics import statement
from tests.support.event_rows import RANGE, Event, at, event, frame_of


def in_tab(events: Sequence[Event], occurred: Sequence[float]) -> pl.DataFrame:
    """The events as those of one tab, in the order of their numbers, which occurred so many seconds after MONDAY."""
    times = pl.Series(list(map(at, occurred)), dtype=pl.Datetime("us", "UTC"))
    seqs = pl.Series(range(1, len(events) + 1), dtype=pl.Int64)
    return frame_of(events).with_columns(occurred_at=times, tab_id=pl.lit("t"), seq=seqs)


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

    def test_further_tables_are_computed_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """For all queries, with the parameters of the first; the one that was not used the longest goes first."""
        monkeypatch.setattr(raw, "MOST_TABLES", 2)
        events = RawEvents(frame_of([]))

        def asked(name: str, number: int) -> object:
            rows = {name: "SELECT CAST($number AS BIGINT) AS number"}
            return events.query(f"FROM {name}", {"number": number}, rows).item()

        assert [asked("a", 1), asked("a", 2), asked("b", 3), asked("a", 4)] == [1, 1, 3, 1]
        assert [asked("c", 5), asked("a", 6), asked("b", 7)] == [5, 1, 7]

    def test_no_metric_orders_events_by_their_ids(self) -> None:
        """But by `tie_order`, which knows `seq`."""
        folder = Path(statement.__file__).parent / "sql"
        texts = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.sql")}
        assert statement.TIE_ORDER in texts["events.sql"]
        assert [name for name, text in texts.items() if re.search(r"event_timestamp( DESC)?, .*event_id", text)] == []
