from datetime import UTC, datetime
from uuid import UUID

from chalicelib.keys import object_key


class TestObjectKey:
    def test_the_partition_is_the_hour_of_receipt(self) -> None:
        """Year, month, day and hour in UTC, each with its zeros."""
        key = object_key(datetime(2026, 1, 2, 3, 59, 59, tzinfo=UTC), UUID(int=7))
        assert key == "events/2026/01/02/03/event-00000000-0000-0000-0000-000000000007.json"
