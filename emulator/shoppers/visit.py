"""One visit to the shop: generates its events, their pages and their order, without time and network."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

from emulator.shoppers.cart import Cart
from emulator.shoppers.catalogue import Product

__all__ = ["Arrival", "Step", "visit"]

T = TypeVar("T")

# Probabilities that a shopper does each thing where it is possible.
LANDS_ON_PRODUCT = 0.25
OPENS_TAB = 0.06
TOGGLES_WISHLIST = 0.15
SHARES = 0.1
ADDS_TO_CART = 0.4
SIGNS_IN = 0.4
ENTERS_PASSWORD = 0.8
OPENS_CART = 0.9
REMOVES = 0.25
CHECKS_OUT = 0.75
ORDERS = 0.7
SIGNS_OUT = 0.5
MOST_CATEGORIES = 3
MOST_PRODUCTS = 3  # in one category

SITES = ("", "https://www.google.com/", "https://www.facebook.com/")  # referrers of a visit; "": none
CHANNELS = {"copy_link": "Copy link", "device": "Share"}  # channels of sharing, and the texts of their buttons
TEXT_LENGTH = 160  # characters of an element's text that the publisher keeps


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a visit begins.

    Attributes:
        referrer: Address of the page before the first one; empty for none.
        query: Query of the first page's address with its `?`, such as `?utm_source=news`.
        search: The same of the category pages, if the visitor searches there, such as `?q=lamp`.
    """

    referrer: str
    query: str = ""
    search: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One event of a visit.

    Attributes:
        name: Name of the event.
        payload: The members that depend on the event, such as `product` and `cart`.
        tab: Number of the browser's tab, from 0.
        page_url: Address of the page.
        referrer: Address of the page before it.
        user_id: The signed-in user; None if nobody is signed in.
    """

    name: str
    payload: dict[str, Any]
    tab: int
    page_url: str
    referrer: str
    user_id: str | None


@dataclass(slots=True)
class _Tab:
    number: int
    page_url: str
    referrer: str


def _link(text: str, identifier: str | None = None, **dataset: str) -> dict[str, Any]:
    return _element("a", identifier, text, dataset)


def _button(text: str, identifier: str | None = None, **dataset: str) -> dict[str, Any]:
    return _element("button", identifier, text, dataset)


def _element(tag: str, identifier: str | None, text: str, dataset: dict[str, str]) -> dict[str, Any]:
    """Return the `element` of a `click`, as the publisher builds it."""
    return {"tag": tag, "id": identifier, "role": None, "text": text[:TEXT_LENGTH], "dataset": dataset}


def visit(
    random: Random, catalogue: Sequence[Product], shop_url: str, user_id: str, arrival: Arrival | None = None
) -> Iterator[Step]:
    """Yield the steps of one visit; the same `random` gives the same visit.

    Args:
        random: Decides what the shopper does.
        catalogue: The products that interest the shopper.
        shop_url: Address of the shop.
        user_id: The id with which the shopper may sign in.
        arrival: How the visit begins; None to choose among SITES. It changes nothing else.
    """
    return _Visit(random, catalogue, shop_url.rstrip("/"), user_id, arrival).steps()


class _Visit:
    def __init__(
        self, random: Random, catalogue: Sequence[Product], shop_url: str, user_id: str, arrival: Arrival | None
    ) -> None:
        self._random = random
        self._catalogue = catalogue
        self._shop_url = shop_url
        self._account = user_id
        self._user_id: str | None = None
        site = Arrival(random.choice(SITES))
        self._arrival = arrival or site
        self._tab = _Tab(0, self._arrival.referrer, "")
        self._tabs = [self._tab]
        self._cart = Cart()
        self._wishlist: set[Product] = set()

    def steps(self) -> Iterator[Step]:
        yield from self._arrive()
        categories = list(dict.fromkeys(product.category for product in self._catalogue))
        for category in self._some(categories, MOST_CATEGORIES):
            yield from self._browse(category)
        if self._happens(SIGNS_IN):
            yield from self._sign_in()
        if self._cart and self._happens(OPENS_CART):
            yield from self._open_cart()
        if self._user_id and self._happens(SIGNS_OUT):
            yield from self._sign_out()

    def _arrive(self) -> Iterator[Step]:
        if self._happens(LANDS_ON_PRODUCT):
            yield from self._product_page(self._random.choice(self._catalogue), self._arrival.query)
        else:
            self._enter(f"/{self._arrival.query}")
            yield self._step("home_view")

    def _browse(self, category: str) -> Iterator[Step]:
        self._tab = self._random.choice(self._tabs)
        yield from self._follow(_link(category.capitalize()), f"/category/{category}{self._arrival.search}")
        yield self._step("category_view", product={"category": category})
        products = [product for product in self._catalogue if product.category == category]
        for product in self._some(products, MOST_PRODUCTS):
            yield self._click(_link(product.name, productId=product.id))
            if len(self._tabs) == 1 and self._happens(OPENS_TAB):
                self._open_tab()
            yield from self._product_page(product)

    def _product_page(self, product: Product, query: str = "") -> Iterator[Step]:
        self._enter(f"/product/{product.id}{query}")
        yield self._step("product_view", product=product.context)
        if self._happens(TOGGLES_WISHLIST):
            self._wishlist ^= {product}
            yield self._click(_button("Save to wishlist", productId=product.id))
            yield self._step("wishlist_toggle", product=product.context, wishlisted=product in self._wishlist)
        if self._happens(SHARES):
            channel, text = self._random.choice(list(CHANNELS.items()))
            yield self._click(_button(text))
            yield self._step("share_click", product=product.context, channel=channel)
        while self._happens(ADDS_TO_CART):
            self._cart.add(product)
            yield self._click(_button("Add to cart", "add-to-cart", productId=product.id))
            yield self._step("add_to_cart_click", product=product.context, cart=self._cart.context)

    def _sign_in(self) -> Iterator[Step]:
        yield from self._follow(_link("Sign in", "sign-in-link"), "/sign-in")
        yield self._step("login_open")
        yield self._step("page_view")
        if self._happens(ENTERS_PASSWORD):
            yield self._click(_button("Sign in", "sign-in-button"))
            self._user_id = self._account
            yield self._step("login_success")
            self._enter("/")
            yield self._step("home_view")

    def _open_cart(self) -> Iterator[Step]:
        yield from self._follow(_link("Cart", "cart-link"), "/cart")
        yield self._step("page_view")
        if self._happens(REMOVES):
            product = self._random.choice(self._cart.products)
            self._cart.remove(product)
            yield self._click(_button(f"Remove {product.name}", f"remove-{product.id}", productId=product.id))
            yield self._step("remove_from_cart_click", product=product.context, cart=self._cart.context)
        if self._cart and self._happens(CHECKS_OUT):
            yield from self._check_out()

    def _check_out(self) -> Iterator[Step]:
        yield from self._follow(_link("Checkout", "checkout-link"), "/checkout")
        yield self._step("checkout_start", cart=self._cart.context)
        yield self._step("page_view")
        if self._happens(ORDERS):
            yield self._click(_button("Place order", "place-order"))
            yield self._step("checkout_complete", order={"id": self._order_id(), **self._cart.context})
            self._cart.clear()
            self._enter("/order")
            yield self._step("page_view")

    def _sign_out(self) -> Iterator[Step]:
        yield self._click(_button("Sign out", "sign-out-button"))
        yield self._step("logout")  # before the user is forgotten, so that the event names them
        self._user_id = None

    def _follow(self, element: dict[str, Any], path: str) -> Iterator[Step]:
        """Yield a click that leads to another page, and go there."""
        yield self._click(element)
        self._enter(path)

    def _order_id(self) -> str:
        return f"G-{self._random.randrange(10**8):08d}"

    def _enter(self, path: str) -> None:
        self._tab.referrer, self._tab.page_url = self._tab.page_url, self._shop_url + path

    def _open_tab(self) -> None:
        self._tab = _Tab(len(self._tabs), self._tab.page_url, "")
        self._tabs.append(self._tab)

    def _click(self, element: dict[str, Any]) -> Step:
        return self._step("click", element=element)

    def _step(self, name: str, **payload: Any) -> Step:  # noqa: ANN401  # JSON
        return Step(name, payload, self._tab.number, self._tab.page_url, self._tab.referrer, self._user_id)

    def _some(self, choices: list[T], most: int) -> list[T]:
        """Choose up to `most` different ones: a link to the page that is already shown leads nowhere."""
        return self._random.sample(choices, min(self._random.randint(0, most), len(choices)))

    def _happens(self, probability: float) -> bool:
        return self._random.random() < probability
