"""The Next.js shop, built and driven in Chromium: exactly the right events are in the warehouse."""

import re
import time
from collections.abc import Callable
from datetime import datetime

import pytest
from playwright.sync_api import Route

from tests.examples.walks import BOOT, back_and_forward, purchase, sign_in_and_out
from tests.support.next_shop import SHOP, NextShop, node
from tests.support.next_visit import Visit
from tests.support.stack_process import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.stack]


class TestViews:
    @pytest.mark.parametrize(
        ("path", "view"),
        [
            ("/", "home_view /"),
            ("/about", "page_view /about"),
            ("/category/shoes?sort=price", "category_view /category/shoes?sort=price shoes"),
            ("/product/monsoon-boot", "product_view /product/monsoon-boot monsoon-boot"),
        ],
    )
    def test_a_page_that_is_loaded_has_one_view(self, visit: Visit, path: str, view: str) -> None:
        """The tracker's, or else the automatic one."""
        visit.open(path)
        visit.expect(view)

    def test_a_walk_back_and_forward_has_one_view_for_each_page(self, visit: Visit) -> None:
        """Links, a query, back and forward, also to pages that were kept."""
        back_and_forward(visit)

    def test_a_category_says_its_slug_and_its_name(self, visit: Visit) -> None:
        """It comes from a CMS, with its slug as `{current}`."""
        visit.open("/category/shoes")
        [view] = visit.expect("category_view /category/shoes shoes")
        assert view["product"] == {"category": "shoes", "name": "Shoes"}

    def test_a_page_behind_loading_has_its_own_view_with_the_time_it_was_entered(self, visit: Visit) -> None:
        """Its address is shown with `loading.tsx`, its tracker comes with its content."""
        visit.open("/category/shoes")
        visit.expect("category_view /category/shoes shoes")
        visit.click(f"a:text-is('{BOOT}')")
        visit.page.wait_for_url("**/product/monsoon-boot")
        entered = time.time()
        visit.wait_for_heading(BOOT)
        _click, view = visit.expect("click /category/shoes", "product_view /product/monsoon-boot monsoon-boot")
        assert datetime.fromisoformat(view["eventTimestamp"]).timestamp() < entered + 0.2

    def test_a_page_that_is_left_before_its_content_came_has_an_automatic_view(self, visit: Visit) -> None:
        """The click says so, and comes after it."""
        visit.open("/category/shoes")
        visit.page.wait_for_load_state("networkidle")  # Next.js has fetched what stands in for the page
        visit.click(f"a:text-is('{BOOT}')")
        visit.page.wait_for_url("**/product/monsoon-boot")
        visit.follow("About", "About us")
        visit.expect(
            "category_view /category/shoes shoes",
            "click /category/shoes",
            "page_view /product/monsoon-boot",
            "click /product/monsoon-boot",
            "page_view /about",
        )

    def test_a_page_whose_scripts_come_late_has_one_view(self, visit: Visit) -> None:
        """Parts of it are hydrated long after it was shown."""
        delays = iter([0.0, 0.9, 0.1, 0.7, 0.3] * 20)

        def late(route: Route) -> None:
            time.sleep(next(delays))
            route.continue_()

        visit.page.route("**/_next/static/chunks/*.js*", late)
        visit.open("/product/monsoon-boot")
        visit.expect("product_view /product/monsoon-boot monsoon-boot")

    @pytest.mark.parametrize("path", ["/", "/about", "/cart", "/sign-in", "/category/shoes", "/product/monsoon-boot"])
    def test_the_html_holds_the_content(self, shop: NextShop, path: str) -> None:
        """Nothing makes the server leave a page to the browser."""
        assert len(re.findall("<h1", shop.html(path))) == 1


class TestSizes:
    @pytest.mark.usefixtures("shop")
    def test_the_build_prints_what_the_browser_has_to_load(self) -> None:
        """Of the home page, gzipped, and which part of it has the publisher in it."""
        build, *_ = (page.parents[2].name for page in SHOP.glob(".next*/server/app/index.html"))
        printed = node("sizes.mjs", build)
        found = re.fullmatch(
            r"home page: \d+ scripts, ([\d.]+) KB gzipped\nof these, with the publisher: ([\d.]+) KB\n", printed
        )
        assert found
        assert 0 < float(found[2]) < float(found[1])


class TestActions:
    def test_a_purchase_has_one_event_per_action(self, visit: Visit) -> None:
        """None is a click as well."""
        purchase(visit)

    def test_events_say_who_is_signed_in(self, visit: Visit) -> None:
        """Also the first view after a reload."""
        sign_in_and_out(visit)

    def test_events_wait_for_consent(self, new_visit: Callable[..., Visit], shop: NextShop) -> None:
        """Nothing is stored before, and nothing is lost."""
        visit = new_visit(shop, None)
        visit.open("/")
        visit.follow("About", "About us")
        assert visit.stored_keys() == []
        visit.click("text=Yes")
        visit.expect("home_view /", "click /", "page_view /about")

    def test_who_refuses_is_not_counted(self, new_visit: Callable[..., Visit], shop: NextShop) -> None:
        """Nothing is stored, and nothing is sent."""
        visit = new_visit(shop, None)
        visit.open("/")
        visit.click("text=No")
        visit.follow("About", "About us")
        assert visit.stored_keys() == []


class TestPagesRouter:
    def test_each_navigation_has_one_view(self, visit: Visit) -> None:
        """Shallow routing, `getServerSideProps`, back and forward: the page comes later than its address."""
        visit.open("/search")
        visit.click("#on-offer")
        visit.page.wait_for_url("**/search?offers=1")
        visit.click("text=Boots")
        visit.page.wait_for_selector("text=1 found")
        visit.follow(BOOT, BOOT)
        visit.expect(
            "page_view /search",
            "click /search",
            "page_view /search?offers=1",
            "click /search?offers=1",
            "page_view /search?q=boot",
            "click /search?q=boot",
            "product_view /classic/monsoon-boot monsoon-boot",
        )
        visit.back("Search")
        visit.expect("page_view /search?q=boot")
        visit.forward(BOOT)
        visit.expect("product_view /classic/monsoon-boot monsoon-boot")


class TestDevelopment:
    """`next dev`, in which React mounts everything twice (Strict Mode)."""

    @pytest.mark.parametrize("walk", [purchase, sign_in_and_out, back_and_forward])
    def test_the_events_are_those_of_production(
        self, new_visit: Callable[..., Visit], development: NextShop, walk: Callable[[Visit], None]
    ) -> None:
        """Strict Mode doubles none."""
        walk(new_visit(development))


class TestCatalogue:
    def test_it_is_that_of_the_demo_shop(self) -> None:
        """Two copies, which must not drift apart."""
        demo = ROOT / "emulator" / "web" / "shop" / "products.json"
        assert (SHOP / "data" / "products.json").read_bytes() == demo.read_bytes()
