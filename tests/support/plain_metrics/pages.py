"""What an event's addresses, user agent and time zone say, by docs/derived.md, for the values of our histories."""

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

__all__ = ["Origin", "origin_of"]

AGENTS = {
    "Firefox/": ("desktop", "Firefox", "Linux"),
    "HeadlessChrome/": ("desktop", "HeadlessChrome", "Linux"),
    "Googlebot/": (None, "Googlebot", None),
    "UptimeRobot/": (None, "UptimeRobot", None),
}
COUNTRIES = {"Asia/Saigon": "VN", "Europe/Berlin": "DE"}
SEARCH = ("q", "s", "search", "query", "keyword")


@dataclass(frozen=True)
class Origin:
    """The derived columns that metrics use."""

    page_path: str | None
    search_term: str | None
    utm_source: str | None
    utm_medium: str | None
    utm_campaign: str | None
    referrer_host: str | None
    acquisition_channel: str | None
    device: str | None
    browser: str | None
    system: str | None
    country: str | None


def origin_of(page: str | None, referrer: str | None, user_agent: str | None, zone: str | None) -> Origin:
    """Derive the columns."""
    address, before = urlsplit(page or ""), urlsplit(referrer or "").hostname
    said = {name.lower(): values[0] for name, values in parse_qs(address.query).items()}
    channel = _channel(address.hostname, before, said) if address.hostname else None
    agents = (told for word, told in AGENTS.items() if word in (user_agent or ""))
    device, browser, system = next(agents, (None, None, None))
    return Origin(
        (address.path or "/") if address.hostname else None,
        next((said[name] for name in SEARCH if name in said), None),
        said.get("utm_source"),
        said.get("utm_medium"),
        said.get("utm_campaign"),
        before,
        channel,
        device,
        browser,
        system,
        COUNTRIES.get(zone or ""),
    )


def _channel(host: str, before: str | None, said: dict[str, str]) -> str | None:
    if "gclid" in said:
        return "Paid Search"
    if said.get("utm_medium") == "email":
        return "Email"
    if before is None:
        return "Direct"
    if before == host:
        return None
    return "Organic Search" if before.startswith("www.google.") else "Referral"
