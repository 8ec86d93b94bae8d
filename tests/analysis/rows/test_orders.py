from decimal import Decimal
from typing import Any
from uuid import UUID

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.rows.orders import read_items, read_orders
from tests.support.event_rows import check, event, frame_of

SCHEMA = {
    "event_id": pl.String,
    "order_id": pl.String,
    "currency": pl.String,
    "total": pl.Decimal(38, 18),
    "items": pl.Int64,
}

ITEMS = {"event_id": pl.String, "product_id": pl.String, "quantity": pl.Int64, "revenue": pl.Decimal(38, 18)}


def read(*orders: str | None, name: str = "checkout_complete") -> pl.DataFrame:
    return read_orders(frame_of([event(0, name, order=order) for order in orders]))


class TestReadOrders:
    def test_an_order_is_read_as_the_contract_reads(self) -> None:
        """Numbers as ids in their own spelling, the last of duplicates, and nothing for an empty text."""
        frame = read(
            '{"id": 1.0, "currency": "", "total": 1, "total": -2.50, "items": [{"quantity": 2.5}, {"quantity": 1}]}'
        )
        check(frame, SCHEMA, [(str(UUID(int=1)), "1.0", None, Decimal("-2.5"), 4)])

    @pytest.mark.parametrize(
        "order", [None, "null", "[]", "5", '"o"', "{}", '{"id": ""}', '{"id": null}', '{"id": [1]}']
    )
    def test_without_an_id_there_is_no_order(self, order: str | None) -> None:
        """Whatever else was sent."""
        check(read(order), SCHEMA, [])

    def test_only_completed_checkouts_are_orders(self) -> None:
        """Though others may send the member."""
        check(read('{"id": "o"}', name="checkout_start"), SCHEMA, [])

    @given(st.decimals("-999999999999", "999999999999", places=18))
    def test_every_digit_of_a_total_counts(self, total: Decimal) -> None:
        """Of 18 decimals, which no double could hold."""
        assert read(f'{{"id": 1, "total": {total:f}}}')["total"].to_list() == [total]

    @pytest.mark.parametrize("total", ["13.00", '"13.00"', '" 13.00 "', '"1.3e1"', "13"])
    def test_a_total_may_be_text(self, total: str) -> None:
        """As shop systems send it; white space around it does not count."""
        assert read(f'{{"id": 1, "total": {total}}}')["total"].to_list() == [Decimal(13)]

    @pytest.mark.parametrize(("sent", "currency"), [(" usd ", "USD"), ("USD", "USD"), ("\\teur", "EUR"), (" ", None)])
    def test_currencies_are_trimmed_and_in_upper_case(self, sent: str, currency: str | None) -> None:
        """So that one currency is one."""
        assert read(f'{{"id": 1, "currency": "{sent}"}}')["currency"].to_list() == [currency]

    @pytest.mark.parametrize(
        "total",
        [
            '"5,00"',
            '"€5"',
            '""',
            "null",
            "true",
            "[1]",
            "1e12",
            "1e999999999999999999999",
            "1e-19",
            "0.1234567890123456789",
            "-1E400",
        ],
    )
    def test_other_totals_are_none(self, total: str) -> None:
        """Values that are not numbers, and numbers that are not money."""
        assert read(f'{{"id": 1, "total": {total}}}')["total"].to_list() == [None]

    @pytest.mark.parametrize(
        "items",
        [
            "5",
            '["a"]',
            '[{"quantity": "two"}]',
            '[{"quantity": true}]',
            '[{"quantity": 1e10}]',
            '[{"quantity": null}]',
            "{}",
        ],
    )
    def test_other_quantities_are_none(self, items: str) -> None:
        """They add nothing."""
        assert read(f'{{"id": 1, "items": {items}}}')["items"].to_list() == [0]

    def test_a_quantity_may_be_text(self) -> None:
        """As a total may."""
        assert read('{"id": 1, "items": [{"quantity": " 2 "}, {"quantity": 1}]}')["items"].to_list() == [3]


class TestReadItems:
    @staticmethod
    def items(*items: str) -> list[tuple[Any, ...]]:
        events = frame_of([event(0, "checkout_complete", order=f'{{"id": "o", "items": [{", ".join(items)}]}}')])
        return read_items(events).drop("event_id").rows()

    def test_each_line_has_its_product_and_its_revenue(self) -> None:
        """Of the event of its order; the last of duplicate members counts."""
        order = '{"id": 1, "items": [{"id": 7, "quantity": 2, "price": 1, "price": 12.99}]}'
        frame = read_items(frame_of([event(0, "checkout_complete", order=order)]))
        check(frame, ITEMS, [(str(UUID(int=1)), "7", 2, Decimal("25.98"))])

    @pytest.mark.parametrize(
        ("line", "revenue"),
        [
            ('{"price": "13.00", "quantity": "2"}', "26"),
            ('{"price": 0.1, "quantity": 3}', "0.3"),
            ('{"price": 6.99, "quantity": 0.5}', "3.495"),
            ('{"price": 12.99, "quantity": 0}', "0"),
            ('{"price": -5, "quantity": 1}', "-5"),
            ('{"price": 0.000000001, "quantity": 0.000000001}', "1e-18"),
            ('{"price": 0.0000000001, "quantity": 0.000000001}', None),
            ('{"price": 999999999999, "quantity": 1}', "999999999999"),
            ('{"price": 999999999999, "quantity": 2}', None),
            ('{"price": "free", "quantity": 2}', None),
            ('{"price": 5}', None),
            ('{"quantity": 2}', None),
            ("5", None),
        ],
    )
    def test_price_times_quantity_is_exact(self, line: str, revenue: str | None) -> None:
        """As both were sent, also where the quantity is no whole number; null if that is not possible."""
        assert [item[2] for item in self.items(line)] == [None if revenue is None else Decimal(revenue)]

    def test_a_line_without_an_id_has_no_product(self) -> None:
        """It still counts."""
        assert self.items('{"quantity": 2, "price": 1}', '{"id": "", "quantity": 1, "price": 1}') == [
            (None, 2, Decimal(2)),
            (None, 1, Decimal(1)),
        ]

    @pytest.mark.parametrize("order", [None, "[]", '{"items": [{"id": "p"}]}', '{"id": 1}', '{"id": 1, "items": {}}'])
    def test_without_an_order_or_a_list_there_are_none(self, order: str | None) -> None:
        """Of the same columns and types."""
        check(read_items(frame_of([event(0, "checkout_complete", order=order)])), ITEMS, [])
