"""docs/derived.md is true of the code."""

import re
from pathlib import Path

from analysis.lake.derived import DERIVED
from analysis.lake.derived.channels import CLICK_IDS, RULES, UNASSIGNED
from analysis.lake.derived.user_agents import DEVICES

PAGE = (Path(__file__).parents[2] / "docs" / "derived.md").read_text()


def table(first: str) -> dict[str, str]:
    """The table whose first header is that: the second cell by the name in the first."""
    rows = PAGE.partition(f"\n| {first} |")[2].partition("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]
    return {cell[0].strip("`"): " | ".join(cell[1:]) for cell in cells}


class TestDerivedColumns:
    def test_the_page_has_every_column(self) -> None:
        """In the order of the table, and no other."""
        assert list(table("column")) == list(DERIVED)

    def test_it_names_the_categories_of_devices(self) -> None:
        """All of them."""
        assert set(re.findall(r"`([^`]+)`", table("column")["device"].partition(" | ")[0])) == set(DEVICES)

    def test_the_page_has_every_click_id(self) -> None:
        """With the source and the medium for which it stands."""
        told = {name: tuple(cells.split(" | ")[:2]) for name, cells in table("click id").items()}
        assert told == dict(CLICK_IDS)

    def test_the_page_has_every_channel(self) -> None:
        """In the order in which the rules are asked."""
        assert list(table("channel")) == [*RULES, UNASSIGNED]
