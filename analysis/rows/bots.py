"""Tells programs from people by their user agent: crawlers, headless browsers and monitors."""

from functools import lru_cache

import polars as pl

__all__ = ["USER_AGENT", "is_bot", "without_bots"]

USER_AGENT = "user_agent"

# A shop's own server or app may send the events of people with such a library, and so do the simulated shoppers.
LIBRARY = "http-library"
MOST = 65536  # user agents that are remembered


def is_bot(user_agents: pl.Series) -> pl.Series:
    """Judge user agents by the patterns of the package `crawler-user-agents`.

    Args:
        user_agents: `_ingest.userAgent` of each event; null where it is unknown.

    Returns:
        Whether each is a bot. A missing user agent, and one that names only an HTTP library, are not. Each distinct
        user agent is judged once.
    """
    bots = [agent for agent in user_agents.unique().drop_nulls() if _is_bot(agent)]
    return user_agents.is_in(bots).fill_null(value=False)


def without_bots(events: pl.DataFrame) -> pl.DataFrame:
    """Leave out the events of bots; `events` has the column `user_agent`."""
    return events.filter(~is_bot(events[USER_AGENT]))


@lru_cache(MOST)
def _is_bot(user_agent: str) -> bool:
    # Imported here, because it reads its patterns, and most readers keep the events of bots.
    from crawleruseragents import CRAWLER_USER_AGENTS_DATA, matching_crawlers

    return any(LIBRARY not in CRAWLER_USER_AGENTS_DATA[number]["tags"] for number in matching_crawlers(user_agent))
