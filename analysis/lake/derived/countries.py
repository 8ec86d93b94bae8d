"""Estimates the country of a visitor from the time zone of their device."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

__all__ = ["country_of"]

# Old names of zones, which Chrome still uses for some. The package links them to a zone of another country whose clocks
# have been the same since 1970; the zone that they were before that merge is in their own country.
RENAMED = {
    "Africa/Asmera": "Africa/Asmara",
    "Africa/Timbuktu": "Africa/Bamako",
    "America/Coral_Harbour": "America/Atikokan",
    "America/Virgin": "America/St_Thomas",
    "Antarctica/South_Pole": "Antarctica/McMurdo",
    "Atlantic/Jan_Mayen": "Arctic/Longyearbyen",
    "Iceland": "Atlantic/Reykjavik",
    "Pacific/Ponape": "Pacific/Pohnpei",
    "Pacific/Truk": "Pacific/Chuuk",
    "Pacific/Yap": "Pacific/Chuuk",
}
# Names of clocks that are used in several countries.
NOWHERE = frozenset(("CET", "EET", "MET", "WET", "EST", "MST", "HST", "EST5EDT", "CST6CDT", "MST7MDT", "PST8PDT"))


def country_of(time_zone: str | None) -> str | None:
    """Estimate the country from a time zone, by the tables of the pinned package `tzdata` (IANA's time zone database).

    It is an estimate: a traveller's device may keep the zone of home, and a device may be set to any zone.

    Args:
        time_zone: The IANA name, as `Intl.DateTimeFormat` gives it; old names count as the present ones.

    Returns:
        The country's code (ISO 3166-1 alpha-2), such as `VN`. None for UTC, `Etc/…` and unknown zones.
    """
    return None if time_zone is None else _countries().get(time_zone)


@cache
def _countries() -> Mapping[str, str]:
    """Give the country of every zone, old names included."""
    countries = {zone: country for country, _, zone, *_ in _lines("zone.tab")}
    links = {old: present for _, present, old in _links()} | RENAMED
    found = {}
    for zone in (*countries, *links):
        present = zone
        while present not in countries and present in links:
            present = links[present]
        if present in countries and zone not in NOWHERE:
            found[zone] = countries[present]
    return found


def _links() -> Iterator[list[str]]:
    text = files("tzdata").joinpath("zoneinfo", "tzdata.zi").read_text("utf-8")
    return (line.split() for line in text.splitlines() if line.startswith("L "))


def _lines(name: str) -> Iterator[list[str]]:
    text = files("tzdata").joinpath("zoneinfo", name).read_text("utf-8")
    return (line.split("\t") for line in text.splitlines() if not line.startswith("#"))
