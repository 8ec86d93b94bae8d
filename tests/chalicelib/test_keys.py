from datetime import UTC, datetime
from uuid import UUID

import pytest

from chalicelib.keys import is_in_hour, object_key


class TestObjectKey:
    def test_the_partition_is_the_hour_of_receipt(self) -> None:
        """Year, month, day and hour in UTC, each with its zeros."""
        key = object_key(datetime(2026, 1, 2, 3, 59, 59, tzinfo=UTC), UUID(int=7))
        assert key == "events/2026/01/02/03/event-00000000-0000-0000-0000-000000000007.json"


class TestIsInHour:
    @pytest.mark.parametrize(
        ("key", "expected"),
        [
            ("events/2026/11/24/22/event-x.json", True),
            ("events/2026/11/24/22/deep/x.json", True),
            ("events/2026/11/24/22/", True),
            ("events/2026/11/24/22", False),
            ("events/x.json", False),
            ("events/2026/11/24/x.json", False),
            ("events/2026/11/24/24/x.json", False),
            ("events/2026/02/30/00/x.json", False),
            ("events/0000/01/01/00/x.json", False),
            ("events/2026/11/24/9/x.json", False),
            ("events/2026/1\u0661/24/09/x.json", False),
            ("other/2026/11/24/22/x.json", False),
        ],
    )
    def test_only_hours_as_ingest_spells_them_count(self, key: str, expected: bool) -> None:  # noqa: FBT001
        """The object may lie in a folder below its hour."""
        assert is_in_hour(key) is expected
