"""Every metric beside a second implementation in plain Python, over histories that no metric was written for."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from inspect import signature
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote_plus

import pytest

import analysis
from analysis import Engine, Range, RawEvents, WarehouseEvents, read_events
from analysis.raw.partitions import hour_prefixes
from analysis.repair.backfill.run import backfill
from analysis.rows.selection import Clock
from chalicelib.projection import projector
from chalicelib.storage import RawObject
from chalicelib.warehouse.client import Warehouse
from chalicelib.warehouse.schema import Schema
from tests.support.hostile_history.shoppers import ZONES
from tests.support.hostile_history.transport import Stored, hostile_history, write
from tests.support.hostile_history.values import BOT_AGENTS
from tests.support.plain_metrics import (
    acquisition,
    carts,
    funnel,
    history,
    overview,
    paths,
    products,
    retention,
    revenue,
    sessions,
    visitors,
)
from tests.support.plain_metrics.history import ALWAYS, Row
from tests.support.plain_metrics.raw import read

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
HOUR = timedelta(hours=1)
SEEDS = (1, 2, 3)
DECIMALS = (0, 2)

Call = tuple[str, dict[str, Any]]
MODULES = (acquisition, carts, funnel, overview, paths, products, retention, revenue, sessions, visitors)
PLAIN: Mapping[str, Callable[..., list[Row]]] = {
    name: getattr(module, name)
    for module in MODULES
    for name in module.__all__
    if name in analysis.__all__ and name.islower()
}
STEPS = ("add_to_cart_click", "product_view", "page_view")
# The metrics whose rows the zone makes.
PERIODS: Sequence[Call] = (
    ("events_over_time", {"grain": "hour"}),
    ("events_over_time", {"grain": "day"}),
    ("events_over_time", {"grain": "minute"}),
    ("events_over_time", {"grain": "week"}),
    ("events_over_time", {"grain": "month"}),
    ("key_figures_over_time", {"grain": "day"}),
    ("key_figures_over_time", {"grain": "month"}),
    ("retention", {"grain": "day"}),
    ("retention", {"grain": "week"}),
    ("retention", {"grain": "month"}),
    ("retention", {"grain": "day", "cohort": "first_visit"}),
    ("retention", {"grain": "week", "cohort": "first_visit"}),
    ("revenue_over_time", {"grain": "hour"}),
    ("revenue_over_time", {"grain": "day"}),
    ("revenue_over_time", {"grain": "week"}),
)
# The metrics that look at prices or money.
MONEY: Sequence[Call] = (
    ("latest_product_events", {}),
    ("latest_product_events", {"limit": 5}),
    ("latest_events", {"limit": 40}),
    ("discount_effect", {}),
    ("revenue", {}),
    ("revenue_by_product", {}),
    ("revenue_by_product", {"limit": 2}),
    ("revenue_by_category", {}),
    ("revenue_by_category", {"limit": 1}),
)
ALL: Sequence[Call] = (
    *PERIODS,
    *MONEY,
    ("overview", {}),
    ("key_figures", {}),
    ("top_events", {}),
    ("by_login_state", {}),
    ("visitor_types", {}),
    ("top_categories", {}),
    ("top_brands", {"limit": 2}),
    ("top_categories", {"unknown": True}),
    ("top_brands", {"unknown": True}),
    ("funnel", {}),
    ("funnel", {"window": 10, "by": "visitor_type"}),
    ("funnel", {"steps": STEPS, "order": "strict", "by": "category"}),
    ("funnel", {"steps": STEPS, "window": 1800, "order": "any", "by": "brand"}),
    ("funnel", {"window": 3600, "order": "any"}),
    ("funnel", {"by": "login_state"}),
    ("funnel_times", {}),
    ("funnel_times", {"window": 3600, "by": "visitor_type"}),
    ("funnel_times", {"steps": STEPS, "order": "strict"}),
    ("funnel_times", {"steps": STEPS, "window": 1800, "order": "any", "by": "brand"}),
    ("funnel_dropped", {"step": 2}),
    ("funnel_dropped", {"step": 3, "steps": STEPS, "order": "any", "limit": 5}),
    ("sessions", {}),
    ("rebuilt_sessions", {}),
    ("session_summary", {}),
    ("products", {}),
    ("products", {"limit": 3}),
    ("carts", {}),
    ("paths", {}),
    ("paths", {"clicks": True}),
    ("paths", {"limit": 7}),
    ("path_links", {"nodes": "event"}),
    ("path_links", {"nodes": "event", "node": "product_view", "direction": "to", "steps": 2, "limit": 3}),
    ("visitors", {}),
    ("visitors", {"limit": 4}),
    ("visitor_events", {"visitor": "sam"}),
    ("visitor_events", {"visitor": "sam", "kind": "user", "limit": 3}),
)
# The metrics that need more than the warehouse holds.
MORE: Sequence[Call] = (
    *(("sessions_by", {"by": by}) for by in ("channel", "source", "medium", "campaign", "referrer", "landing_page")),
    *(("sessions_by", {"by": by}) for by in ("exit_page", "device", "browser", "system", "country")),
    ("sessions_by", {"by": "channel", "limit": 2}),
    *(("revenue_by", {"by": by}) for by in ("channel", "campaign", "exit_page", "country")),
    ("revenue_by", {"limit": 1}),
    ("top_pages", {}),
    ("top_pages", {"limit": 3}),
    ("search_terms", {}),
    ("funnel", {"by": "channel"}),
    ("funnel_times", {"by": "device", "order": "any", "window": 600}),
    ("path_links", {}),
    ("path_links", {"node": "/p/2", "limit": 3}),
    ("path_links", {"node": "/p/2", "direction": "to", "steps": 5}),
    ("visitors", {"orders": True}),
    ("latest_events", {"limit": 40, "derived": True}),
    ("visitor_events", {"visitor": "sam", "derived": True}),
)
# Enough to tell whether the right events were chosen.
SOME: Sequence[Call] = (("overview", {}), ("sessions", {}), ("latest_product_events", {}), ("revenue", {}))


class Shop(NamedTuple):
    """One history: its objects, its bucket, and a warehouse for each number of decimals."""

    objects: Sequence[Stored]
    bucket: Path
    warehouses: Mapping[int, WarehouseEvents]

    def chosen(self, within: Range, price_decimals: int = 0, **options: Any) -> history.Events:
        """The events of a range, as plain Python chooses them."""
        events = [read(stored.key, stored.body, price_decimals) for stored in self.objects]
        options |= {"login": within.login_state, "zone": within.zone, "price_decimals": price_decimals}
        return history.choose(events, within.start, within.end, **options)

    def raw(self, within: Range, price_decimals: int = 0, **options: Any) -> RawEvents:
        """The events of a range, as they are read from the bucket."""
        fields = ["order", "page_url", "referrer", "user_agent", "time_zone"]
        options |= {"fields": fields, "price_decimals": price_decimals}
        return RawEvents(read_events(self.bucket, within.start, within.end, **options))


class Directory:
    """A bucket's directory, as the projector reads S3."""

    def __init__(self, bucket: Path) -> None:
        self._bucket = bucket

    def get(self, bucket: str, key: str) -> RawObject:
        assert bucket == self._bucket.name
        return RawObject((self._bucket / key).read_bytes(), datetime.now(UTC))


