from datetime import UTC, datetime
from pathlib import Path

import psycopg

from analysis.repair.upgrade import upgrade
from chalicelib.flatten import flatten
from chalicelib.warehouse.client import Warehouse
from chalicelib.warehouse.horizon import record_horizon
from emulator.triggers.notification import File
from emulator.triggers.projected import known_files

HOUR = "events/2026/11/24/22/"


class TestKnownFiles:
    def test_rows_and_rejects_are_known_and_nothing_else(self, tmp_path: Path, warehouse_url: str) -> None:
        """By the event id that the object would have, or by its key; of other buckets nothing is known."""
        directory = tmp_path / "raw"
        bodies = {"row": '{"eventId": "a"}', "new": '{"eventId": "b"}', "reject": "[]", "new-reject": "{"}
        for name, body in bodies.items():
            path = directory / f"{HOUR}{name}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(body)
        files = [File(f"{HOUR}{name}.json", 1, 1) for name in (*bodies, "missing")]
        assert known_files(directory, warehouse_url, files) == []
        warehouse = Warehouse(warehouse_url)
        event = flatten(b'{"eventId": "a"}', "another key", datetime.now(UTC))
        warehouse.insert(event)
        assert [file.key for file in known_files(directory, warehouse_url, files)] == [f"{HOUR}row.json"]
        warehouse.reject("raw", f"{HOUR}reject.json", "an array")
        warehouse.reject("another", f"{HOUR}new-reject.json", "an array")
        warehouse.close()
        known = known_files(directory, warehouse_url, files)
        assert [file.key for file in known] == [f"{HOUR}row.json", f"{HOUR}reject.json"]

    def test_an_event_in_no_hour_is_known_by_its_reject(self, tmp_path: Path, warehouse_url: str) -> None:
        """It becomes no row, though it has an event id."""
        directory, file = tmp_path / "raw", File("events/x.json", 1, 1)
        (directory / "events").mkdir(parents=True)
        (directory / file.key).write_text('{"eventId": "a"}')
        warehouse = Warehouse(warehouse_url)
        warehouse.insert(flatten(b'{"eventId": "a"}', f"{HOUR}copy.json", datetime.now(UTC)))
        assert known_files(directory, warehouse_url, [file]) == []
        warehouse.reject("raw", file.key, "in no hour")
        warehouse.close()
        assert known_files(directory, warehouse_url, [file]) == [file]

    def test_an_hour_before_the_horizon_needs_no_delivery(self, tmp_path: Path, warehouse_url: str) -> None:
        """`retain` has deleted its rows, which must not come back when the stack starts again."""
        files = [File(f"events/2026/11/{day}/x.json", 1, 1) for day in ("23/23", "24/00", "x")]
        assert known_files(tmp_path, warehouse_url, files) == []
        upgrade(warehouse_url, dry_run=False)
        with psycopg.connect(warehouse_url) as connection:
            record_horizon(connection, datetime(2026, 11, 24, tzinfo=UTC), move_back=False)
        assert known_files(tmp_path, warehouse_url, files) == files[:1]
