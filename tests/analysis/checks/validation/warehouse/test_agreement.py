from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import pytest

from analysis.checks.validation.run import validate
from chalicelib.flatten import flatten
from chalicelib.warehouse.client import Warehouse
from tests.support.raw_objects import START, Objects

pytestmark = pytest.mark.slow

HOUR = timedelta(hours=1)
LATER = 3700.0  # seconds after START: in the next hour
FIRST = {"eventId": str(uuid5(NAMESPACE_URL, "1"))}


class TestAgreement:
    @pytest.fixture
    def objects(self) -> Objects:
        """Give three events, the first of which came again in the next hour."""
        objects = Objects()
        for _ in range(3):
            objects.add()
        body = objects.bodies[objects.add(received=LATER, sent=1, seq=1, **FIRST)]
        objects.bodies.popitem()
        objects.put(body, START + HOUR)
        return objects

    @pytest.fixture
    def bucket(self, objects: Objects, tmp_path: Path) -> Path:
        """Give their bucket's directory."""
        for key, body in objects.bodies.items():
            (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / key).write_bytes(body)
        return tmp_path

    @staticmethod
    def project(url: str, objects: Iterable[tuple[str, bytes]]) -> None:
        warehouse = Warehouse(url)
        for key, body in objects:
            warehouse.insert(flatten(body, key, datetime.now(UTC)))
        warehouse.close()

    @staticmethod
    def differing(bucket: Path, url: str, start: datetime, end: datetime) -> list[dict[str, object]]:
        checks = {check.name: check for check in validate(bucket, url, start, end).checks}
        return checks["raw_and_warehouse_differ"].findings

    @pytest.mark.parametrize("direction", [1, -1])
    def test_the_order_of_projection_makes_no_difference(
        self, objects: Objects, bucket: Path, warehouse_url: str, direction: int
    ) -> None:
        """The first projected of a repeated event is the row; raw is compared with that one."""
        self.project(warehouse_url, list(objects.bodies.items())[::direction])
        assert self.differing(bucket, warehouse_url, START, START + 2 * HOUR) == []

    @pytest.mark.parametrize("hour", [0, 1])
    @pytest.mark.parametrize("direction", [1, -1])
    def test_a_row_from_another_hour_counts_there(
        self, objects: Objects, bucket: Path, warehouse_url: str, direction: int, hour: int
    ) -> None:
        """Each hour alone agrees, too."""
        self.project(warehouse_url, list(objects.bodies.items())[::direction])
        assert self.differing(bucket, warehouse_url, START + hour * HOUR, START + (hour + 1) * HOUR) == []
