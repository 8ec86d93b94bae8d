from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.seed.answers.carts import carts, paths
from emulator.seed.answers.events import Events
from emulator.seed.answers.funnel import any_order, funnel, ordered, strict
from emulator.seed.answers.metrics import answers
from emulator.seed.answers.overview import (
    by_login_state,
    events_over_time,
    latest_product_events,
    overview,
    top_brands,
    top_categories,
    top_events,
    visitor_types,
)
from emulator.seed.answers.products import discount_effect, products
from emulator.seed.answers.revenue import revenue, revenue_by_category, revenue_by_product, revenue_over_time
from emulator.seed.answers.sessions import rebuilt_sessions, session_summary, sessions
from emulator.seed.answers.table import period_of
from emulator.seed.answers.visitors import retention
from emulator.seed.clock import DAY, HOUR, MINUTE, SECOND, iso, milliseconds
from emulator.seed.record import Line, Order, Record

NOON = 20_408 * DAY + 12 * HOUR  # 2025-11-16, a Sunday
AT_NOON = "2025-11-16T12:00:00.000Z"
STEPS = ("a", "b", "c")


def event(event_id: str, at: int, name: str, **more: Any) -> Record:
    """Give an event so many seconds after noon, of client `ann` in session `s1` unless it says otherwise."""
    return Record(event_id, NOON + at * SECOND, name, **{"client_id": "ann", "session_id": "s1", **more})


LAMP: dict[str, Any] = {
    "product_id": "lamp",
    "product_name": "Lamp",
    "category": "living",
    "brand": "Mây",
    "price": 100,
}
TOTE: dict[str, Any] = {"product_id": "tote", "category": "bags", "brand": "Lụa", "price": 50, "discount_price": 40}
BEN: dict[str, Any] = {"client_id": "ben", "session_id": "s2", "is_first_visit": False}

# Ann looks at a lamp, buys it, and comes back the next day; Ben, signed in, leaves a tote in his cart; somebody else
# has no client and no session.
SHOP = [
    event("e01", 0, "home_view", is_first_visit=True, login_state="anonymous"),
    event("e02", 5, "product_view", is_first_visit=True, login_state="anonymous", **LAMP),
    event("e03", 8, "add_to_cart_click", is_first_visit=True, login_state="anonymous", **LAMP),
    event("e04", 9, "checkout_start", is_first_visit=True, login_state="anonymous"),
    event("e05", 20, "checkout_complete", order=Order("o1", Decimal("100"), "VND", 1), is_first_visit=True),
    event("e06", 10, "product_view", login_state="logged_in", user_id="u-ben", **BEN, **TOTE),
    event("e07", 10, "add_to_cart_click", login_state="logged_in", user_id="u-ben", **BEN, **TOTE),
    event("e08", 86_400, "page_view", session_id="s3", is_first_visit=False, login_state="anonymous"),
    event("e09", 3_600, "wishlist_toggle", client_id=None, session_id=None, **{**LAMP, "brand": None, "price": None}),
    event("e06", 30, "product_view", login_state="logged_in", user_id="u-ben", **BEN, **TOTE),  # once more
]


def rows(answer: Any) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = answer.rows
    assert all(len(row) == len(answer.columns) for row in found)
    return found


@pytest.fixture(scope="module")
def shop() -> Events:
    """Give the events of the little shop."""
    return Events(SHOP)


