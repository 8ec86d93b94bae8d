"""The ways in which the visits of the seed begin, and what the address and the referrer must tell of them."""

from dataclasses import dataclass
from random import Random
from urllib.parse import urlencode

__all__ = ["WAYS", "Way", "new_search", "new_way"]


@dataclass(frozen=True, slots=True)
class Way:
    """How a visit begins, and what its first page must be told from.

    Attributes:
        channel: The acquisition channel of Google Analytics 4; None for a page of the shop itself.
        referrer: Address of the page before it.
        source: `utm_source`, as the next two.
        click_id: The name of the click id in the address, if it has one.
    """

    channel: str | None
    referrer: str = ""
    source: str | None = None
    medium: str | None = None
    campaign: str | None = None
    click_id: str | None = None

    def query(self, random: Random) -> str:
        """Return the query of the first page's address; `random` makes the click id."""
        names = {"utm_source": self.source, "utm_medium": self.medium, "utm_campaign": self.campaign}
        parameters = {name: value for name, value in names.items() if value is not None}
        if self.click_id:
            parameters[self.click_id] = f"{random.getrandbits(128):032x}"
        return f"?{urlencode(parameters)}" if parameters else ""


# Each with its share in percent.
WAYS: dict[Way, int] = {
    Way("Direct"): 19,
    Way("Organic Search", "https://www.google.com/"): 16,
    Way("Organic Search", "https://www.google.com.vn/"): 5,
    Way("Organic Search", "https://www.bing.com/"): 2,
    Way("Organic Social", "https://www.facebook.com/"): 5,
    Way("Organic Social", "https://l.facebook.com/", click_id="fbclid"): 6,
    Way("Organic Social", "https://t.co/"): 1,
    Way("Organic Social", "", "zalo", "social", "Ưu đãi Tết"): 3,
    Way("Organic Video", "https://www.youtube.com/"): 2,
    Way("Organic Shopping", "https://www.etsy.com/"): 1,
    Way("AI Assistant", "https://chatgpt.com/", "chatgpt.com"): 1,
    Way("AI Assistant", "https://gemini.google.com/"): 1,
    Way("Referral", "https://blog.example/tui-lua?page=2"): 4,
    Way("Paid Search", "https://www.google.com/", click_id="gclid"): 5,
    Way("Paid Search", "https://www.bing.com/", "bing", "cpc", "brand", "msclkid"): 1,
    Way("Paid Shopping", "https://www.google.com/", "google", "cpc", "shopping-tet", "gclid"): 3,
    Way("Paid Social", "https://l.facebook.com/", "facebook", "cpc", "tet-2026", "fbclid"): 5,
    Way("Paid Social", "https://www.tiktok.com/", click_id="ttclid"): 3,
    Way("Paid Video", "https://www.youtube.com/", "youtube", "cpc", "tet-2026", "gbraid"): 1,
    Way("Cross-network", "https://www.google.com/", "google", "cpc", "cross-network & more", "gclid"): 1,
    Way("Display", "https://news.example/", "news.example", "banner", "tet-2026"): 2,
    Way("Paid Other", "https://news.example/", "news.example", "cpa", "tet-2026"): 1,
    Way("Email", "", "newsletter", "email", "Ưu đãi Tết"): 4,
    Way("Affiliates", "https://deals.example/", "deals", "affiliate"): 1,
    Way("Audio", "", "podcast", "audio"): 1,
    Way("SMS", "", "brandname", "sms", "tet-2026"): 1,
    Way("Mobile Push Notifications", "", "app", "push"): 1,
    Way("Unassigned", "", "leaflet", "qr-code"): 1,
    Way(None, "https://shop.example/cart"): 3,
}

SEARCHES = 0.15  # probability that a visitor searches
TERMS = ("túi lụa", "lamp", "trà & bánh", "50% off", "đèn mây")


def new_way(random: Random) -> Way:
    """Choose how a visit begins."""
    return random.choices([*WAYS], [*WAYS.values()])[0]


def new_search(random: Random) -> str:
    """Choose what a visitor searches for; empty for nothing."""
    return random.choice(TERMS) if random.random() < SEARCHES else ""
