import json
from pathlib import Path

import pytest

from command_line.errors import CommandError
from emulator.shoppers.cart import Cart
from emulator.shoppers.catalogue import PRODUCTS, read_catalogue


class TestReadCatalogue:
    """The shop's products."""

    def test_products_are_those_of_the_shop(self) -> None:
        """An event's product has the members of the shop's file that the publisher sends, in its order and spelling."""
        names = ["id", "name", "category", "brand", "price", "discountPrice", "urlPath"]
        entries = json.loads(PRODUCTS.read_text(encoding="utf-8"))
        expected = [[(name, entry[name]) for name in names] for entry in entries]
        assert [list(product.context.items()) for product in read_catalogue()] == expected

    def test_pages_are_where_the_products_say(self) -> None:
        """The routes that shoppers use are those that the catalogue names."""
        assert all(product.url_path == f"/product/{product.id}" for product in read_catalogue())

    @pytest.mark.parametrize("text", [None, "", "[]", "{}", "[1]", '[{"id": "a"}]', "[[]]"])
    def test_what_is_no_catalogue_is_said_in_one_line(self, tmp_path: Path, text: str | None) -> None:
        """A file that is missing, empty or something else is an error that names it."""
        path = tmp_path / "products.json"
        if text is not None:
            path.write_text(text)
        with pytest.raises(CommandError, match=r"catalogue .*products\.json[^\n]*$"):
            read_catalogue(path)


class TestCart:
    """A shopper's cart."""

    def test_items_have_the_price_that_is_paid(self) -> None:
        """The discount's price counts where there is one; the total is the sum of price x quantity."""
        catalogue = read_catalogue()
        reduced = next(product for product in catalogue if product.discount_price is not None)
        plain = next(product for product in catalogue if product.discount_price is None)
        cart = Cart()
        for product in (plain, reduced, plain):
            cart.add(product)
        assert cart.context == {
            "items": [
                {"id": plain.id, "quantity": 2, "price": plain.price},
                {"id": reduced.id, "quantity": 1, "price": reduced.discount_price},
            ],
            "total": 2 * plain.price + (reduced.discount_price or 0),
            "currency": "VND",
        }

    def test_removing_takes_all_of_a_product(self) -> None:
        """What was removed is no item any more, and an empty cart costs nothing."""
        product = read_catalogue()[0]
        cart = Cart()
        cart.add(product)
        cart.add(product)
        cart.remove(product)
        assert not cart
        assert cart.context == {"items": [], "total": 0, "currency": "VND"}
