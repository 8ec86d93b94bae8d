"""One stack for all tests of the examples, and the Next.js shop: installed and built once for each way of rendering."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.support.next_shop import NextShop, build, install
from tests.support.next_visit import Visit
from tests.support.stack_process import StackProcess

# A CMS that takes its time: pages stream, and are shown after their address.
SLOW_CMS = {"CMS_MILLISECONDS": "500"}


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackProcess]:
    """Give one running stack."""
    stack = StackProcess(tmp_path_factory.mktemp("examples") / "home").start()
    yield stack
    stack.clean_up()


@pytest.fixture(scope="session")
def endpoint(stack: StackProcess) -> str:
    """Give the address that events are posted to, as a developer writes it."""
    return stack.stack.endpoint.replace("127.0.0.1", "localhost")


@pytest.fixture(scope="session", params=[False, True], ids=["plain", "cacheComponents"])
def shop(request: pytest.FixtureRequest, endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NextShop]:
    """Give the shop in production, once in each of the ways in which Next.js renders."""
    install()
    build(endpoint, cache_components=request.param)
    log = tmp_path_factory.mktemp("shop") / "next.log"
    shop = NextShop("start", log, SLOW_CMS, cache_components=request.param)
    yield shop
    shop.stop()


@pytest.fixture(scope="session")
def development(endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NextShop]:
    """Give the shop in `next dev`."""
    install()
    log = tmp_path_factory.mktemp("development") / "next.log"
    shop = NextShop("dev", log, SLOW_CMS | {"NEXT_PUBLIC_CLICKSTREAM_ENDPOINT": endpoint})
    for path in ("/", "/category/shoes", "/product/monsoon-boot", "/cart", "/checkout", "/order", "/sign-in"):
        shop.html(path)  # compiled now, not while the visitor waits
    yield shop
    shop.stop()


@pytest.fixture
def new_visit(browser: Browser, stack: StackProcess) -> Iterator[Callable[..., Visit]]:
    """Give a function that brings a new visitor; of none may the browser's console have a complaint."""
    contexts: list[BrowserContext] = []
    visits: list[Visit] = []

    def make(shop: NextShop, consent: str | None = "granted") -> Visit:
        contexts.append(browser.new_context())
        visits.append(Visit(contexts[-1], shop.url, stack, consent=consent))
        return visits[-1]

    yield make
    for context in contexts:
        context.close()
    assert [visit.faults for visit in visits] == [[] for _visit in visits]


@pytest.fixture
def visit(new_visit: Callable[..., Visit], shop: NextShop) -> Visit:
    """Give a visitor of the shop in production, who has agreed to be counted."""
    return new_visit(shop)
