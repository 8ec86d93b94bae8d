"""Finds the prices of an event that are rounded, because their column keeps fewer decimals."""

from collections.abc import Callable, Iterator
from decimal import Decimal, DecimalException
from functools import cache, lru_cache, partial
from typing import TypedDict

from analysis.rows.oddities.judging import member_at
from chalicelib.contract import Column, columns_with
from chalicelib.convert import to_number
from chalicelib.json_object import Json, JsonObject
from chalicelib.settings import MOST_PRICE_DECIMALS

__all__ = ["Rounded", "price_columns", "rounded_of", "rounded_prices"]

PRICES = 65536  # that are remembered: a shop has far fewer


class Rounded(TypedDict):
    """A price that has more decimals than its column."""

    member: str
    value: str
    decimals: int


def rounded_prices(payload: JsonObject, price_decimals: int) -> Iterator[Rounded]:
    """Give `member`, `value` (as sent) and `decimals` (as many as it has) of each price that its column rounds."""
    yield from rounded_of(partial(member_at, payload), price_decimals)


def rounded_of(value_of: Callable[[str], Json], price_decimals: int) -> Iterator[Rounded]:
    """Do as `rounded_prices`, for an event whose members a function gives by their dotted paths."""
    for column in price_columns(price_decimals):
        for member in column.sources:
            value = value_of(member)
            if value is not None and value != "" and column.convert(value) is not None:
                number = str(to_number(value))
                if (decimals := _decimals(number)) > price_decimals:
                    yield {"member": member, "value": number, "decimals": decimals}
                break


@cache
def price_columns(price_decimals: int) -> tuple[Column, ...]:
    """Give the contract's columns of prices, which keep so many decimals."""
    return tuple(column for column in columns_with(price_decimals) if column.is_price)


@lru_cache(PRICES)
def _decimals(number: str) -> int:
    """Count the decimals that a number has, without zeros at the end."""
    try:
        _, digits, exponent = Decimal(number).as_tuple()
    except DecimalException:  # an exponent beyond all bounds
        return MOST_PRICE_DECIMALS + 1
    significant = "".join(map(str, digits)).rstrip("0")
    return max(0, len(significant) - len(digits) - int(exponent)) if significant else 0
