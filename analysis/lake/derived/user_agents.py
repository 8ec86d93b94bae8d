"""Tells device, browser and operating system from a user agent."""

from typing import NamedTuple

__all__ = ["DEVICES", "UserAgent", "read_user_agent"]

# The device categories of Google Analytics, and the words (in lower case) by which they are known, in this order. A
# tablet on Android says that it is not "Mobile"; an iPad of iPadOS 13 or later says that it is a Macintosh.
# https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/Browser_detection_using_the_user_agent
DEVICES = ("smart tv", "tablet", "mobile", "desktop")
TV = (
    "smart-tv",
    "smarttv",
    "googletv",
    "google tv",
    "appletv",
    "apple tv",
    "hbbtv",
    "web0s",
    "roku",
    "bravia",
    "crkey",
)
TABLET = ("ipad", "tablet", "kindle", "playbook")
DESKTOP_TABLET = "tablet pc"  # what Windows on a desktop said of its pen
MOBILE = ("mobi", "iphone", "ipod", "windows phone", "blackberry", "opera mini")
DESKTOP = ("windows nt", "macintosh", "x11", "cros ")


class UserAgent(NamedTuple):
    """What a user agent says; None for what it does not say."""

    device: str | None = None
    browser: str | None = None
    browser_version: str | None = None
    system: str | None = None


def read_user_agent(user_agent: str | None) -> UserAgent:
    """Read a user agent with the patterns of the package `ua-parser`, which many people keep.

    Returns:
        The category of the device, one of DEVICES; the names that ua-parser gives to the browser and to the operating
        system; and the browser's version, `major.minor`.
    """
    if not user_agent:
        return UserAgent()
    # Imported here: it reads its patterns, and who reads the lake needs only the names of the columns.
    import ua_parser

    found = ua_parser.parse(user_agent)
    browser, system = found.user_agent, found.os
    version = ".".join(part for part in (browser.major, browser.minor) if part) if browser else ""
    return UserAgent(
        _device(user_agent.lower()),
        browser.family if browser else None,
        version or None,
        system.family if system else None,
    )


def _device(user_agent: str) -> str | None:
    """Choose the category of a user agent in lower case."""
    if _has(user_agent, TV):
        return "smart tv"
    is_android_tablet = "android" in user_agent and "mobi" not in user_agent
    if is_android_tablet or _has(user_agent.replace(DESKTOP_TABLET, ""), TABLET):
        return "tablet"
    if _has(user_agent, MOBILE):
        return "mobile"
    return "desktop" if _has(user_agent, DESKTOP) else None


def _has(user_agent: str, words: tuple[str, ...]) -> bool:
    return any(word in user_agent for word in words)