class TestOverview:
    """Totals, and by what."""

    def test_overview(self, shop: Events) -> None:
        """Each event id counts once; who has neither client nor user is no visitor."""
        assert rows(overview(shop)) == [(9, 2, 2, 1, 3, 2, 1, 0.5, 0.5, 1 / 3, AT_NOON, "2025-11-17T12:00:00.000Z")]

    def test_no_events(self) -> None:
        """Without events there is one row of zeros, and NULL where nothing can be divided."""
        assert rows(overview(Events([]))) == [(0, 0, 0, 0, 0, 0, 0, *[None] * 5)]

    def test_events_over_time(self, shop: Events) -> None:
        """Only periods that have events."""
        assert rows(events_over_time(shop, "hour")) == [
            (AT_NOON, 7, 2, 2),
            ("2025-11-16T13:00:00.000Z", 1, 0, 0),
            ("2025-11-17T12:00:00.000Z", 1, 1, 1),
        ]
        assert rows(events_over_time(shop, "day")) == [
            ("2025-11-16T00:00:00.000Z", 8, 2, 2),
            ("2025-11-17T00:00:00.000Z", 1, 1, 1),
        ]

    def test_top_events(self, shop: Events) -> None:
        """The most frequent first, then by name."""
        assert rows(top_events(shop))[:4] == [
            ("add_to_cart_click", 2, 2 / 9),
            ("product_view", 2, 2 / 9),
            ("checkout_complete", 1, 1 / 9),
            ("checkout_start", 1, 1 / 9),
        ]

    def test_by_login_state(self, shop: Events) -> None:
        """Events that do not say count as unknown."""
        assert rows(by_login_state(shop)) == [
            ("anonymous", 5, 1, 2, 1, 0, 0.0, 0.0, 0.0),
            ("logged_in", 2, 1, 1, 1, 0, 0.0, 0.0, 0.0),
            ("unknown", 2, 1, 1, 0, 1, None, 1.0, 1.0),
        ]

    def test_visitor_types(self, shop: Events) -> None:
        """By what the event itself says."""
        assert rows(visitor_types(shop)) == [
            ("new", 5, 1, 1, 1, 1, 1.0, 1.0, 1.0),
            ("returning", 3, 2, 2, 1, 0, 0.0, 0.0, 0.0),
            ("unknown", 1, 0, 0, 0, 0, None, None, None),
        ]

    def test_top_categories_and_brands(self, shop: Events) -> None:
        """Events of the context, then by name; those without one are left out."""
        assert rows(top_categories(shop, 10)) == [("living", 3, 1, 1), ("bags", 2, 1, 1)]
        assert rows(top_brands(shop, 10)) == [("Lụa", 2, 1, 1), ("Mây", 2, 1, 1)]
        assert len(rows(top_categories(shop, 1))) == 1

    def test_latest_product_events(self, shop: Events) -> None:
        """The latest first; of the same time the higher id."""
        latest = rows(latest_product_events(shop, 3))
        assert [row[1] for row in latest] == ["e09", "e07", "e06"]
        at = "2025-11-16T12:00:10.000Z"
        assert latest[1] == (at, "e07", "add_to_cart_click", "tote", None, "bags", "Lụa", 50, 40)

    def test_login_state_chooses_events(self) -> None:
        """Only events of that state count."""
        assert rows(overview(Events(SHOP, "logged_in")))[0][:5] == (2, 1, 1, 1, 1)


class TestFunnel:
    """Attempts in three orders."""

    @staticmethod
    def reached(find: Any, *names: str, window: int = 100) -> list[int]:
        """Give what each attempt reaches; the events come ten seconds after each other."""
        records = [event(str(place), place * 10, name) for place, name in enumerate(names)]
        return [len(times) for _, times in find(records, STEPS, window * SECOND)]

    def test_ordered(self) -> None:
        """Steps are later ones, whatever is between; each event of step 1 is an attempt."""
        assert self.reached(ordered, "b", "a", "x", "b", "a", "c") == [3, 1]
        assert self.reached(ordered, "a", "c", "b") == [2]

    def test_window_is_inclusive(self) -> None:
        """An event at the window's very end is in it, and it begins with the attempt."""
        assert self.reached(ordered, "a", "b", "c", window=20) == [3]
        assert self.reached(ordered, "a", "b", "c", window=19) == [2]
        assert self.reached(strict, "a", "b", "c", window=19) == [2]
        assert self.reached(any_order, "c", "b", "a", window=10) == [2, 2, 1]

    def test_strict(self) -> None:
        """Any event in between breaks it."""
        assert self.reached(strict, "a", "x", "b", "a", "b", "c") == [1, 3]

    def test_any(self) -> None:
        """As many steps as there are different names, from any of them on."""
        assert self.reached(any_order, "c", "x", "a", "c", "b") == [3, 3, 2, 1]

    def test_visitors_and_ratios(self, shop: Events) -> None:
        """Both visitors look and add; one goes on."""
        assert rows(funnel(shop)) == [
            (1, "product_view", 2, 1.0, None, None),
            (2, "add_to_cart_click", 2, 1.0, 1.0, 0),
            (3, "checkout_start", 1, 0.5, 0.5, 1),
            (4, "checkout_complete", 1, 0.5, 1.0, 0),
        ]
        assert [row[2] for row in rows(funnel(shop, order="strict"))] == [2, 2, 1, 1]
        assert rows(funnel(shop, order="any"))[3] == (4, None, 1, 0.5, 1.0, 0)

    def test_groups(self, shop: Events) -> None:
        """The group is that of the attempt's first event, and every step of it is listed."""
        assert [(row[0], row[3]) for row in rows(funnel(shop, by="category"))] == [
            *(("bags", visitors) for visitors in (1, 1, 0, 0)),
            *(("living", visitors) for visitors in (1, 1, 1, 1)),
        ]
        assert [row[0] for row in rows(funnel(shop, by="visitor_type"))[::4]] == ["new", "returning"]
        assert [row[0] for row in rows(funnel(shop, order="any", by="brand"))[::4]] == ["Lụa", "Mây", "unknown"]

    def test_no_events(self) -> None:
        """All steps are listed without groups, and nothing with them."""
        assert rows(funnel(Events([]), STEPS))[1] == (2, "b", 0, None, None, 0)
        assert rows(funnel(Events([]), STEPS, by="brand")) == []

    @given(st.lists(st.sampled_from("abcx"), max_size=12))
    def test_orders_agree(self, names: list[str]) -> None:
        """What is reached strictly is reached in order, and what is reached in order is reached in any order."""
        in_order = self.reached(ordered, *names)
        assert all(least <= most for least, most in zip(self.reached(strict, *names), in_order, strict=True))
        assert max(in_order, default=0) <= max(self.reached(any_order, *names), default=0)


