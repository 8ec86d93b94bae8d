import os
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from analysis.errors import AnalysisError
from analysis.lake.hours import Hour, Records, hash_of_names, modified_ns
from analysis.lake.location import Location
from tests.support.raw_objects import START

HOUR = Hour(3, 1, 1, 1, 0, "ids", "keys", "2026-11-25T11:00:00Z", 1, 5, ("2026-11-24T01",))
PREFIX = "events/2026/11/25/09/"


class TestHour:
    def test_it_adds_up_if_every_object_is_accounted_for(self) -> None:
        """As a row, a repeat, a reject, or of an erased person."""
        assert HOUR.adds_up
        assert replace(HOUR, objects=4, erased=1).adds_up
        assert not replace(HOUR, objects=4).adds_up


class TestRecords:
    def test_they_are_read_as_they_were_written(self, place: Location) -> None:
        """One file a day; None takes a record away."""
        later = START + timedelta(days=1)
        Records(place.store).write({START: HOUR, later: HOUR})
        assert sorted(path.name for path in Path(place.root, "hours").iterdir()) == [
            "2026-11-25.json",
            "2026-11-26.json",
        ]
        records = Records(place.store)
        assert records.hours == {START: HOUR, later: HOUR}
        records.write({START: None})
        assert Records(place.store).hours == {later: HOUR}
        assert (records.get(START), records.of_day(later.date())) == (None, {later: HOUR})

    @pytest.mark.parametrize("content", ["", "[]", '{"2026-11-25T09": {}}', '{"nine": {}}', "null"])
    def test_a_damaged_file_is_as_if_there_were_none(self, place: Location, content: str) -> None:
        """Its hours are compacted again."""
        place.store.put("hours/2026-11-25.json", content.encode())
        assert Records(place.store).hours == {}

    def test_what_another_process_wrote_stays(self, place: Location) -> None:
        """The file of a day is read before it is replaced."""
        one, other = Records(place.store), Records(place.store)
        one.write({START: HOUR})
        other.write({START + timedelta(hours=1): HOUR})
        assert Records(place.store).hours.keys() == {START, START + timedelta(hours=1)}


class TestHashOfNames:
    def test_it_depends_on_the_names_and_not_on_their_order(self) -> None:
        """One more name is another hash."""
        assert hash_of_names(["a", "b"]) == hash_of_names(["b", "a"])
        assert hash_of_names(["a"]) != hash_of_names(["a", "b"])


class TestModifiedNs:
    def test_it_is_when_the_directory_changed(self, bucket: Path) -> None:
        """In nanoseconds."""
        (bucket / PREFIX).mkdir(parents=True)
        os.utime(bucket / PREFIX, ns=(1, 1_700_000_000_123_456_789))
        assert modified_ns(bucket, PREFIX) == 1_700_000_000_123_456_789

    def test_nobody_can_rely_on_a_time_of_just_now(self, bucket: Path) -> None:
        """The next object may come at the same time."""
        (bucket / PREFIX).mkdir(parents=True)
        now = time.time_ns()
        os.utime(bucket / PREFIX, ns=(now, now))
        assert modified_ns(bucket, PREFIX) is None

    def test_nobody_can_rely_on_it_if_other_directories_lie_in_it(self, bucket: Path) -> None:
        """An object that comes into one of these does not change it."""
        (bucket / PREFIX / "deep").mkdir(parents=True)
        os.utime(bucket / PREFIX, ns=(1, 1))
        assert modified_ns(bucket, PREFIX) is None

    def test_s3_has_no_directories(self) -> None:
        """And an hour without objects has none, either."""
        assert modified_ns("s3://bucket", PREFIX) is None
        assert modified_ns("/nowhere", PREFIX) is None

    def test_a_directory_that_is_denied_is_named(self, tmp_path: Path) -> None:
        """Here a file is in the way."""
        (tmp_path / "events").touch()
        with pytest.raises(AnalysisError, match=r"cannot list .*events/2026/11/25/09"):
            modified_ns(tmp_path, PREFIX)
