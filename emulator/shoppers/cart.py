"""The cart of a shopper."""

from collections import Counter
from typing import Any

from emulator.shoppers.catalogue import Product

__all__ = ["Cart"]

CURRENCY = "VND"


class Cart:
    """Products and their quantities, in the order in which they were first added."""

    def __init__(self) -> None:
        self._quantities: Counter[Product] = Counter()

    def __bool__(self) -> bool:
        return bool(self._quantities)

    @property
    def products(self) -> list[Product]:
        """The products in the cart."""
        return list(self._quantities)

    def add(self, product: Product) -> None:
        """Add one piece of the product."""
        self._quantities[product] += 1

    def remove(self, product: Product) -> None:
        """Remove the product, whatever its quantity."""
        del self._quantities[product]

    def clear(self) -> None:
        """Remove all products."""
        self._quantities.clear()

    @property
    def context(self) -> dict[str, Any]:
        """The `cart` of an event, as the publisher builds it; `total` is the sum of price x quantity."""
        items = [
            {"id": product.id, "quantity": quantity, "price": product.unit_price}
            for product, quantity in self._quantities.items()
        ]
        return {
            "items": items,
            "total": sum(product.unit_price * quantity for product, quantity in self._quantities.items()),
            "currency": CURRENCY,
        }