class TestSessions:
    """Sessions by id, and rebuilt."""

    def test_sessions(self, shop: Events) -> None:
        """First and last event, and what happened between them."""
        times = (AT_NOON, "2025-11-16T12:00:20.000Z", 20.0)
        at = "2025-11-17T12:00:00.000Z"
        assert rows(sessions(shop))[::2] == [
            ("s1", "ann", *times, 5, 2, 3, False, True, True, True, True),
            ("s3", "ann", at, at, 0.0, 1, 1, 0, True, False, False, False, False),
        ]

    def test_engagement(self) -> None:
        """Longer than ten seconds, two views, or a key event; one click alone is neither engaged nor a bounce."""

        def tally(*events: tuple[int, str]) -> tuple[bool, bool]:
            records = [event(str(place), at, name) for place, (at, name) in enumerate(events)]
            return rows(sessions(Events(records)))[0][8:10]

        assert tally((0, "click")) == (False, False)
        assert tally((0, "page_view"), (10, "click")) == (False, False)
        assert tally((0, "page_view"), (11, "click")) == (False, True)
        assert tally((0, "page_view"), (0, "home_view")) == (False, True)
        assert tally((0, "checkout_complete")) == (False, True)

    def test_rebuilt_sessions(self) -> None:
        """Split where the gap is longer than 30 minutes; a visitor without client is a user."""
        minutes = [0, 30, 60.001, 90.001]
        records = [
            event(f"e{minute}", int(minute * 60), "click", session_id=None, client_id=None, user_id="u")
            for minute in minutes
        ]
        records[2] = records[2]._replace(time=NOON + 60 * MINUTE + 1)
        found = rows(rebuilt_sessions(Events(records)))
        assert [(row[0], row[1], row[5]) for row in found] == [("u", 1, 2), ("u", 2, 2)]
        assert [row[4] for row in found] == [1800.0, 1799.999]

    def test_same_text_is_two_visitors(self) -> None:
        """A client and a user of the same text have nothing to do with each other."""
        records = [event("e1", 0, "click", client_id="x"), event("e2", 1, "click", client_id=None, user_id="x")]
        assert [row[1] for row in rows(rebuilt_sessions(Events(records)))] == [1, 1]

    def test_session_summary(self, shop: Events) -> None:
        """Medians and averages of both; a session of one view is a bounce."""
        assert rows(session_summary(shop)) == [
            ("session_id", 3, 0.0, 20 / 3, 8 / 3, 4 / 3, 1 / 3, 1 / 3),
            ("rebuilt", 3, 0.0, 20 / 3, 8 / 3, 4 / 3, 1 / 3, 1 / 3),
        ]
        assert rows(session_summary(Events([])))[0] == ("session_id", 0, *[None] * 6)


class TestRetention:
    """Cohorts that come back."""

    def test_by_day_and_week(self, shop: Events) -> None:
        """Weeks begin on Monday, so that Sunday and Monday are two."""
        assert rows(retention(shop, "day")) == [("2025-11-16", 0, 2, 2, 1.0), ("2025-11-16", 1, 2, 1, 0.5)]
        assert rows(retention(shop, "week")) == [("2025-11-10", 0, 2, 2, 1.0), ("2025-11-10", 1, 2, 1, 0.5)]

    def test_by_first_visit(self, shop: Events) -> None:
        """Ben's first visit was before, so that he is in no cohort."""
        assert rows(retention(shop, "day", "first_visit")) == [
            ("2025-11-16", 0, 1, 1, 1.0),
            ("2025-11-16", 1, 1, 1, 1.0),
        ]


