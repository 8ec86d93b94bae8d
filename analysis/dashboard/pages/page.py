"""What a page of the dashboard is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from analysis.dashboard.events import Shown
from analysis.dashboard.panel import Panel

__all__ = ["LIMITS", "Page", "limit_of"]

# The values of the option `limit`: how many rows tables have.
LIMITS = ("10", "50", "500")


@dataclass(frozen=True)
class Page:
    """One page.

    Attributes:
        name: Its name in the address. `pages.<name>` of the texts is its title.
        panels: Gives its panels for the events of a view, without computing them.
        options: The page's own options, by their name in the address, and the values that each may have, the default
            first. An option without values takes any text.
        report: The options that a report offers too, and which of their values, its default first. None if no report
            has the page, since it asks a server for more than a page can hold.
        is_filtered: Whether filters concern its figures. If not, the page says so where filters are set.
    """

    name: str
    panels: Callable[[Shown], Sequence[Panel]]
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    report: Mapping[str, tuple[str, ...]] | None = field(default_factory=dict)
    is_filtered: bool = True


def limit_of(shown: Shown) -> int:
    """Give how many rows a page's tables have, by its option `limit`."""
    return int(shown.view.option("limit", LIMITS[0]))
