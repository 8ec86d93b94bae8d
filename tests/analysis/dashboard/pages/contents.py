"""What the panels of a page show, as rows of plain values."""

from collections.abc import Mapping
from typing import Any

from analysis.dashboard.answer import shown_for
from analysis.dashboard.pages import PAGES
from analysis.dashboard.panel import Chart, Content, Figure, Table
from tests.analysis.dashboard.conftest import NOW, Seeded, plain

# The whole seeded week, and its second half beside its first.
WEEK = "start=2026-11-13T00:00Z&end=2026-11-20T00:00Z&compare=none"
LATER, EARLIER = "start=2026-11-16&end=2026-11-19", "start=2026-11-13&end=2026-11-16&compare=none"


def made(seeded: Seeded, page: str, address: str) -> dict[str, Content]:
    """What each panel of a page shows."""
    shown = shown_for(seeded.place, f"page={page}&{address}", NOW)
    return {panel.name: panel.make() for panel in PAGES[page].panels(shown)}


def figures(contents: Mapping[str, Content]) -> dict[str, Any]:
    """The figures by name."""
    return {name: content.value for name, content in contents.items() if isinstance(content, Figure)}


def rows(contents: Mapping[str, Content], name: str) -> list[dict[str, Any]]:
    """The rows of a chart or of a table, as the answers have them."""
    content = contents[name]
    assert isinstance(content, (Chart, Table))
    return plain(content.frame.to_dicts())


def check_compared(
    later: Mapping[str, Content], earlier: Mapping[str, Content], name: str, keys: tuple[str, ...], value: str
) -> None:
    """Assert that each row has the value that it has in the earlier range alone, and the change since."""
    before = {tuple(row[key] for key in keys): row[value] for row in rows(earlier, name)}
    found = rows(later, name)
    assert [row["previous"] for row in found] == [before.get(tuple(row[key] for key in keys), 0) for row in found]
    assert any(row["previous"] for row in found)
    for row in found:
        if row["previous"]:
            assert abs(row["change"] - (float(row[value]) / float(row["previous"]) - 1)) < 1e-12
        else:
            assert row["change"] is None
