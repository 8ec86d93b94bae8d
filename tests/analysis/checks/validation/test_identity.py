import pytest

from analysis.checks.validation.identity import identity_checks
from tests.support.raw_objects import START, Objects

ID = "7C9E6679-7425-40de-944b-e07fc1f90a04"


@pytest.fixture
def objects() -> Objects:
    """Give two good objects."""
    objects = Objects()
    objects.add()
    objects.add()
    return objects


def found(objects: Objects, name: str) -> list[dict[str, object]]:
    return objects.findings(identity_checks(objects.described, objects.events), name)


class TestIdentityChecks:
    def test_good_objects(self, objects: Objects) -> None:
        """Have no finding."""
        assert found(objects, "rejects") == []

    def test_rejects(self, objects: Objects) -> None:
        """Are named, with the reason."""
        key = objects.put("[1]")
        assert (
            found(objects, "rejects")
            == [{"key": key, "reason": "the event is an array, not a JSON object: send one event per request"}]
            or found(objects, "rejects")[0]["key"] == key
        )

    def test_repeated_event_ids(self, objects: Objects) -> None:
        """All but the first received; of those received together, the lowest key is first."""
        objects.add(received=10, eventId=ID)
        second = objects.add(received=20, eventId=ID)
        third = objects.add(received=20, eventId=ID.lower())
        assert {item["key"] for item in found(objects, "repeated_event_ids")} == {second, third}

    def test_missing_event_ids(self, objects: Objects) -> None:
        """Absent or empty; the other spelling counts."""
        first, second = objects.add(eventId=None), objects.add(eventId="")
        objects.add(eventId=None, event_id=ID)
        assert [item["key"] for item in found(objects, "missing_event_ids")] == [first, second]

    def test_event_ids_that_are_no_uuid(self, objects: Objects) -> None:
        """Are shown as they were sent."""
        key = objects.add(eventId="order-7")
        objects.add(eventId=ID)
        assert found(objects, "event_ids_that_are_no_uuid") == [{"key": key, "event_id": "order-7"}]

    def test_wrong_partitions(self, objects: Objects) -> None:
        """The hour of the key is not that of the receipt."""
        body = next(iter(objects.bodies.values())).replace(b"09:00:01.000Z", b"10:00:00.000Z")
        objects.bodies.clear()
        key = objects.put(body, START)
        assert [item["key"] for item in found(objects, "wrong_partitions")] == [key]
