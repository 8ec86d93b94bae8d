"""Tells by which channel a visitor came, by the rules of the default channel group of Google Analytics 4."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from analysis.lake.derived.sources import Category, category_of

__all__ = ["CLICK_IDS", "RULES", "UNASSIGNED", "acquisition_channel"]

# The source and the medium for which a click id stands where the address names none. Google Analytics asks Google Ads
# for the network of a click; the address does not say it, so that each click on a Google ad counts as one on a search
# ad. The ids of advertising alone count as paid. Facebook and Pinterest put theirs on every link.
CLICK_IDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "gclid": ("google", "cpc"),  # Google Ads
        "gbraid": ("google", "cpc"),  # Google Ads, from an app on iOS to the web
        "wbraid": ("google", "cpc"),  # Google Ads, from the web on iOS
        "dclid": ("google", "display"),  # Google's Display & Video 360 and Campaign Manager 360
        "msclkid": ("bing", "cpc"),  # Microsoft Advertising
        "ttclid": ("tiktok", "cpc"),  # TikTok
        "twclid": ("twitter", "cpc"),  # X
        "li_fat_id": ("linkedin", "cpc"),  # LinkedIn
        "ScCid": ("snapchat", "cpc"),  # Snapchat
        "fbclid": ("facebook", "referral"),  # Facebook and Instagram
        "epik": ("pinterest", "referral"),  # Pinterest
    }
)

UNASSIGNED = "Unassigned"
NOT_SET = "(not set)"

PAID = re.compile(r".*cp.*|ppc|retargeting|paid.*", re.DOTALL)
SHOPPING = re.compile(r"(?:[^a-df-z]|^)shop|shopping")
DISPLAYED = frozenset(("display", "banner", "expandable", "interstitial", "cpm"))
SOCIAL = frozenset(("social", "social-network", "social-media", "sm", "social network", "social media"))
REFERRING = frozenset(("referral", "app", "link"))
EMAIL = frozenset(("email", "e-mail", "e_mail", "e mail"))


class _Traffic(NamedTuple):
    """Where a visit comes from, in lower case, and the category of its source."""

    source: str
    medium: str
    campaign: str
    category: Category | None

    @property
    def is_paid(self) -> bool:
        return PAID.fullmatch(self.medium) is not None

    @property
    def is_shopping(self) -> bool:
        return self.category is Category.SHOPPING or SHOPPING.search(self.campaign) is not None


# The rules for manual traffic, in the published order: the first that holds decides. Google does not say where in that
# order the AI assistants are; no other rule holds for them.
# https://support.google.com/analytics/answer/9756891
RULES: Mapping[str, Callable[[_Traffic], bool]] = MappingProxyType(
    {
        "Direct": lambda it: it.source == "(direct)" and it.medium in {NOT_SET, "(none)"},
        "Cross-network": lambda it: "cross-network" in it.campaign,
        "Paid Shopping": lambda it: it.is_shopping and it.is_paid,
        "Paid Search": lambda it: it.category is Category.SEARCH and it.is_paid,
        "Paid Social": lambda it: it.category is Category.SOCIAL and it.is_paid,
        "Paid Video": lambda it: it.category is Category.VIDEO and it.is_paid,
        "Display": lambda it: it.medium in DISPLAYED,
        "Paid Other": lambda it: it.is_paid,
        "Organic Shopping": lambda it: it.is_shopping,
        "Organic Social": lambda it: it.category is Category.SOCIAL or it.medium in SOCIAL,
        "Organic Video": lambda it: it.category is Category.VIDEO or "video" in it.medium,
        "Organic Search": lambda it: it.category is Category.SEARCH or it.medium == "organic",
        # ChatGPT adds `utm_source=chatgpt.com` to its links, and no medium.
        "AI Assistant": lambda it: (
            it.medium == "ai-assistant" or (it.category is Category.ASSISTANT and it.medium == NOT_SET)
        ),
        "Referral": lambda it: it.medium in REFERRING,
        "Email": lambda it: it.source in EMAIL or it.medium in EMAIL,
        "Affiliates": lambda it: it.medium == "affiliate",
        "Audio": lambda it: it.medium == "audio",
        "SMS": lambda it: "sms" in {it.source, it.medium},
        "Mobile Push Notifications": lambda it: (
            it.medium.endswith("push")
            or "mobile" in it.medium
            or "notification" in it.medium
            or it.source == "firebase"
        ),
    }
)


def acquisition_channel(
    page_host: str | None,
    referrer_host: str | None,
    utm_source: str | None,
    utm_medium: str | None,
    utm_campaign: str | None,
    click_id_name: str | None,
) -> str | None:
    """Name the channel by which a visitor came to a page.

    UTM parameters decide, and a click id where one is missing. An address without either leaves it to the referrer.

    Args:
        page_host: Host of the page.
        referrer_host: Host of the page before it; None without such a page.
        utm_source: As in the page's address; also the next two.
        utm_medium: The medium.
        utm_campaign: The campaign.
        click_id_name: A key of CLICK_IDS.

    Returns:
        A key of RULES, or UNASSIGNED if no rule holds, as Google calls it. None if the page is unknown, or if the
        visitor comes from a page of the same site and the address names no campaign: such a page view does not begin
        an acquisition.
    """
    if page_host is None:
        return None
    if utm_source or utm_medium or utm_campaign or click_id_name:
        source, medium = CLICK_IDS.get(click_id_name or "", (NOT_SET, NOT_SET))
        source, medium = utm_source or source, utm_medium or medium
    elif referrer_host is None:
        source, medium = "(direct)", "(none)"
    elif _is_own(page_host, referrer_host):
        return None
    else:
        source, medium = referrer_host, _medium_of(referrer_host)
    traffic = _Traffic(source.lower(), medium.lower(), (utm_campaign or "").lower(), category_of(source))
    return next((name for name, holds in RULES.items() if holds(traffic)), UNASSIGNED)


def _medium_of(referrer_host: str) -> str:
    """Give the medium of a link, as Google Analytics names it."""
    category = category_of(referrer_host)
    if category is Category.ASSISTANT:
        return "ai-assistant"
    return "organic" if category is Category.SEARCH else "referral"


def _is_own(page_host: str, referrer_host: str) -> bool:
    """Return whether both are of one site: the same host, or one a subdomain of the other; `www.` does not matter."""
    page, referrer = (host.removeprefix("www.") for host in (page_host, referrer_host))
    return page == referrer or page.endswith(f".{referrer}") or referrer.endswith(f".{page}")
