from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from analysis.engines.raw import RawEvents
from analysis.errors import AnalysisError
from analysis.metrics.range import Range
from analysis.metrics.revenue import revenue, revenue_by_category, revenue_by_product, revenue_over_time
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
                sold(0, '{"id": "a", "total": "5 €", "currency": "B"}'),
                sold(0, '{"id": "b", "total": 4, "currency": "B"}'),
                sold(0, '{"id": "c", "currency": "A", "items": [{"quantity": 1}]}'),
            ]
        )
        check(revenue(raw, RANGE), REVENUE, [("A", 1, None, None, 1, 1), ("B", 2, Decimal(4), 4.0, 0, 1)])

    def test_totals_that_are_text_add_up_like_numbers(self) -> None:
        """As shop systems send them, and as prices are read."""
        raw = raw_of(
            [
                sold(0, '{"id": "a", "total": "13.00", "currency": "USD"}'),
                sold(1, '{"id": "b", "total": " 0.99 ", "currency": "USD", "items": [{"quantity": "2"}]}'),
                sold(2, '{"id": "c", "total": 1, "currency": "USD"}'),
            ]
        )
        check(revenue(raw, RANGE), REVENUE, [("USD", 3, Decimal("14.99"), float(Decimal("14.99") / 3), 2, 0)])

    def test_one_currency_of_several_spellings_is_one_and_two_are_never_added(self) -> None:
        """White space at the ends and lower case make no difference; an order without a currency is apart."""
        orders = ((" usd ", 1), ("USD", 2), ("usd", 4), ("EUR", 8), ("", 16))
        raw = raw_of(
            [sold(0, f'{{"id": "{total}", "total": {total}, "currency": "{each}"}}') for each, total in orders]
        )
        found = revenue(raw, RANGE).select("currency", "orders", "revenue").rows()
        assert found == [("EUR", 1, Decimal(8)), ("USD", 3, Decimal(7)), ("unknown", 1, Decimal(16))]

    def test_the_login_state_counts(self) -> None:
        """As for any other metric."""
        raw = raw_of([sold(0, '{"id": 1, "total": 1}', login="anonymous"), sold(0, '{"id": 2, "total": 2}')])
        assert revenue(raw, Range(RANGE.start, RANGE.end, "anonymous"))["revenue"].to_list() == [Decimal(1)]

    def test_without_orders_there_are_no_rows(self) -> None:
        """Of the same columns and types."""
        check(revenue(raw_of([event(0)]), RANGE), REVENUE, [])

    def test_events_without_the_column_are_an_error(self) -> None:
        """Which says what to do."""
        with pytest.raises(
            AnalysisError, match=r"use raw events with the raw column `order` \(fields=\['order'\]\), or the lake"
        ):
            revenue(RawEvents(frame_of([]).drop("order")), RANGE)


BY_PRODUCT = {
    "currency": pl.String,
    "product_id": pl.String,
    "product_name": pl.String,
    "category": pl.String,
    "orders": pl.Int64,
    "buyers": pl.Int64,
    "items": pl.Int64,
    "revenue": MONEY,
    "lines_without_revenue": pl.Int64,
}
BY_CATEGORY = {name: dtype for name, dtype in BY_PRODUCT.items() if not name.startswith("product_")}


def basket(order_id: str, currency: str, *lines: str) -> str:
    return f'{{"id": "{order_id}", "currency": "{currency}", "items": [{", ".join(lines)}]}}'


LAMP, BAG, OTHER = "lamp", "bag", "nobody knows"


def line(product: str, quantity: str, price: str) -> str:
    return f'{{"id": "{product}", "quantity": {quantity}, "price": {price}}}'


# A lamp and a bag, whose category was corrected later; two orders of Ann in dollars, one of them sent twice; one in
# euros, of nobody.
SOLD = [
    event(0, "product_view", product=LAMP, product_name="Lamp", category="living"),
    event(1, "product_view", product=BAG, product_name="Bag", category="bags"),
    sold(2, basket("a", " usd ", line(LAMP, "2", "12.99"), line(BAG, '"1"', '"0.49"')), client="ann"),
    sold(3, basket("a", "USD", line(LAMP, "99", "99"))),
    sold(4, basket("b", "USD", line(LAMP, "1", "12.98"), line(LAMP, "1", "null")), client="ann"),
    sold(5, basket("c", "EUR", line(BAG, "1", "7"), line(OTHER, "3", "1"))),
    event(6, "product_view", product=BAG, category="travel"),
    event(7, "product_view", product=BAG),
]


