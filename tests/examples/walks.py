"""Ways through the Next.js shop, with the events that each has to leave: the same in production and in `next dev`."""

from tests.support.next_visit import Visit

__all__ = ["BOOT", "HOME", "back_and_forward", "purchase", "sign_in_and_out"]

HOME = "Good things, carried in from small makers."
BOOT = "Monsoon Chelsea Boot"
PRODUCT = "/product/monsoon-boot"


def purchase(visit: Visit) -> None:
    """From the home page to an order: one view per navigation, one event per action."""
    page = visit.page
    visit.open("/")
    visit.follow("Shoes", "Shoes")
    visit.follow(BOOT, BOOT)
    visit.expect(
        "home_view /",
        "click /",
        "category_view /category/shoes shoes",
        "click /category/shoes",
        f"product_view {PRODUCT} monsoon-boot",
    )
    visit.click(".favorite")
    page.wait_for_selector(".favorite[aria-pressed=true]:visible")
    visit.click(".share")
    visit.click("text=Add to cart")
    visit.follow("Cart 1", "Your cart")
    visit.click("text=One more")
    visit.click("text=One less")
    liked, shared, added, *_others = visit.expect(
        f"wishlist_toggle {PRODUCT} monsoon-boot",
        f"share_click {PRODUCT} monsoon-boot",
        f"add_to_cart_click {PRODUCT} monsoon-boot",
        f"click {PRODUCT}",
        "page_view /cart",
        "add_to_cart_click /cart monsoon-boot",
        "remove_from_cart_click /cart monsoon-boot",
    )
    assert (liked["wishlisted"], shared["channel"]) == (True, "copy_link")
    assert added["cart"] == {
        "items": [{"id": "monsoon-boot", "quantity": 1, "price": 784_000}],
        "total": 784_000,
        "currency": "VND",
    }
    visit.follow("Checkout", "Checkout")
    page.fill("[name=address]", "1 Tràng Tiền")
    visit.click("#place-order")
    visit.wait_for_heading("Thank you for your order")
    *_others, ordered, _view = visit.expect(
        "checkout_start /cart", "page_view /checkout", "checkout_complete /checkout", "page_view /order"
    )
    assert ordered["order"]["id"] == page.inner_text("#order-id")


def sign_in_and_out(visit: Visit) -> None:
    """Every event says who was signed in then; a change of user is no view."""
    visit.open("/about")
    visit.follow("Sign in", "Sign in")
    visit.page.fill("[name=account]", "Nguyễn")
    visit.click("#sign-in")
    visit.wait_for_heading(HOME)
    visit.page.reload()
    visit.click("#sign-out")
    visit.page.wait_for_selector("text=Sign in")
    events = visit.expect(
        "page_view /about",
        "login_open /about",
        "page_view /sign-in",
        "login_success /sign-in",
        "home_view /",
        "home_view /",
        "logout /",
    )
    assert [event["userId"] for event in events] == [None, None, None, *["user-6"] * 4]
    visit.follow("About", "About us")
    assert [event["userId"] for event in visit.expect("click /", "page_view /about")] == [None, None]


def back_and_forward(visit: Visit) -> None:
    """Each page that is shown again has its own view again."""
    visit.open("/")
    visit.follow("Shoes", "Shoes")
    visit.click("a:text-is('By price')")
    visit.page.wait_for_url("**?sort=price")
    visit.follow(BOOT, BOOT)
    visit.follow("About", "About us")
    visit.expect(
        "home_view /",
        "click /",
        "category_view /category/shoes shoes",
        "click /category/shoes",
        "category_view /category/shoes?sort=price shoes",
        "click /category/shoes?sort=price",
        f"product_view {PRODUCT} monsoon-boot",
        f"click {PRODUCT}",
        "page_view /about",
    )
    visit.back(BOOT)
    visit.expect(f"product_view {PRODUCT} monsoon-boot")
    visit.back("Shoes")
    visit.expect("category_view /category/shoes?sort=price shoes")
    visit.back("Shoes")
    visit.expect("category_view /category/shoes shoes")
    visit.back(HOME)
    visit.expect("home_view /")
    for _page in range(4):
        visit.page.go_forward()
    visit.wait_for_heading("About us")
    assert visit.new_events(1)[-1]["eventName"] == "page_view"
