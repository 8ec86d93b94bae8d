import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from analysis.checks.validation import output
from analysis.checks.validation.report import ValidationReport
from analysis.checks.validation.run import SETTLE, validate
from analysis.errors import AnalysisError
from analysis.raw.source import open_source
from chalicelib.flatten import flatten
from chalicelib.keys import object_key
from chalicelib.warehouse.client import Warehouse
from chalicelib.warehouse.horizon import record_horizon
from tests.support.raw_objects import START, Objects

pytestmark = pytest.mark.slow

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def project(url: str, bucket: Path, objects: Objects, *keys: str) -> None:
    """Insert the rows of some objects, or of all, as the projector does."""
    source, warehouse = open_source(bucket), Warehouse(url)
    for key in keys or objects.bodies:
        warehouse.insert(flatten(objects.bodies[key], key, source.last_modified(key)))
    warehouse.close()


def findings(report: ValidationReport) -> dict[str, list[dict[str, object]]]:
    """The findings of every check that has some."""
    return {check.name: check.findings for check in report.checks if check.findings}


def unique(key: str) -> UUID:
    """The UUID in a key."""
    return UUID(key.rpartition("event-")[2].removesuffix(".json"))


def stored_before(bucket: Path, time: datetime) -> None:
    """Let all objects of a bucket have been stored at a time."""
    for path in bucket.rglob("*.json"):
        os.utime(path, (time.timestamp(), time.timestamp()))


@pytest.fixture
def objects() -> Objects:
    """Give three events of one tab."""
    objects = Objects()
    for _ in range(3):
        objects.add()
    return objects


class TestTheCut:
    """Raw and the warehouse are compared as of one instant."""

    @staticmethod
    def add(objects: Objects, received_at: datetime, **members: Any) -> str:
        seconds = (received_at - START).total_seconds()
        key = objects.add(received=seconds, **members)
        body = objects.bodies.pop(key)
        key = object_key(received_at, unique(key))
        objects.bodies[key] = body
        return key

    def test_a_young_event_is_not_judged(self, tmp_path: Path, warehouse_url: str) -> None:
        """Its row may still be on its way; the report counts it, and judges it when it is older."""
        objects, now = Objects(), datetime.now(UTC)
        old = self.add(objects, now - 2 * SETTLE)
        young = self.add(objects, now - MINUTE)
        bucket = objects.write(tmp_path)
        stored_before(bucket, now - 2 * SETTLE)
        project(warehouse_url, bucket, objects, old)
        span = (now - HOUR).replace(minute=0, second=0, microsecond=0), now + HOUR
        report = validate(bucket, warehouse_url, *span)
        assert (findings(report), report.not_yet_judged) == ({}, 1)
        late = validate(bucket, warehouse_url, *span, settle=timedelta(0))
        assert [finding["key"] for finding in findings(late)["missing_rows"]] == [young]

    def test_an_object_that_was_stored_late_is_not_judged(
        self, objects: Objects, tmp_path: Path, warehouse_url: str
    ) -> None:
        """Its put took long, or it lacks _ingest and was copied there now."""
        objects.put('{"eventId": "bare", "eventName": "page_view"}')
        *known, late, bare = objects.bodies
        bucket = objects.write(tmp_path)
        stored_before(bucket, START)
        project(warehouse_url, bucket, objects, *known)
        for key in (late, bare):
            os.utime(bucket / key)
        report = validate(bucket, warehouse_url, START, START + HOUR)
        assert (findings(report), report.not_yet_judged) == ({}, 2)

    def test_a_number_that_is_too_young_is_not_lost(self, tmp_path: Path) -> None:
        """An event that was sent again overtakes none of its tab."""
        objects, now = Objects(), datetime.now(UTC)
        for seq, age in ((1, 3 * SETTLE), (3, 2 * SETTLE), (2, MINUTE)):
            self.add(objects, now - age, seq=seq)
        span = (now - 2 * HOUR).replace(minute=0, second=0, microsecond=0), now + HOUR
        assert findings(validate(objects.write(tmp_path), None, *span)) == {}

    def test_a_number_that_arrives_after_the_range_is_not_lost(self, tmp_path: Path) -> None:
        """A monitor looks at the last hour, and a browser that was offline sends number 2 in the next one."""
        objects = Objects()
        for received, seq in ((1.0, 1), (2.0, 3), (3700.0, 2)):
            objects.add(received=received, seq=seq)
        bucket = objects.write(tmp_path)
        assert findings(validate(bucket, None, START, START + HOUR)) == {}
        assert findings(validate(bucket, None, START, START + HOUR, lookback=timedelta(0))).keys() == {"lost_events"}

    def test_a_warehouse_that_is_behind(self, tmp_path: Path, warehouse_url: str) -> None:
        """Rows that are missing for longer are findings, and the advice says what they have in common."""
        objects = Objects()
        keys = [objects.add() for _ in range(20)]
        bucket = objects.write(tmp_path)
        project(warehouse_url, bucket, objects, *keys[:5])
        report = validate(bucket, warehouse_url, START, START + HOUR)
        (check,) = (check for check in report.checks if check.findings)
        assert (check.name, len(check.findings)) == ("missing_rows", 15)
        assert "the warehouse is behind" in check.advice