class TestRevenueByProduct:
    def test_lines_add_up_by_currency_and_product(self) -> None:
        """Exactly, of the first object of each order, under the latest name and category; the dearest first."""
        check(
            revenue_by_product(raw_of(SOLD), RANGE),
            BY_PRODUCT,
            [
                ("EUR", "bag", "Bag", "travel", 1, 0, 1, Decimal(7), 0),
                ("EUR", "nobody knows", None, "unknown", 1, 0, 3, Decimal(3), 0),
                ("USD", "lamp", "Lamp", "living", 2, 1, 4, Decimal("38.96"), 1),
                ("USD", "bag", "Bag", "travel", 1, 1, 1, Decimal("0.49"), 0),
            ],
        )

    def test_a_limit_counts_for_each_currency(self) -> None:
        """Otherwise the first currency would hide the others."""
        found = revenue_by_product(raw_of(SOLD), RANGE, limit=1)
        assert found["product_id"].to_list() == ["bag", "lamp"]
        with pytest.raises(AnalysisError, match="limit must be a number of rows, 0 or more, not -1"):
            revenue_by_product(raw_of(SOLD), RANGE, limit=-1)

    def test_lines_without_a_product_or_a_revenue_still_count(self) -> None:
        """Under `unknown`, after everything that has a revenue, which is null."""
        raw = raw_of([sold(0, basket("a", "EUR", '{"quantity": 2}', '{"id": "p", "quantity": 1, "price": 0}'))])
        rows = [
            ("EUR", "p", None, "unknown", 1, 0, 1, Decimal(0), 0),
            ("EUR", "unknown", None, "unknown", 1, 0, 2, None, 1),
        ]
        check(revenue_by_product(raw, RANGE), BY_PRODUCT, rows)

    def test_the_range_and_the_login_state_count(self) -> None:
        """For the orders, and for names and categories."""
        check(revenue_by_product(raw_of(SOLD), Range(at(5), at(6))), BY_PRODUCT, [
            ("EUR", "bag", None, "unknown", 1, 0, 1, Decimal(7), 0),
            ("EUR", "nobody knows", None, "unknown", 1, 0, 3, Decimal(3), 0),
        ])  # fmt: skip
        check(revenue_by_product(raw_of(SOLD), Range(RANGE.start, RANGE.end, "anonymous")), BY_PRODUCT, [])

    def test_events_without_the_column_are_an_error(self) -> None:
        """As for `revenue`."""
        for metric in (revenue_by_product, revenue_by_category):
            with pytest.raises(
                AnalysisError, match=r"use raw events with the raw column `order` \(fields=\['order'\]\), or the lake"
            ):
                metric(RawEvents(frame_of([]).drop("order")), RANGE)


class TestRevenueByCategory:
    def test_lines_add_up_by_currency_and_category(self) -> None:
        """An order counts once in each of its categories."""
        lines = ('{"id": "lamp", "quantity": 1, "price": 1}', '{"id": "lamp", "quantity": 1, "price": 2}')
        raw = raw_of([*SOLD, sold(9, basket("d", "EUR", *lines))])
        check(
            revenue_by_category(raw, RANGE),
            BY_CATEGORY,
            [
                ("EUR", "travel", 1, 0, 1, Decimal(7), 0),
                ("EUR", "living", 1, 0, 2, Decimal(3), 0),
                ("EUR", "unknown", 1, 0, 3, Decimal(3), 0),
                ("USD", "living", 2, 1, 4, Decimal("38.96"), 1),
                ("USD", "travel", 1, 1, 1, Decimal("0.49"), 0),
            ],
        )
        assert revenue_by_category(raw, RANGE, limit=1)["category"].to_list() == ["travel", "living"]


class TestRevenueOverTime:
    def test_by_hour_and_currency(self) -> None:
        """An order is of the hour in which it was first received."""
        raw = raw_of(
            [
                sold(3599, '{"id": 1, "total": 1.5, "currency": "B"}'),
                sold(3600, '{"id": 1, "total": 9, "currency": "B"}'),
                sold(3601, '{"id": 2, "total": 2, "currency": "B"}'),
                sold(3602, '{"id": 3, "currency": "A"}'),
            ]
        )
        rows = [(at(0), "B", 1, Decimal("1.5")), (at(3600), "A", 1, None), (at(3600), "B", 1, Decimal(2))]
        check(revenue_over_time(raw, RANGE, "hour"), OVER_TIME, rows)
        by_day = [(at(0), "A", 1, None), (at(0), "B", 2, Decimal("3.5"))]
        check(revenue_over_time(raw, RANGE), OVER_TIME, by_day)

    def test_another_grain_is_an_error(self) -> None:
        """Which says what there is."""
        with pytest.raises(AnalysisError, match="grain must be one of minute, hour, day, week, month"):
            revenue_over_time(raw_of([]), RANGE, "year")  # type: ignore[arg-type]
