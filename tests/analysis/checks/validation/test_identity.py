from datetime import timedelta

import polars as pl
import pytest

from analysis.checks.validation.evidence.judged import judge
from analysis.checks.validation.evidence.parts import Parts
from analysis.checks.validation.finding import Check
from analysis.checks.validation.identity import identity_checks, stray_check
from analysis.raw.strays import Stray
from tests.support.raw_objects import START, STORED, Objects

ID = "7C9E6679-7425-40de-944b-e07fc1f90a04"


@pytest.fixture
def objects() -> Objects:
    """Give two good objects."""
    objects = Objects()
    objects.add()
    objects.add()
    return objects


def found(objects: Objects, name: str) -> list[dict[str, object]]:
    return objects.findings(checks_of(objects), name)


def checks_of(objects: Objects, elsewhere: pl.DataFrame | None = None) -> list[Check]:
    none = objects.described.clear()
    return identity_checks(Parts.of(objects.described), *objects.judged(), none if elsewhere is None else elsewhere)


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
        """All but the first received, with the first; of those received together, the lowest key is first."""
        first = objects.add(received=10, eventId=ID)
        second = objects.add(received=20, eventId=ID)
        third = objects.add(received=20, eventId=ID.lower())
        findings = found(objects, "repeated_event_ids")
        assert {item["key"] for item in findings} == {second, third}
        assert {(item["first_key"], item["first_received"]) for item in findings} == {
            (first, START + timedelta(seconds=10))
        }

    def test_repeats_of_an_event_of_another_hour(self, objects: Objects) -> None:
        """They are listed first, and counted; also if the first one was received before the range."""
        objects.add(received=3598, eventId=ID)
        objects.add(received=3599, eventId=ID)
        objects.add(received=3601, eventId=ID)
        described = objects.described
        in_range = described.filter(pl.col("event_timestamp") > START + timedelta(seconds=3598))
        earlier = described.filter(pl.col("event_timestamp") == START + timedelta(seconds=3598))
        judged = judge(Parts.of(in_range), Parts.of(earlier))
        for checks in (checks_of(objects), identity_checks(Parts.of(in_range), *judged, described.clear())):
            (check,) = (check for check in checks if check.name == "repeated_event_ids")
            assert check.observed == "2 objects are duplicates of events (1 of events of another hour)"
            assert [finding["first_key"] for finding in check.findings] == [earlier["key"][0]] * 2

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

    def test_an_object_of_another_hour_whose_row_belongs_here(self, objects: Objects) -> None:
        """It is in the wrong partition, or nobody knows when it was received."""
        described = objects.described
        moved = described.head(1).with_columns(partition=START - timedelta(hours=4))
        (check,) = (check for check in checks_of(objects, moved) if check.name == "wrong_partitions")
        assert [finding["key"] for finding in check.findings] == moved["key"].to_list()

    def test_objects_without_receipt(self, objects: Objects) -> None:
        """They bypassed ingest; their time is that of the browser, or when they were stored."""
        sent = objects.put('{"eventId": "a", "eventTimestamp": "2026-11-25T08:00:00Z"}')
        bare = objects.put('{"eventId": "b"}')
        checks = checks_of(objects)
        (check,) = (check for check in checks if check.name == "objects_without_receipt")
        assert check.findings == [
            {"key": sent, "event_timestamp": START - timedelta(hours=1)},
            {"key": bare, "event_timestamp": STORED},
        ]
        assert not next(check for check in checks if check.name == "wrong_partitions").findings


class TestStrayCheck:
    def test_each_key_with_what_to_do(self) -> None:
        """As they were found."""
        check = stray_check([Stray("events/2026/13/", "'13' is not a month", "Move the objects.")])
        assert check.observed == "1 key below events/ is not that of an event"
        assert check.findings == [
            {"key": "events/2026/13/", "reason": "'13' is not a month", "advice": "Move the objects."}
        ]
