from collections.abc import Callable

import pytest

from chalicelib.contract import COLUMNS, EVENT_NAMES, Column, columns_with
from chalicelib.json_object import Json


def column(name: str) -> Column:
    return next(column for column in COLUMNS if column.name == name)


class TestColumns:
    def test_the_columns_are_those_of_the_contract(self) -> None:
        """Names and types, in order: what analysts' queries rest on."""
        assert [(column.name, column.type) for column in COLUMNS] == [
            ("event_id", "UUID"),
            ("event_timestamp", "TIMESTAMPTZ"),
            ("event_name", "TEXT"),
            ("user_id", "TEXT"),
            ("user_login_state", "TEXT"),
            ("identity_source", "TEXT"),
            ("client_id", "TEXT"),
            ("session_id", "TEXT"),
            ("is_first_visit", "BOOLEAN"),
            ("context_product_id", "TEXT"),
            ("context_product_name", "TEXT"),
            ("context_product_category", "TEXT"),
            ("context_product_brand", "TEXT"),
            ("context_product_price", "BIGINT"),
            ("context_product_discount_price", "BIGINT"),
            ("context_product_url_path", "TEXT"),
        ]

    def test_every_event_name_has_a_real_payload(self, payload: Callable[[str], bytes]) -> None:
        """The payloads of tests/events/ cover the contract's names."""
        assert all(f'"eventName": "{name}"'.encode() in payload(name) for name in EVENT_NAMES)

    @pytest.mark.parametrize("price_decimals", range(7))
    def test_only_prices_keep_decimals(self, price_decimals: int) -> None:
        """Everything else is the same; without decimals it is the contract as it stands."""
        kept = {column.name: column.decimals for column in columns_with(price_decimals) if column.decimals}
        prices = ("context_product_price", "context_product_discount_price")
        assert kept == (dict.fromkeys(prices, price_decimals) if price_decimals else {})
        assert columns_with(0) == COLUMNS


class TestColumn:
    @pytest.mark.parametrize(
        ("payload", "expected"),
        [
            ({"userId": "a", "user_id": "b"}, "a"),
            ({"userId": None, "user_id": "b"}, "b"),
            ({"userId": "", "user_id": "b"}, "b"),
            ({"userId": {"id": 1}, "user_id": "b"}, "b"),
            ({"userId": "", "user_id": None}, None),
            ({}, None),
        ],
    )
    def test_the_first_present_source_counts(self, payload: dict[str, Json], expected: str | None) -> None:
        """Present is: not null, not empty, and of a kind that converts."""
        assert column("user_id").value(payload) == expected

    @pytest.mark.parametrize(
        ("product", "expected"),
        [
            ({"brand": "Nike"}, "Nike"),
            ({"brand": {"name": "Nike", "title": "NIKE"}}, "Nike"),
            ({"brand": {"name": "", "title": "NIKE"}}, "NIKE"),
            ({"brand": {"id": "7"}}, None),
            ({"brandName": "Nike", "brand": "Adidas"}, "Nike"),
            ({"brandName": None, "brand": "Adidas"}, "Adidas"),
        ],
    )
    def test_a_brand_is_found_in_all_its_spellings(self, product: dict[str, Json], expected: str | None) -> None:
        """`brandName`, `brand.name`, `brand.title`, `brand`, in that order."""
        assert column("context_product_brand").value({"product": product}) == expected

    def test_a_path_through_something_else_than_an_object_finds_nothing(self) -> None:
        """A product that is text or an array has no price."""
        for product in ("text", ["price"], True, None):
            assert column("context_product_price").value({"product": product}) is None  # type: ignore[dict-item]

    @pytest.mark.parametrize(
        ("payload", "origin"),
        [
            ({"userId": "", "user_id": "b"}, ("user_id", "b")),
            ({"userId": "a", "user_id": "b"}, ("userId", "a")),
            ({}, (None, None)),
        ],
    )
    def test_it_says_where_its_value_comes_from(
        self, payload: dict[str, Json], origin: tuple[str | None, str | None]
    ) -> None:
        """For people who want to see which member became which column."""
        assert column("user_id").origin(payload) == origin