class TestZones:
    """Hours and days of other zones than UTC."""

    @pytest.mark.parametrize(
        ("zone", "day", "hour"),
        [
            ("UTC", "2026-10-25T00:00:00.000Z", "2026-10-25T01:00:00.000Z"),
            ("Europe/Berlin", "2026-10-24T22:00:00.000Z", "2026-10-25T01:00:00.000Z"),
            ("Asia/Kathmandu", "2026-10-24T18:15:00.000Z", "2026-10-25T01:15:00.000Z"),
            ("America/New_York", "2026-10-24T04:00:00.000Z", "2026-10-25T01:00:00.000Z"),
        ],
    )
    def test_periods_begin_by_the_clocks_of_the_zone(self, zone: str, day: str, hour: str) -> None:
        """In Berlin, clocks show 2:30 for the second time."""
        half_past_two = milliseconds(datetime(2026, 10, 25, 1, 30, tzinfo=UTC))
        assert [iso(period_of(half_past_two, grain, zone)) for grain in ("day", "hour")] == [day, hour]

    def test_cohorts_are_dates_of_the_zone(self, shop: Events) -> None:
        """In Kiritimati, noon of November 16 in UTC is in the small hours of the 17th."""
        assert rows(retention(Events(SHOP, zone="Pacific/Kiritimati"), "day"))[0][0] == "2025-11-17"
        assert rows(retention(shop, "day"))[0][0] == "2025-11-16"


class TestProducts:
    """Products, and discounts."""

    def test_products(self, shop: Events) -> None:
        """Each of name, category and brand is that of the latest event that has one."""
        assert rows(products(shop, 10)) == [
            ("lamp", "Lamp", "living", "Mây", 1, 1, 0, 1, 1, 1, 1.0, 1.0),
            ("tote", None, "bags", "Lụa", 1, 1, 0, 0, 1, 0, 1.0, 0.0),
        ]

    def test_purchase_before_the_add_is_none_of_it(self) -> None:
        """Only what was added before something was bought may have been bought."""
        records = [event("1", 0, "checkout_complete"), event("2", 1, "add_to_cart_click", **LAMP)]
        assert rows(products(Events(records), 10))[0][4:] == (0, 1, 0, 0, 0, 0, None, None)

    def test_discount_effect(self, shop: Events) -> None:
        """A discount must be below the price; an event without a price does not count."""
        assert rows(discount_effect(shop)) == [(False, 1, 1, 1.0), (True, 1, 1, 1.0)]
        none = [event("1", 0, "product_view", price=5, discount_price=5), event("2", 1, "product_view")]
        assert rows(discount_effect(Events(none))) == [(False, 1, 0, 0.0)]


class TestCarts:
    """Carts that are left, and paths."""

    def test_carts(self, shop: Events) -> None:
        """One of two carts is bought; the only checkout is finished."""
        assert rows(carts(shop)) == [(2, 1, 0.5, 1, 0.0, 2, 1, 1, 0.5)]
        assert rows(carts(Events([]))) == [(0, 0, None, 0, None, 0, 0, 0, None)]

    def test_only_what_follows_counts(self) -> None:
        """A checkout or purchase before the first add is not one of this cart."""
        names = ("checkout_start", "checkout_complete", "add_to_cart_click", "checkout_start")
        records = [event(str(place), place, name) for place, name in enumerate(names)]
        assert rows(carts(Events(records))) == [(1, 0, 1.0, 1, 1.0, 1, 1, 0, 0.0)]

    def test_two_carts_and_one_purchase(self) -> None:
        """One purchase is enough for our own definition, and not for that of dbt-snowplow-ecommerce."""
        names = ("add_to_cart_click", "add_to_cart_click", "checkout_complete", "add_to_cart_click")
        records = [event(str(place), place, name) for place, name in enumerate(names)]
        assert rows(carts(Events(records))) == [(1, 1, 0.0, 0, None, 2, 1, 1, 1.0)]

    def test_an_emptied_cart(self) -> None:
        """The next add creates another one, if every product was removed."""
        names = ("add_to_cart_click", "remove_from_cart_click", "add_to_cart_click")
        records = [event(str(place), place, name, **LAMP) for place, name in enumerate(names)]
        assert rows(carts(Events(records)))[0][5:] == (2, 0, 1, 1.0)
        other = records[1]._replace(product_id="tote")
        assert rows(carts(Events([records[0], other, records[2]])))[0][5:] == (1, 0, 1, 1.0)

    def test_paths_without_clicks(self) -> None:
        """Events with only clicks between them are neighbours."""
        records = Events(event(str(place), place, name) for place, name in enumerate(("a", "click", "b")))
        assert rows(paths(records, 9)) == [("a", "b", 1, 1.0)]
        assert rows(paths(records, 9, clicks=True)) == [("a", "click", 1, 1.0), ("click", "b", 1, 1.0)]

    def test_paths(self, shop: Events) -> None:
        """The share is of all that follows the same event, before the limit."""
        assert rows(paths(shop, 2)) == [
            ("product_view", "add_to_cart_click", 2, 1.0),
            ("add_to_cart_click", "checkout_start", 1, 1.0),
        ]


