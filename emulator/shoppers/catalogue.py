"""The products of the demo shop, from the file that its own pages read."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from command_line.errors import CommandError

__all__ = ["PRODUCTS", "Product", "read_catalogue"]

PRODUCTS = Path(__file__).parents[1] / "web" / "shop" / "products.json"


@dataclass(frozen=True, slots=True)
class Product:
    """One product; prices are in dong, `discount_price` is None where there is none, `category` is its name in URLs."""

    id: str
    name: str
    category: str
    brand: str
    price: int
    discount_price: int | None
    url_path: str

    @property
    def unit_price(self) -> int:
        """What one of it costs now."""
        return self.price if self.discount_price is None else self.discount_price

    @property
    def context(self) -> dict[str, Any]:
        """The `product` of an event, as the publisher builds it."""
        return {
            "id": self.id,
            "name": self.name,
            "category": self.category,
            "brand": self.brand,
            "price": self.price,
            "discountPrice": self.discount_price,
            "urlPath": self.url_path,
        }


def read_catalogue(path: Path = PRODUCTS) -> tuple[Product, ...]:
    """The shop's products, in the file's order; raises CommandError if the file is missing or is no catalogue."""
    try:
        products = tuple(map(_product, json.loads(path.read_text(encoding="utf-8"))))
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise CommandError(f"no catalogue of the shop in {path}: {type(error).__name__}") from error
    if not products:
        raise CommandError(f"the shop's catalogue in {path} is empty")
    return products


def _product(entry: dict[str, Any]) -> Product:
    return Product(
        entry["id"],
        entry["name"],
        entry["category"],
        entry["brand"],
        entry["price"],
        entry["discountPrice"],
        entry["urlPath"],
    )
