"""The devices and the homes of the seed's shoppers, and what a user agent and a time zone must tell of them."""

from random import Random
from typing import NamedTuple

__all__ = ["DEVICES", "HOMES", "Device", "Home", "new_device", "new_home"]


class Device(NamedTuple):
    """A device's user agent, and what it says: the names are those of the package `ua-parser`."""

    user_agent: str
    device: str
    browser: str
    browser_version: str | None
    system: str


class Home(NamedTuple):
    """A shopper's time zone and language, and the country of that zone; None for UTC."""

    time_zone: str
    language: str
    country: str | None


WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
IPAD = "Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
ANDROID = f"Mozilla/5.0 (Linux; Android 10; K) {WEBKIT}"
WINDOWS = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT}"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
CHROME = "Chrome/143.0.0.0"
SAFARI = "Safari/537.36"

# Each with its share in percent.
DEVICES: dict[Device, int] = {
    Device(f"{ANDROID} {CHROME} Mobile {SAFARI}", "mobile", "Chrome Mobile", "143.0", "Android"): 30,
    Device(f"{IPHONE} Version/18.5 Mobile/15E148 Safari/604.1", "mobile", "Mobile Safari", "18.5", "iOS"): 22,
    Device(
        f"{ANDROID} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile {SAFARI}",
        "mobile",
        "Samsung Internet",
        "28.0",
        "Android",
    ): 6,
    Device(f"{IPHONE} Mobile/15E148 [FBAN/FBIOS;FBAV/500.0.0.0;]", "mobile", "Facebook", "500.0", "iOS"): 5,
    Device(f"{IPHONE} Mobile/15E148 Zalo iOS/694", "mobile", "Mobile Safari UI/WKWebView", None, "iOS"): 4,
    Device(f"{IPAD} Version/17.7 Mobile/15E148 Safari/604.1", "tablet", "Mobile Safari", "17.7", "iOS"): 3,
    Device(f"{ANDROID} {CHROME} {SAFARI}", "tablet", "Chrome", "143.0", "Android"): 2,
    Device(f"{WINDOWS} {CHROME} {SAFARI}", "desktop", "Chrome", "143.0", "Windows"): 14,
    Device(
        f"{WINDOWS} coc_coc_browser/130.0.150 Chrome/124.0.0.0 {SAFARI}", "desktop", "Coc Coc", "130.0", "Windows"
    ): 4,
    Device(f"{WINDOWS} {CHROME} {SAFARI} Edg/143.0.0.0", "desktop", "Edge", "143.0", "Windows"): 3,
    Device(
        f"{MAC} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
        "desktop",
        "Safari",
        "18.5",
        "Mac OS X",
    ): 5,
    Device(
        "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
        "desktop",
        "Firefox",
        "145.0",
        "Ubuntu",
    ): 1,
    Device(
        f"Mozilla/5.0 (Web0S; Linux/SmartTV) {WEBKIT} Chrome/94.0.4606.128 {SAFARI}",
        "smart tv",
        "Chrome",
        "94.0",
        "Web0S",
    ): 1,
}
# Chrome still calls the zone of Vietnam by its old name.
HOMES: dict[Home, int] = {
    Home("Asia/Ho_Chi_Minh", "vi-VN", "VN"): 55,
    Home("Asia/Saigon", "vi-VN", "VN"): 25,
    Home("Asia/Bangkok", "th-TH", "TH"): 4,
    Home("Asia/Singapore", "en-SG", "SG"): 4,
    Home("Asia/Tokyo", "ja-JP", "JP"): 3,
    Home("America/Los_Angeles", "en-US", "US"): 3,
    Home("Australia/Sydney", "en-AU", "AU"): 2,
    Home("Europe/Berlin", "de-DE", "DE"): 2,
    Home("UTC", "en-US", None): 2,
}


def new_device(random: Random) -> Device:
    """Choose a device."""
    return random.choices([*DEVICES], [*DEVICES.values()])[0]


def new_home(random: Random) -> Home:
    """Choose where a shopper lives."""
    return random.choices([*HOMES], [*HOMES.values()])[0]
