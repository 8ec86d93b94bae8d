from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from analysis.errors import AnalysisError
from analysis.metrics.engine import RawEvents
from analysis.metrics.range import Range
from analysis.metrics.revenue import revenue, revenue_over_time
from analysis.rows.reader import read_events
from tests.support.event_rows import RANGE, Event, at, check, event, frame_of, raw_of
from tests.support.raw_objects import START, Objects

MONEY = pl.Decimal(38, 18)
REVENUE = {
    "currency": pl.String,
    "orders": pl.Int64,
    "revenue": MONEY,
    "average_order_value": pl.Float64,
    "items": pl.Int64,
    "orders_without_total": pl.Int64,
}
OVER_TIME = {"period": pl.Datetime("us", "UTC"), "currency": pl.String, "orders": pl.Int64, "revenue": MONEY}


def sold(seconds: float, order: str | None, **columns: Any) -> Event:
    return event(seconds, "checkout_complete", order=order, **columns)


class TestRevenue:
    def test_money_adds_up_exactly(self) -> None:
        """As decimals, in which 0.1 and 0.2 are 0.3."""
        raw = raw_of(
            [
                sold(0, '{"id": "a", "total": 0.1, "currency": "EUR", "items": [{"quantity": 2}, {"quantity": 1}]}'),
                sold(1, '{"id": "b", "total": 0.2, "currency": "EUR", "items": []}'),
                sold(2, '{"id": "c", "total": 1e3, "currency": "VND"}'),
            ]
        )
        rows = [("EUR", 2, Decimal("0.3"), 0.15, 3, 0), ("VND", 1, Decimal(1000), 1000.0, 0, 0)]
        check(revenue(raw, RANGE), REVENUE, rows)

    def test_an_order_counts_once(self) -> None:
        """As the first event of the range says, by id where the moment is the same; no other event is an order."""
        raw = raw_of(
            [
                sold(5, '{"id": 7, "total": 3}'),
                sold(1, '{"id": "7", "total": 2}', number=9),
                sold(1, '{"id": "7", "total": 1}', number=8),
                event(0, "checkout_start", order='{"id": "8", "total": 1}'),
                sold(0, '{"total": 1}'),
                sold(0, None),
            ]
        )
        check(revenue(raw, RANGE), REVENUE, [("unknown", 1, Decimal(1), 1.0, 0, 0)])
        check(revenue(raw, Range(at(1), RANGE.end)), REVENUE, [("unknown", 1, Decimal(1), 1.0, 0, 0)])

    def test_an_order_that_was_placed_before_the_range_does_not_count_again(self) -> None:
        """In a part of what was read. Among the events of one login state, only orders of that state are earlier."""
        raw = raw_of([sold(1, '{"id": "7", "total": 2}'), sold(5, '{"id": 7, "total": 3}', login="logged_in")])
        check(revenue(raw, Range(at(2), RANGE.end)), REVENUE, [])
        logged_in = [("unknown", 1, Decimal(3), 3.0, 0, 0)]
        check(revenue(raw, Range(at(2), RANGE.end, "logged_in")), REVENUE, logged_in)

    def test_a_reloaded_page_of_thanks_is_no_second_order(self, tmp_path: Path) -> None:
        """The day after, the browser sends the same order id in another event: the orders of the lookback are known."""
        objects = Objects()
        for hours in (0, 15, 39):
            objects.add(hours * 3600, eventName="checkout_complete", order={"id": "7", "total": 5, "currency": "EUR"})
        bucket = objects.write(tmp_path)
        midnight = START + timedelta(hours=15)
        days = [(midnight - timedelta(days=1), midnight), (midnight, midnight + timedelta(days=1))]
        reads = [RawEvents(read_events(bucket, *day, fields=["order"])) for day in days]
        rows = [revenue(raw, Range(*day)).rows() for raw, day in zip(reads, days, strict=True)]
        assert rows == [[("EUR", 1, Decimal(5), 5.0, 0, 0)], []]
        blind = read_events(bucket, *days[1], fields=["order"], lookback=timedelta(0))
        assert revenue(RawEvents(blind), Range(*days[1])).height == 1

    def test_a_total_that_is_no_number_is_no_zero(self) -> None:
        """It is counted, and left out of the average."""
        raw = raw_of(
            [
                sold(0, '{"id": "a", "total": "5", "currency": "B"}'),
                sold(0, '{"id": "b", "total": 4, "currency": "B"}'),
                sold(0, '{"id": "c", "currency": "A", "items": [{"quantity": 1}]}'),
            ]
        )
        check(revenue(raw, RANGE), REVENUE, [("A", 1, None, None, 1, 1), ("B", 2, Decimal(4), 4.0, 0, 1)])

    def test_the_login_state_counts(self) -> None:
        """As for any other metric."""
        raw = raw_of([sold(0, '{"id": 1, "total": 1}', login="anonymous"), sold(0, '{"id": 2, "total": 2}')])
        assert revenue(raw, Range(RANGE.start, RANGE.end, "anonymous"))["revenue"].to_list() == [Decimal(1)]

    def test_without_orders_there_are_no_rows(self) -> None:
        """Of the same columns and types."""
        check(revenue(raw_of([event(0)]), RANGE), REVENUE, [])

    def test_events_without_the_column_are_an_error(self) -> None:
        """Which says what to do."""
        with pytest.raises(AnalysisError, match="call read_events with fields"):
            revenue(RawEvents(frame_of([]).drop("order")), RANGE)


class TestRevenueOverTime:
    def test_by_hour_and_currency(self) -> None:
        """An order is of the hour in which it was first received."""
        raw = raw_of(
            [
                sold(3599, '{"id": 1, "total": 1.5, "currency": "b"}'),
                sold(3600, '{"id": 1, "total": 9, "currency": "b"}'),
                sold(3601, '{"id": 2, "total": 2, "currency": "b"}'),
                sold(3602, '{"id": 3, "currency": "A"}'),
            ]
        )
        rows = [(at(0), "b", 1, Decimal("1.5")), (at(3600), "A", 1, None), (at(3600), "b", 1, Decimal(2))]
        check(revenue_over_time(raw, RANGE, "hour"), OVER_TIME, rows)
        by_day = [(at(0), "A", 1, None), (at(0), "b", 2, Decimal("3.5"))]
        check(revenue_over_time(raw, RANGE), OVER_TIME, by_day)

    def test_another_grain_is_an_error(self) -> None:
        """Which says what there is."""
        with pytest.raises(AnalysisError, match="grain must be one of hour, day"):
            revenue_over_time(raw_of([]), RANGE, "week")  # type: ignore[arg-type]
