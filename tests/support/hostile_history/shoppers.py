"""What happens in browsers: clients, their tabs and sessions, and the events with their true times."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from tests.support.hostile_history.values import BOT_AGENTS, PAGES, order, product, stamped

__all__ = ["DAYS", "STARTS", "ZONES", "Happened", "shoppers"]

ZONES = ("UTC", "Asia/Ho_Chi_Minh", "Asia/Kathmandu", "America/New_York")
# After three days New York's clocks go back, or forward, or a year begins.
STARTS = (datetime(2026, 10, 29, tzinfo=UTC), datetime(2027, 3, 11, tzinfo=UTC), datetime(2026, 12, 29, tzinfo=UTC))
DAYS = 8
NIGHT = (timedelta(days=3, hours=4), timedelta(days=3, hours=8))
CLIENTS = 60

# Seconds to the next event: ties, and the limits of bounces, windows and sessions.
GAPS = (0, 0, 0.001, 0.2, 3, 9.999, 10, 10.001, 60, 240, 1799.999, 1800, 1800.001, 3600, 7200)
# Seconds by which a client's clock is ahead.
SKEWS = (0, 0, 0, 0, 0.4, -0.7, 45, -59, 61, -75, 3600, -7200, 259200, -172800.5)
NAMES = (
    "page_view",
    "home_view",
    "category_view",
    "product_view",
    "product_view",
    "click",
    "click",
    "add_to_cart_click",
)
OTHER_NAMES = ("remove_from_cart_click", "wishlist_toggle", "share_click", "video_play", "checkout_start", "logout")
CHECKOUT = ("product_view", "add_to_cart_click", "checkout_start", "checkout_complete")
WITH_PRODUCT = ("product_view", "add_to_cart_click", "remove_from_cart_click", "wishlist_toggle", "share_click")
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


@dataclass
class Happened:
    """One event in a browser: its true time, what the browser sends, and who it is.

    `returns` is when the browser is online again; None if it is online.
    """

    time: datetime
    payload: dict[str, Any]
    user_agent: str
    returns: datetime | None = None


@dataclass
class Shopper:
    """One browser."""

    identity: dict[str, Any]
    skew: timedelta
    login: str | None
    user_agent: str
    seqs: dict[str, int] = field(default_factory=dict)


def shoppers(random: Random, start: datetime) -> list[Happened]:
    """The events of all browsers from `start`, for DAYS days."""
    happened = [event for number in range(CLIENTS) for event in _life(random, _shopper(random, number), start)]
    pages = Random(random.random())
    for event in happened:
        event.payload |= pages.choice(PAGES)
    return happened


def _shopper(random: Random, number: int) -> Shopper:
    client = str(UUID(int=random.getrandbits(128), version=4))
    named: dict[str, Any] = {"clientId": client}
    if number % 10 == 7:
        named = {random.choice(("userId", "user_id")): f"u{number}"}
    elif number % 10 == 8:
        named = {}
    elif number in (3, 13):
        named = {"clientId": "sam"} if number == 3 else {"userId": "sam"}
    elif number % 10 == 9:
        named = {"client_id": number, "userId": f"u{number}"}
    login = random.choice(("logged_in", "anonymous", "anonymous", None))
    agent = random.choice(BOT_AGENTS) if number % 9 == 4 else AGENT
    return Shopper(named, timedelta(seconds=random.choice(SKEWS)), login, agent)


def _life(random: Random, shopper: Shopper, start: datetime) -> Iterator[Happened]:
    visits = sorted(_beginning(random, start) for _ in range(random.randint(1, 4)))
    tabs = [str(UUID(int=random.getrandbits(128), version=4)) for _ in range(random.randint(1, 3))]
    for number, begins in enumerate(visits):
        yield from _visit(random, shopper, begins, tabs, is_first=number == 0)


def _beginning(random: Random, start: datetime) -> datetime:
    """Any moment, or one just before an hour, a day or a change of clocks in one of the zones."""
    first, last = NIGHT if random.random() < 0.2 else (timedelta(), timedelta(days=DAYS, hours=-6))
    moment = start + first + random.random() * (last - first)
    if random.random() < 0.5:
        local = moment.astimezone(ZoneInfo(random.choice(ZONES)))
        hour = random.choice((0, 0, 1, 2, 3, local.hour))
        edge = local.replace(hour=hour, minute=0, second=0, microsecond=0, fold=random.randrange(2)).astimezone(UTC)
        moment = edge + timedelta(seconds=random.choice((-5, -0.001, 0, -60, -1800, 0.001)))
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _visit(random: Random, shopper: Shopper, time: datetime, tabs: list[str], *, is_first: bool) -> Iterator[Happened]:
    session = random.choice((*[str(UUID(int=random.getrandbits(128), version=4))] * 7, f"s{random.randrange(4)}", None))
    first_visit = random.choice((is_first, is_first, str(is_first).lower(), None))
    login = shopper.login
    names = _names(random)
    offline_from = random.randrange(len(names)) if random.random() < 0.3 else len(names)
    returns = time + timedelta(seconds=random.choice((600, 7200, 30000, 86400, 200000)) + random.random())
    for place, name in enumerate(names):
        time += timedelta(seconds=random.choice(GAPS))
        tab = random.choice(tabs)
        shopper.seqs[tab] = shopper.seqs.get(tab, 0) + 1
        login = {"login_success": "logged_in", "logout": "anonymous"}.get(name, login)
        payload = {
            **_id(random),
            random.choice(("eventName", "eventName", "event_name")): name,
            random.choice(("eventTimestamp", "eventTimestamp", "event_timestamp")): stamped(
                random, time + shopper.skew
            ),
            **shopper.identity,
            "userLoginState": login,
            "sessionId": session,
            "isFirstVisit": first_visit,
            "tabId": tab,
            "seq": random.choice((*[shopper.seqs[tab]] * 20, str(shopper.seqs[tab]), "first", None)),
        }
        if name in WITH_PRODUCT or random.random() < 0.1:
            payload["product"] = product(random)
        if name == "checkout_complete":
            payload["order"] = order(random, random.randrange(1000, 1040))
        for member in ("tabId", "seq", "sessionId", "eventName"):
            if random.random() < 0.015:
                payload.pop(member, None)
        is_offline = place >= offline_from and returns > time
        yield Happened(time, payload, shopper.user_agent, returns if is_offline else None)
        if name == "checkout_complete" and random.random() < 0.5:
            yield _reloaded(random, shopper, time, payload)


def _reloaded(random: Random, shopper: Shopper, time: datetime, payload: dict[str, Any]) -> Happened:
    """The page of thanks once more: another event of the same order, later, and perhaps of another login state."""
    time += timedelta(seconds=random.choice((0, 5, 3600, 40000, 70000, 100000)))
    stamp = (time + shopper.skew).isoformat(timespec="milliseconds")
    login = random.choice((payload["userLoginState"], "anonymous", "logged_in"))
    seen = {**payload, **_id(random), "event_timestamp": stamp, "userLoginState": login}
    return Happened(time, {**seen, "seq": random.choice((None, payload.get("seq")))}, shopper.user_agent)


def _names(random: Random) -> list[str]:
    names: list[str] = []
    for _ in range(random.randint(1, 9)):
        kind = random.random()
        if kind < 0.22:
            names += CHECKOUT[: random.randint(1, 4)]
        elif kind < 0.27:
            names += random.choices(("add_to_cart_click", "remove_from_cart_click"), k=random.randint(2, 4))
        elif kind < 0.4:
            names.append(random.choice((*OTHER_NAMES, "login_success", "checkout_complete")))
        else:
            names.append(random.choice(NAMES))
    return names


def _id(random: Random) -> dict[str, Any]:
    event_id = str(UUID(int=random.getrandbits(128), version=4))
    if random.random() < 0.9:
        return {"eventId": event_id}
    # Some ids are of several events: the first of them counts.
    few = f"evt-{random.randrange(12)}"
    return random.choice(({}, {"eventId": ""}, {"eventId": few}, {"event_id": event_id.upper()}, {"eventId": 17}))
