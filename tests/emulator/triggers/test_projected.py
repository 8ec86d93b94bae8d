from datetime import UTC, datetime
from pathlib import Path

from chalicelib.flatten import flatten
from chalicelib.warehouse.client import Warehouse
from emulator.triggers.notification import File
from emulator.triggers.projected import known_files


class TestKnownFiles:
    def test_rows_and_rejects_are_known_and_nothing_else(self, tmp_path: Path, warehouse_url: str) -> None:
        """By the event id that the object would have, or by its key; of other buckets nothing is known."""
        directory = tmp_path / "raw"
        bodies = {"row": '{"eventId": "a"}', "new": '{"eventId": "b"}', "reject": "[]", "new-reject": "{"}
        for name, body in bodies.items():
            path = directory / f"events/{name}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(body)
        files = [File(f"events/{name}.json", 1, 1) for name in (*bodies, "missing")]
        assert known_files(directory, warehouse_url, files) == []
        warehouse = Warehouse(warehouse_url)
        event = flatten(b'{"eventId": "a"}', "another key", datetime.now(UTC))
        warehouse.insert(event)
        assert [file.key for file in known_files(directory, warehouse_url, files)] == ["events/row.json"]
        warehouse.reject("raw", "events/reject.json", "an array")
        warehouse.reject("another", "events/new-reject.json", "an array")
        warehouse.close()
        known = known_files(directory, warehouse_url, files)
        assert [file.key for file in known] == ["events/row.json", "events/reject.json"]