class TestHorizon:
    """The warehouse keeps rows since a day; what is older is not missing."""

    MIDNIGHT = START.replace(hour=0)

    @pytest.fixture
    def bucket(self, tmp_path: Path, warehouse_url: str) -> Path:
        """Give five events before the horizon, whose rows were deleted, and five after it."""
        objects, hours = Objects(), timedelta(hours=9).total_seconds()
        keys = [objects.add(received=second - hours) for second in range(-5000, 5000, 1000)]
        bucket = objects.write(tmp_path)
        stored_before(bucket, START)
        project(warehouse_url, bucket, objects, *keys[5:])
        with psycopg.connect(warehouse_url) as connection:
            record_horizon(connection, self.MIDNIGHT, move_back=False)
        return bucket

    def test_older_events_are_not_missing(self, bucket: Path, warehouse_url: str) -> None:
        """Whether the range ends before the horizon, holds it, or starts at it; they count as without a warehouse."""
        day = 24 * HOUR
        for start, end in ((-day, -HOUR), (-day, day), (timedelta(0), day)):
            report = validate(bucket, warehouse_url, self.MIDNIGHT + start, self.MIDNIGHT + end)
            assert (findings(report), report.horizon) == ({}, self.MIDNIGHT)
            assert report.hours["missing"].sum() == 0
            assert report.hours["objects"].sum() == report.hours["rows"].sum() > 0
            assert len(report.checks) == len(validate(bucket, warehouse_url, START, START + HOUR).checks)

    def test_a_later_event_is_missing(self, bucket: Path, warehouse_url: str) -> None:
        """The horizon excuses nothing else."""
        with psycopg.connect(warehouse_url) as connection:
            connection.execute("DELETE FROM clickstream_events WHERE event_timestamp = %s", [self.MIDNIGHT])
        report = validate(bucket, warehouse_url, self.MIDNIGHT - HOUR, self.MIDNIGHT + HOUR)
        assert len(findings(report)["missing_rows"]) == 1
        assert report.hours["missing"].to_list() == [0, 1]

    def test_an_older_row_that_came_late_is_not_judged(self, bucket: Path, warehouse_url: str) -> None:
        """The next `retain` deletes it."""
        warehouse = Warehouse(warehouse_url)
        warehouse.insert(flatten(b"{}", "events/2026/11/24/23/x.json", self.MIDNIGHT - MINUTE))
        warehouse.close()
        assert findings(validate(bucket, warehouse_url, self.MIDNIGHT - HOUR, self.MIDNIGHT + HOUR)) == {}

    def test_the_report_says_since_when_there_are_rows(
        self, bucket: Path, warehouse_url: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """If older events are in the range; JSON says it always."""
        said = "The warehouse keeps rows since 2026-11-25 (UTC): older events were not compared with it."
        for start, is_said in ((-HOUR, True), (timedelta(0), False)):
            report = validate(bucket, warehouse_url, self.MIDNIGHT + start, self.MIDNIGHT + HOUR)
            output.show(report, "UTC")
            assert (said in capsys.readouterr().out) == is_said
            assert json.loads(output.as_json(report, "UTC"))["horizon"].startswith("2026-11-25T00:00:00")


class TestThreeFaults:
    def test_each_is_one_finding(self, tmp_path: Path, warehouse_url: str) -> None:
        """A deleted object, an altered row and a lost event: exactly three, and no other check repeats them."""
        objects = Objects()
        for number in range(20):
            objects.add(seq=number + 1 + (number > 9))
        bucket = objects.write(tmp_path)
        stored_before(bucket, START)
        project(warehouse_url, bucket, objects)
        keys = list(objects.bodies)
        (bucket / keys[4]).unlink()
        with psycopg.connect(warehouse_url) as connection:
            changed = "UPDATE clickstream_events SET event_name = 'click' WHERE event_timestamp = %s"
            connection.execute(changed, [START + timedelta(seconds=16)])
        found = findings(validate(bucket, warehouse_url, START, START + HOUR))
        assert {name: len(each) for name, each in found.items()} == {
            "rows_without_object": 1,
            "altered_rows": 1,
            "lost_events": 1,
        }
        assert (found["altered_rows"][0]["key"], found["altered_rows"][0]["columns"]) == (keys[15], "event_name")
        assert found["lost_events"] == [{"client_id": "c", "tab_id": "t", "first": 11, "last": 11}]

    def test_a_row_that_was_moved_to_another_day(self, objects: Objects, tmp_path: Path, warehouse_url: str) -> None:
        """No object of that day gives it, so it was altered."""
        bucket = objects.write(tmp_path)
        stored_before(bucket, START)
        project(warehouse_url, bucket, objects)
        with psycopg.connect(warehouse_url) as connection:
            connection.execute("UPDATE clickstream_events SET event_timestamp = event_timestamp + interval '3 days'")
        found = findings(validate(bucket, warehouse_url, START, START + HOUR))
        assert {name: len(each) for name, each in found.items()} == {"altered_rows": 3}


class TestObjectsOfOtherHours:
    @pytest.mark.parametrize(("hour", "lookback", "named"), [(0, 24, 1), (5, 0, 1), (5, 24, 0)])
    @pytest.mark.parametrize("body", ['{"eventId": "bare"}', '{"eventTimestamp": "2026-11-25T14:20:00Z"}', "{}"])
    def test_an_object_without_receipt(
        self, tmp_path: Path, warehouse_url: str, body: str, hour: int, lookback: int, named: int
    ) -> None:
        """Its row is in the hour of its LastModified or of its own time: it is no deleted object there.

        It is named in the hour of its key, and wherever it is found outside of the hours that are read.
        """
        objects = Objects()
        key = objects.put(body)
        bucket = objects.write(tmp_path)
        stored_before(bucket, START + timedelta(hours=5, minutes=10))
        project(warehouse_url, bucket, objects)
        start = START + hour * HOUR
        report = validate(bucket, warehouse_url, start, start + HOUR, lookback=lookback * HOUR)
        found = findings(report)
        assert [finding["key"] for finding in found.pop("objects_without_receipt", [])] == [key] * named
        assert found.keys() <= {"missing_fields", "missing_event_ids", "event_ids_that_are_no_uuid"}

    def test_an_object_in_the_wrong_partition(self, objects: Objects, tmp_path: Path, warehouse_url: str) -> None:
        """It is named in the hour of its receipt, too, as what it is."""
        *_, last = objects.bodies
        moved = last.replace("/2026/11/25/09/", "/2026/11/20/03/")
        objects.bodies[moved] = objects.bodies.pop(last)
        bucket = objects.write(tmp_path)
        stored_before(bucket, START)
        project(warehouse_url, bucket, objects)
        found = findings(validate(bucket, warehouse_url, START, START + HOUR))
        assert {name: [each["key"] for each in value] for name, value in found.items()} == {"wrong_partitions": [moved]}

    def test_an_object_below_a_stray_prefix(self, objects: Objects, tmp_path: Path, warehouse_url: str) -> None:
        """The projector took it; it is a stray, not a deleted object."""
        *_, last = objects.bodies
        stray = last.replace("/2026/11/", "/year=2026/month=11/")
        objects.bodies[stray] = objects.bodies.pop(last)
        bucket = objects.write(tmp_path)
        stored_before(bucket, START)
        project(warehouse_url, bucket, objects)
        found = findings(validate(bucket, warehouse_url, START, START + HOUR))
        assert [finding["key"] for finding in found["stray_objects"]] == ["events/year=2026/"]
        assert "rows_without_object" not in found


class TestRepeats:
    @pytest.mark.parametrize("direction", [1, -1])
    def test_an_event_that_was_first_received_the_day_before(
        self, tmp_path: Path, warehouse_url: str, direction: int
    ) -> None:
        """On the 23rd at 23:59:58, and on the 24th at 9:00: on the 24th it is a duplicate, whichever is the row."""
        objects = Objects()
        midnight = datetime(2026, 11, 24, tzinfo=UTC)
        event: dict[str, Any] = {"eventId": "6f1e9d0a-52f5-4d9c-9f5e-0c6d0a0f5a11", "sent": 0, "seq": 1}
        for received_at in (midnight - timedelta(seconds=2), midnight + 9 * HOUR):
            key = objects.add(received=(received_at - START).total_seconds(), **event)
            objects.bodies[object_key(received_at, unique(key))] = objects.bodies.pop(key)
        first, second = objects.bodies
        bucket = objects.write(tmp_path)
        stored_before(bucket, midnight)
        project(warehouse_url, bucket, objects, *[first, second][::direction])
        found = findings(validate(bucket, warehouse_url, midnight, midnight + 24 * HOUR))
        assert found == {
            "repeated_event_ids": [
                {
                    "key": second,
                    "event_id": event["eventId"],
                    "first_key": first,
                    "first_received": midnight - timedelta(seconds=2),
                }
            ]
        }
        unseen = validate(bucket, warehouse_url, midnight, midnight + 24 * HOUR, lookback=timedelta(0))
        assert "repeated_event_ids" not in findings(unseen)


class TestAnyRange:
    def test_a_range_of_minutes(self, objects: Objects, tmp_path: Path, warehouse_url: str) -> None:
        """It need not begin or end with an hour."""
        bucket = objects.write(tmp_path)
        stored_before(bucket, START)
        project(warehouse_url, bucket, objects)
        report = validate(bucket, warehouse_url, START + timedelta(seconds=2), START + timedelta(seconds=3))
        assert (findings(report), report.hours["rows"].to_list()) == ({}, [1])

    @pytest.mark.parametrize(
        ("start", "end", "problem"),
        [(START + HOUR, START, "before it starts"), (START.replace(tzinfo=None), START, "a time zone")],
    )
    def test_what_is_no_range(self, start: datetime, end: datetime, problem: str, tmp_path: Path) -> None:
        """The message says why."""
        with pytest.raises(AnalysisError, match=problem):
            validate(tmp_path, None, start, end)