def whole_hours(objects: Sequence[Stored]) -> tuple[datetime, datetime]:
    """The hours that hold all objects."""
    first, last = (objects[place].received.replace(minute=0, second=0, microsecond=0) for place in (0, -1))
    return first, last + HOUR


def ranges(objects: Sequence[Stored]) -> Sequence[tuple[Range, dict[str, timedelta]]]:
    """Ranges, and how far each looks back and ahead.

    All events; from and to the moment of an event; at no round moment; up to many events of one moment; no events.
    """
    start, end = whole_hours(objects)
    times = [stored.received for stored in objects]
    [(busiest, _)] = Counter(times).most_common(1)
    none, after = timedelta(), busiest + timedelta(microseconds=1)
    odd = start + timedelta(days=2, hours=7, minutes=13, seconds=21, microseconds=337_001)
    utc, hanoi, kathmandu, new_york = ZONES
    return (
        (Range(start, end, zone=new_york), {}),
        (Range(times[len(times) // 4], times[len(times) * 3 // 4], zone=hanoi), {"lookback": none, "lookahead": none}),
        (Range(odd, odd + 61.3 * HOUR, "anonymous", zone=kathmandu), {"lookback": 30 * HOUR, "lookahead": 3.1 * HOUR}),
        (Range(busiest - 71 * HOUR, after, "logged_in", zone=new_york), {"lookahead": 60 * HOUR}),
        (Range(after, after, zone=utc), {}),
    )


def project(bucket: Path, url: str, objects: Sequence[Stored], price_decimals: int) -> None:
    """Send objects through the projector, one by one."""
    warehouse = Warehouse(url, Schema(price_decimals=price_decimals))
    for stored in objects:
        named = {"bucket": {"name": bucket.name}, "object": {"key": quote_plus(stored.key)}}
        projector.handle({"Records": [{"s3": named}]}, Directory(bucket), warehouse, price_decimals)
    warehouse.close()


@pytest.fixture(scope="module", params=SEEDS)
def shop(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    new_database: Callable[[], AbstractContextManager[str]],
) -> Iterator[Shop]:
    """Give the history of a seed, in a bucket and in warehouses: a part is projected, and the rest is backfilled."""
    bucket = tmp_path_factory.mktemp("bucket")
    objects = hostile_history(request.param)
    write(bucket, objects)
    with new_database() as whole, new_database() as cents, pytest.MonkeyPatch.context() as environment:
        urls = dict(zip(DECIMALS, (whole, cents), strict=True))
        for decimals, url in urls.items():
            environment.setenv("PRICE_DECIMALS", str(decimals))
            project(bucket, url, objects[: len(objects) // 5], decimals)
            backfill(bucket, url, hour_prefixes(*whole_hours(objects)))
        environment.delenv("PRICE_DECIMALS")
        yield Shop(objects, bucket, {decimals: WarehouseEvents(url) for decimals, url in urls.items()})


def compare(engine: Engine, within: Range, events: history.Events, calls: Sequence[Call]) -> None:
    """Assert that metrics give the rows that plain Python gives: the same columns, values and order."""
    for name, arguments in calls:
        if name.startswith("revenue") and isinstance(engine, WarehouseEvents):
            continue  # it holds no orders
        frame = getattr(analysis, name)(engine, within, **arguments)
        found, rows = frame.to_dicts(), PLAIN[name](events, **arguments)
        differing = [pair for pair in zip(found, rows, strict=False) if pair[0] != pair[1]]
        assert differing[:1] == [], (name, arguments, within)
        assert len(found) == len(rows), (name, arguments, within)
        assert not rows or frame.columns == list(rows[0])


class TestPlainMetrics:
    def test_each_public_metric_has_a_second_implementation(self) -> None:
        """A metric is a function of an engine, or of raw, and a range."""
        public = {name: getattr(analysis, name) for name in analysis.__all__}
        functions = {name: value for name, value in public.items() if callable(value) and not isinstance(value, type)}
        metrics = {name for name, value in functions.items() if [*signature(value).parameters][1:2] == ["within"]}
        assert metrics == PLAIN.keys() == {name for name, _ in (*ALL, *MORE)}

    def test_the_second_implementation_shares_nothing_with_the_first(self) -> None:
        """It imports the standard library and itself, so no fault can be in both."""
        package = ROOT / "tests" / "support" / "plain_metrics"
        lines = [line for path in package.glob("*.py") for line in path.read_text().splitlines()]
        imported = {line.split()[1] for line in lines if line.startswith(("from ", "import "))}
        others = {name for name in imported if name.partition(".")[0] not in sys.stdlib_module_names}
        assert others
        assert [name for name in others if not name.startswith("tests.support.plain_metrics")] == []

    @pytest.mark.parametrize("clock", ["received", "occurred"])
    def test_raw(self, shop: Shop, clock: Clock) -> None:
        """DuckDB over what read_events reads, by both clocks, however far it looks back and ahead."""
        for within, reach in ranges(shop.objects):
            options: dict[str, Any] = {"clock": clock, **reach}
            compare(shop.raw(within, **options), within, shop.chosen(within, **options), (*ALL, *MORE))

    @pytest.mark.parametrize("clock", ["received", "occurred"])
    def test_a_part_of_what_was_read(self, shop: Shop, clock: Clock) -> None:
        """Orders and events before the range count as before it, also where they were read with it."""
        start, end = whole_hours(shop.objects)
        read = Range(start + 30 * HOUR, end)
        within = Range(start + 70.7 * HOUR, end - 40.1 * HOUR)
        events = shop.chosen(read, clock=clock, part=(within.start, within.end))
        compare(shop.raw(read, clock=clock), within, events, SOME)

    @pytest.mark.parametrize("clock", ["received", "occurred"])
    def test_without_bots(self, shop: Shop, clock: Clock) -> None:
        """Their events are left out, also those before the range; they tell when other events happened, as ever."""
        within, _ = ranges(shop.objects)[1]
        events = shop.chosen(within, clock=clock, bots=BOT_AGENTS)
        assert len(events.all) < len(shop.chosen(within, clock=clock).all)
        compare(shop.raw(within, clock=clock, bots=False), within, events, SOME)

    def test_the_warehouse(self, shop: Shop) -> None:
        """PostgreSQL over the projected rows, each of which is of the object received first."""
        for within, _ in ranges(shop.objects):
            compare(shop.warehouses[0], within, shop.chosen(within, lookback=ALWAYS), ALL)

    def test_zones(self, shop: Shop) -> None:
        """Hours, days, weeks and cohorts of each zone, where its clocks change, too."""
        start, end = whole_hours(shop.objects)
        of_zones = [Range(start + HOUR / 7, end - HOUR / 60, zone=zone) for zone in ZONES]
        for within in of_zones:
            compare(shop.warehouses[0], within, shop.chosen(within, lookback=ALWAYS), PERIODS)
        for clock in ("received", "occurred"):
            raw = shop.raw(of_zones[0], clock=clock)
            for within in of_zones:
                compare(raw, within, shop.chosen(within, clock=clock), PERIODS)

    @pytest.mark.parametrize("decimals", DECIMALS[1:])
    def test_decimals_of_prices(self, shop: Shop, decimals: int) -> None:
        """Prices with decimals in both places, by both clocks; the prices without are those of all other tests."""
        for within, reach in ranges(shop.objects):
            compare(shop.warehouses[decimals], within, shop.chosen(within, decimals, lookback=ALWAYS), MONEY)
            for clock in ("received", "occurred"):
                options: dict[str, Any] = {"clock": clock, **reach}
                compare(shop.raw(within, decimals, **options), within, shop.chosen(within, decimals, **options), MONEY)


class TestHostileHistories:
    @pytest.mark.parametrize("seed", SEEDS)
    def test_each_holds_what_breaks_metrics(self, seed: int) -> None:
        """Otherwise the comparisons would say nothing."""
        events = [read(stored.key, stored.body) for stored in hostile_history(seed)]
        by_id = history.grouped(events, lambda event: event.event_id)
        again = [later.received - first.received for first, *rest in by_id.values() for later in rest]
        delays = [event.received - event.sent for event in events if event.sent]
        tabs = history.grouped(events, lambda event: event.tab and (event.tab, event.received))
        clients = history.grouped(events, lambda event: event.received)
        orders = [event.order for event in events if isinstance(event.order, dict)]
        holds = {
            "repeats within the lookback": any(HOUR < wait <= 24 * HOUR for wait in again),
            "repeats beyond the lookback": any(wait > 24 * HOUR for wait in again),
            "repeats in another UTC day": any(
                first.received.date() != later.received.date() for first, *rest in by_id.values() for later in rest
            ),
            "events that waited for a day": any(delay > 20 * HOUR for delay in delays),
            "clocks that are ahead": any(delay < -HOUR / 60 for delay in delays),
            "ties in a tab": any(len(tied) > 1 for tied in tabs.values()),
            "ties of clients": any(len({event.client for event in tied}) > 1 for tied in clients.values()),
            "times that cannot be read": any(event.sent is None for event in events),
            "events without a visitor": any(event.visitor is None for event in events),
            "orders of several events": len({str(order.get("id")) for order in orders}) < len(orders),
            "totals as text": any(type(order.get("total")) is str for order in orders),
            "currencies in several spellings": {" usd ", "USD"} <= {order.get("currency") for order in orders},
        }
        assert [name for name, is_there in holds.items() if not is_there] == []
