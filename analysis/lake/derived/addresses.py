"""Takes addresses apart: hosts, the page's path, the search term, UTM parameters and click ids."""

from typing import NamedTuple
from urllib.parse import parse_qsl

import can_ada

from analysis.lake.derived.channels import CLICK_IDS

__all__ = ["SEARCH_PARAMETERS", "PageAddress", "host_of", "page_address"]

# The default query parameters of the site search of Google Analytics 4, in their order:
# https://support.google.com/analytics/answer/9216061
SEARCH_PARAMETERS = ("q", "s", "search", "query", "keyword")


class PageAddress(NamedTuple):
    """What the address of a page says; None for what it does not say."""

    page_host: str | None = None
    page_path: str | None = None
    search_term: str | None = None
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None
    utm_term: str | None = None
    utm_content: str | None = None
    click_id_name: str | None = None
    click_id: str | None = None


def page_address(address: str | None) -> PageAddress:
    """Take the address of a page apart, as browsers do (the URL standard of WHATWG).

    Returns:
        The host in lower case and ASCII (`xn--…`), without user and port. The path as the browser requests it, at least
        `/`. The decoded values of the parameters: of each name the first value that is not empty; the case of names
        does not matter. Nothing if the text is no address with a host.
    """
    url = _parsed(address)
    if url is None:
        return PageAddress()
    if not url.search:
        return PageAddress(url.hostname, url.pathname)
    found: dict[str, str] = {}
    for name, value in parse_qsl(url.search[1:]):
        found.setdefault(name.lower(), value)
    click_id_name = next((name for name in CLICK_IDS if name.lower() in found), None)
    return PageAddress(
        url.hostname,
        url.pathname,
        search_term=next((found[name] for name in SEARCH_PARAMETERS if name in found), None),
        utm_source=found.get("utm_source"),
        utm_medium=found.get("utm_medium"),
        utm_campaign=found.get("utm_campaign"),
        utm_term=found.get("utm_term"),
        utm_content=found.get("utm_content"),
        click_id_name=click_id_name,
        click_id=found.get((click_id_name or "").lower()),
    )


def host_of(address: str | None) -> str | None:
    """Give the host of an address, as `page_address` does."""
    url = _parsed(address)
    return None if url is None else url.hostname


def _parsed(address: str | None) -> can_ada.URL | None:
    """Parse an address; None if the text is no address, or one without a host."""
    if not address:
        return None
    try:
        url = can_ada.parse(address)
    except ValueError:
        return None
    return url if url.hostname else None
