from pathlib import Path

from analysis.lake.location import Location
from analysis.lake.tables import open_tables
from analysis.lake.transactions import QuickTransaction


class TestQuickTransaction:
    def test_a_change_shows_at_once_and_nothing_is_copied_between_changes(self, tmp_path: Path) -> None:
        """The metadata is another after each change, and the same object until then."""
        table = open_tables(Location(str(tmp_path)), "bucket").events
        with QuickTransaction(table) as change:
            before = change.table_metadata
            assert change.table_metadata is before
            change.set_properties({"owner": "shop"})
            assert (change.table_metadata.properties["owner"], "owner" in before.properties) == ("shop", False)
        assert table.properties["owner"] == "shop"
        assert open_tables(Location(str(tmp_path))).events.properties["owner"] == "shop"