class TestRevenue:
    """Exact sums."""

    ORDERS = (
        ("1", 0, Order("o1", Decimal("0.10"), "USD", 1)),
        ("2", 1, Order("o2", Decimal("0.20"), "USD", 2)),
        ("3", 2, Order("o1", Decimal("9.99"), "USD", 9)),
        ("4", 3_600, Order("o3", None, "USD", 1)),
        ("5", 3_601, Order("o4", Decimal("7"), None, 1)),
        ("6", 3_602, Order("o5", None, "VND", 3)),
    )

    @pytest.fixture
    def events(self) -> Events:
        """Give six orders, of which two have the same id."""
        return Events(event(event_id, at, "checkout_complete", order=order) for event_id, at, order in self.ORDERS)

    def test_revenue(self, events: Events) -> None:
        """The first of an order id counts; an order without a total is counted, but not as 0."""
        assert rows(revenue(events)) == [
            ("USD", 3, "0.30", 0.15, 4, 1),
            ("VND", 1, None, None, 3, 1),
            ("unknown", 1, "7", 7.0, 1, 0),
        ]

    def test_revenue_over_time(self, events: Events) -> None:
        """By period, then currency."""
        assert rows(revenue_over_time(events, "hour")) == [
            (AT_NOON, "USD", 2, "0.30"),
            ("2025-11-16T13:00:00.000Z", "USD", 1, None),
            ("2025-11-16T13:00:00.000Z", "VND", 1, None),
            ("2025-11-16T13:00:00.000Z", "unknown", 1, "7"),
        ]


class TestSoldItems:
    """What was sold, by currency."""

    LINES = (Line("lamp", 2, Decimal("12.99")), Line("tote", 1, Decimal("0.49")), Line("gone", 1, Decimal(1)))

    @pytest.fixture
    def events(self) -> Events:
        """Give the little shop with two more orders, one of which is sent twice."""
        orders = (Order("o8", None, "USD", 4, self.LINES), Order("o8", None, "USD", 1, self.LINES[:1]))
        other = Order("o9", None, "EUR", 1, (Line("tote", 3, Decimal(7)),))
        more = [event(f"f{at}", at, "checkout_complete", order=order) for at, order in enumerate((*orders, other), 90)]
        return Events([*SHOP, *more])

    def test_by_product(self, events: Events) -> None:
        """The most revenue of each currency first; names and categories as in `products`."""
        assert rows(revenue_by_product(events, 2)) == [
            ("EUR", "tote", None, "bags", 1, 1, 3, "21", 0),
            ("USD", "lamp", "Lamp", "living", 1, 1, 2, "25.98", 0),
            ("USD", "gone", None, "unknown", 1, 1, 1, "1", 0),
        ]

    def test_by_category(self, events: Events) -> None:
        """A product of which nothing is known is of no known category."""
        assert rows(revenue_by_category(events, 10)) == [
            ("EUR", "bags", 1, 1, 3, "21", 0),
            ("USD", "living", 1, 1, 2, "25.98", 0),
            ("USD", "unknown", 1, 1, 1, "1", 0),
            ("USD", "bags", 1, 1, 1, "0.49", 0),
        ]


class TestAnswers:
    """Every metric."""

    def test_each_with_its_arguments(self) -> None:
        """One answer for each metric and choice of arguments; without events there is no visitor to ask about."""
        found = list(answers(SHOP, None))
        assert len({answer.metric for answer in found}) == 33
        assert len(found) == len({(answer.metric, str(answer.arguments)) for answer in found}) == 125
        assert {answer.metric for answer in found} - {answer.metric for answer in answers([], None)} == {
            "visitor_events"
        }
