from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from analysis.rows.occurrence import MOST_SKEW, with_occurred_at

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
TIME = pl.Datetime("us", "UTC")
SCHEMA: dict[str, Any] = {
    "event_id": pl.String,
    "event_timestamp": TIME,
    "client_id": pl.String,
    "tab_id": pl.String,
    "seq": pl.Int64,
    "browser_time": TIME,
    "received_at": TIME,
}

Row = dict[str, Any]


def at(seconds: float | None) -> datetime | None:
    """The time so many seconds after noon."""
    return None if seconds is None else NOON + timedelta(seconds=seconds)


def row(
    received: float,
    sent: float | None = None,
    seq: int | None = None,
    client: str | None = "c",
    tab: str | None = "t",
    **more: Any,
) -> Row:
    """One event, received and sent so many seconds after noon."""
    times = {"event_timestamp": at(received), "received_at": at(received), "browser_time": at(sent)}
    return {**times, "client_id": client, "tab_id": tab, "seq": seq, **more}


def occurred(rows: Sequence[Row]) -> list[float]:
    """When each of the rows occurred, in seconds after noon."""
    numbered = [{"event_id": f"{place:03}", **each} for place, each in enumerate(rows)]
    found = with_occurred_at(pl.DataFrame(numbered, SCHEMA, orient="row")).sort("event_id")
    assert len(found) == len(rows)
    return [(time - NOON).total_seconds() for time in found["occurred_at"]]


class TestOccurredAt:
    def test_the_browsers_clock_counts_for_a_healthy_client(self) -> None:
        """An event that waited for an hour occurred an hour before its receipt."""
        assert occurred([row(1, 0, 1), row(3610, 10, 2), row(3611, 20, 3), row(3631, 3630, 4)]) == [0, 10, 20, 3630]

    def test_a_clock_that_is_ahead_is_set_right(self) -> None:
        """By the client's smallest difference between receipt and sending: an event cannot arrive before it is sent."""
        assert occurred([row(1, 601, 1), row(4000, 610, 2)]) == [1, 10]

    def test_a_clock_that_is_behind_is_set_right(self) -> None:
        """If even the client's quickest event seems to take longer than a minute."""
        assert occurred([row(100, 39, 1), row(4000, 50, 2)]) == [100, 111]

    def test_up_to_a_minute_is_transit(self) -> None:
        """The clock is kept, at both bounds."""
        assert occurred([row(MOST_SKEW, 0, 1)]) == [0]
        assert occurred([row(5, 5, 1), row(10, 7, 2)]) == [5, 7]

    def test_each_client_has_its_own_clock(self) -> None:
        """The correction of one does not touch another."""
        assert occurred([row(1, 601, 1, client="ahead"), row(1, 0.5, 1, client="right")]) == [1, 0.5]

    def test_an_event_is_never_after_its_receipt(self) -> None:
        """Also if a clock was set back between two events, so that one of them lies in the future."""
        assert occurred([row(10, 9, 1), row(20, 29, 2), row(40, 31, 3)]) == [0, 20, 22]

    def test_the_order_in_a_tab_is_that_of_seq(self) -> None:
        """Whatever the browser's clock says; another tab is not touched."""
        assert occurred([row(30, 20, 1), row(31, 10, 2), row(32, 25, 3), row(9, 8, 1, tab="u")]) == [20, 20, 25, 8]

    def test_no_event_is_after_the_receipt_of_a_later_number(self) -> None:
        """Number 1 arrived last; it cannot have happened after number 2 did."""
        assert occurred([row(50, 40, 1), row(20, 15, 2)]) == [15 + 5, 20]

    def test_without_a_browsers_time_the_next_number_of_the_tab_counts(self) -> None:
        """If there is none, the receipt."""
        assert occurred([row(3600, None, 1), row(3601, 5, 2), row(3602, None, 3), row(3603, 3602.5, 4)]) == [
            5,
            5,
            3602,
            3602.5,
        ]
        assert occurred([row(7, None, 1), row(9)]) == [7, 9]

    def test_without_a_client_the_receipt_counts(self) -> None:
        """No other event tells whether the clock is right; events without a client are not one client."""
        assert occurred([row(100, 50, 1, client=None), row(100, 99, 2, client=None)]) == [100, 100]

    def test_without_a_tab_or_number_the_browsers_time_counts(self) -> None:
        """Such events are in no order."""
        assert occurred([row(100, 50, tab=None), row(100, 99)]) == [50, 99]

    def test_a_time_far_from_the_receipt_is_not_believed(self) -> None:
        """One such event does not move the others of its client; it counts at its receipt."""
        year = 365 * 86400.0
        assert occurred([row(1, 0, 1), row(11, year, 2), row(21, -year, 3), row(31, 30, 4)]) == [0, 11, 21, 30]

    def test_an_event_that_ingest_did_not_receive_counts_by_its_own_time(self) -> None:
        """Without a time of receipt there is nothing to set its clock right by, and it orders no others."""
        foreign = row(-900, -900, 2) | {"received_at": None}
        assert occurred([row(1, 0, 1), foreign]) == [0, -900]


_rows = st.builds(
    row,
    st.integers(0, 200_000).map(lambda milliseconds: milliseconds / 1000),
    st.none() | st.integers(-200_000, 400_000).map(lambda milliseconds: milliseconds / 1000),
    st.none() | st.integers(1, 6),
    st.sampled_from((None, "c", "d")),
    st.sampled_from((None, "t", "u")),
)
_gaps = st.integers(0, 600_000).map(lambda milliseconds: milliseconds / 1000)


class TestProperties:
    @given(st.lists(_rows, max_size=12))
    def test_never_after_receipt(self, rows: list[Row]) -> None:
        """Whatever clocks and numbers say."""
        for each, seconds in zip(rows, occurred(rows), strict=True):
            assert at(seconds) <= each["event_timestamp"]

    @given(st.lists(_rows, max_size=12))
    def test_monotone_in_seq_per_tab(self, rows: list[Row]) -> None:
        """A later number never occurred before an earlier one."""
        found = zip(rows, occurred(rows), strict=True)
        tabs = [(each, seconds) for each, seconds in found if None not in each.values() or each["browser_time"] is None]
        for one, before in tabs:
            for other, after in tabs:
                is_tab = all(one[name] == other[name] is not None for name in ("client_id", "tab_id"))
                if is_tab and None not in (one["seq"], other["seq"]) and one["seq"] < other["seq"]:
                    assert before <= after

    @given(st.lists(st.tuples(_gaps, _gaps), min_size=1, max_size=12), st.integers(0, 60_000))
    def test_equal_to_the_clock_of_a_healthy_client(self, gaps: list[tuple[float, float]], quickest: int) -> None:
        """If one event took at most a minute, and none arrived before it was sent."""
        sent, rows = 0.0, []
        for number, (gap, wait) in enumerate(gaps, 1):
            sent = round(sent + gap, 3)
            rows.append(row(round(sent + (quickest / 1000 if number == 1 else wait), 3), sent, number))
        assert occurred(rows) == [(each["browser_time"] - NOON).total_seconds() for each in rows]
