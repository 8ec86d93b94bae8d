"""The odd values that real shops send: prices, totals, currencies, ids, times and user agents."""

import json
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Any

__all__ = ["BOT_AGENTS", "PAGES", "Literal", "as_json", "order", "product", "stamped"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MARK = "\u0001"  # around a number that keeps its spelling

BOT_AGENTS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0.0.0 Safari/537.36",
    "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)",
)


def Literal(number: str) -> str:  # noqa: N802  # reads as a type where it is used
    """A JSON number that keeps its spelling in `as_json`."""
    return f"{MARK}{number}{MARK}"


def as_json(payload: Any) -> str:
    """JSON text, with every literal number as it is spelled."""
    quoted = json.dumps(MARK)[1:-1]
    return json.dumps(payload).replace(f'"{quoted}', "").replace(f'{quoted}"', "")


# The address of the page, the one before it, and the time zone of the browser.
PAGES: tuple[dict[str, Any], ...] = (
    {"pageUrl": "https://shop.example/", "referrer": ""},
    {"pageUrl": "https://shop.example", "referrer": "https://www.google.com/", "context": {"timeZone": "Asia/Saigon"}},
    {"pageUrl": "https://shop.example/?utm_source=news&utm_medium=email&utm_campaign=T%E1%BA%BFt+26", "referrer": None},
    {"pageUrl": "https://shop.example/p/1?gclid=1&Utm_Campaign=x", "referrer": "https://www.google.com/"},
    {"page_url": "https://SHOP.example:443/Cart#x", "referrer": "https://blog.example/a?q=no"},
    {"pageUrl": "https://shop.example/search?q=&s=t%C3%BAi+l%E1%BB%A5a", "referrer": "https://shop.example/"},
    {
        "pageUrl": "https://shop.example/search?q=lamp",
        "referrer": "https://shop.example/",
        "context": {"timeZone": "UTC"},
    },
    {
        "pageUrl": "https://shop.example/p/2",
        "referrer": "https://shop.example/",
        "context": {"timeZone": "Europe/Berlin"},
    },
    {"pageUrl": "https://shop.example/p/2", "referrer": "https://shop.example/search?q=lamp"},
    {"pageUrl": "not an address", "referrer": "https://blog.example/"},
    {"pageUrl": 17, "referrer": 5},
    {},
)
PRICES = (
    *map(Literal, ("12.99", "0.49", "0.5", "0.005", "0.004999", "-0.5", "2.50", "1e3", "1.005e1", "19", "19.0", "0")),
    # Around the limits of 64 bits, whole and in hundredths.
    *map(
        Literal, ("92233720368547758.07", "92233720368547758.08", "9223372036854775807.4", "9007199254740993", "1e19")
    ),
    *("12.99", " 7.5 ", "13.00", "1,299.00", "free", "", "$5"),
    None,
    True,
)
TOTALS = (
    *map(Literal, ("12.5", "0.1", "0.2", "13.00", "1e3", "-5.5", "0.000000000000000001", "1e-19", "999999999999.99")),
    *map(Literal, ("1000000000000", "33.333333333333333333", "7")),
    *("13.00", " 13.00 ", "1e2", "1,300", "free", ""),
    None,
)
CURRENCIES = ("USD", "USD", " usd ", "EUR", "eur", "", None, 5, "  ")
QUANTITIES = (1, 1, 2, Literal("2.5"), Literal("0.4"), 0, -1, "3", " 2 ", "many", None, Literal("1000000001"))
AWKWARD_TIMES = ("24/11/2026 09:00", "yesterday", "", "2026-13-01T00:00:00Z", "2026-11-24T25:00:00Z", True, 20261124)


def product(random: Random) -> dict[str, Any]:
    """A product context, whose name, category and brand change in time, and which may lack any of them."""
    number = random.randrange(9)
    brand = random.choice(("Acme", "Bolt", "Ünder"))
    spelled: dict[str, Any] = random.choice(
        ({"brandName": brand}, {"brand_name": brand}, {"brand": {"name": brand}}, {"brand": {"title": brand}})
    )
    found: dict[str, Any] = {
        "id": random.choice((f"p{number}", f"p{number}", number)),
        "name": random.choice((f"Product {number}", f"product {number} (new)", None)),
        "category": random.choice((f"c{number % 3}", f"c{number % 3}", f"C{number % 2}", None)),
        **random.choice((spelled, spelled, {"brand": brand}, {})),
        "price": random.choice(PRICES),
        random.choice(("discountPrice", "discount_price")): random.choice(PRICES),
    }
    if random.random() < 0.08:
        del found["id"]
    return found


def order(random: Random, number: int) -> Any:
    """An order, or what some shops send in its place."""
    if random.random() < 0.06:
        return random.choice((None, [], "1001", {}, {"id": None, "total": 5}, {"id": "", "total": 5}))
    items = [
        {
            "id": random.choice(("p1", "p2", 2, "p3", "", None)),
            "category": random.choice(("c0", "C1", None)),
            "quantity": random.choice(QUANTITIES),
            "price": random.choice(PRICES),
        }
        for _ in range(random.randrange(4))
    ]
    for item in items:
        for name in list(item):
            if random.random() < 0.08:
                del item[name]
    return {
        "id": random.choice((number, str(number))),
        "total": random.choice(TOTALS),
        "currency": random.choice(CURRENCIES),
        "items": random.choice((items, items, items, [*items, None, 5], None, "none")),
    }


def stamped(random: Random, time: datetime) -> Any:
    """A browser's time, as publishers write it."""
    milliseconds = (time - EPOCH) // timedelta(milliseconds=1)
    text = time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    shifted = time.astimezone(timezone(timedelta(hours=random.choice((7, -5, 5.75)))))
    odd = (
        milliseconds,
        milliseconds // 1000,
        Literal(f"{milliseconds / 1000:.3f}"),
        str(milliseconds),
        f" {milliseconds // 1000} ",
        milliseconds * 1000,
        milliseconds * 1_000_000,
        text.removesuffix("Z"),
        text.replace("T", " "),
        f"{time:%Y-%m-%dT%H:%M:%S.%f}Z",
        f"{time:%Y-%m-%dT%H:%MZ}",
        f"{time:%Y%m%dT%H%M%SZ}",
        f"{time:%G-W%V-%uT%H:%M:%SZ}",
        f"{time:%Y-%m-%d}",
        shifted.isoformat(timespec="milliseconds"),
        random.choice(AWKWARD_TIMES),
        None,
    )
    return text if random.random() < 0.8 else random.choice(odd)
