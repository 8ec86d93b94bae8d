from decimal import Decimal
from uuid import UUID

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.rows.orders import read_orders
from tests.support.event_rows import check, event, frame_of

SCHEMA = {
    "event_id": pl.String,
    "order_id": pl.String,
    "currency": pl.String,
    "total": pl.Decimal(38, 18),
    "items": pl.Int64,
}


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

    @pytest.mark.parametrize(
        "total",
        ['"5"', "null", "true", "[1]", "1e12", "1e999999999999999999999", "1e-19", "0.1234567890123456789", "-1E400"],
    )
    def test_other_totals_are_none(self, total: str) -> None:
        """What is no number, and what money never is."""
        assert read(f'{{"id": 1, "total": {total}}}')["total"].to_list() == [None]

    @pytest.mark.parametrize(
        "items", ["5", '["a"]', '[{"quantity": "2"}]', '[{"quantity": 1e10}]', '[{"quantity": null}]', "{}"]
    )
    def test_other_quantities_are_none(self, items: str) -> None:
        """They add nothing."""
        assert read(f'{{"id": 1, "items": {items}}}')["items"].to_list() == [0]
