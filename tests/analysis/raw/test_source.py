from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from analysis.errors import AnalysisError
from analysis.raw.local import LocalSource
from analysis.raw.partitions import hour_prefixes, is_object
from analysis.raw.source import open_source

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


class TestHourPrefixes:
    def test_a_span_is_its_hours_without_the_end(self) -> None:
        """Across the end of a year."""
        start, end = datetime(2026, 12, 31, 23, tzinfo=UTC), datetime(2027, 1, 1, 1, tzinfo=UTC)
        assert hour_prefixes(start, end) == ["events/2026/12/31/23/", "events/2027/01/01/00/"]

    def test_an_empty_span_has_no_hours(self) -> None:
        """It ends where it starts."""
        assert hour_prefixes(NOON, NOON) == []

    @pytest.mark.parametrize(
        ("start", "end", "hours"),
        [
            (NOON, NOON + timedelta(microseconds=1), ["12"]),
            (NOON + timedelta(minutes=59), NOON + timedelta(minutes=60), ["12"]),
            (NOON + timedelta(minutes=59), NOON + timedelta(minutes=61), ["12", "13"]),
            (NOON + timedelta(minutes=30), NOON + timedelta(minutes=30), []),
        ],
    )
    def test_hours_that_cover_the_span_are_listed(self, start: datetime, end: datetime, hours: list[str]) -> None:
        """A span may start and end at any instant; partitions are whole hours in UTC."""
        assert hour_prefixes(start, end) == [f"events/2026/11/24/{hour}/" for hour in hours]

    def test_a_day_in_kolkata_is_covered_by_25_hours(self) -> None:
        """It starts and ends in the middle of an hour in UTC."""
        start = datetime(2026, 11, 24, tzinfo=ZoneInfo("Asia/Kolkata"))
        prefixes = hour_prefixes(start, start + timedelta(days=1))
        assert (prefixes[0], prefixes[-1]) == ("events/2026/11/23/18/", "events/2026/11/24/18/")
        assert len(prefixes) == 25

    def test_other_time_zones_are_turned_into_utc(self) -> None:
        """Partitions are hours in UTC."""
        hanoi = timezone(timedelta(hours=7))
        start = datetime(2026, 11, 24, 19, tzinfo=hanoi)
        assert hour_prefixes(start, start + timedelta(hours=1)) == ["events/2026/11/24/12/"]

    @pytest.mark.parametrize(
        ("start", "end", "problem"),
        [
            (NOON.replace(tzinfo=None), NOON, "no time zone"),
            (NOON, NOON - timedelta(hours=1), "before it starts"),
        ],
    )
    def test_a_span_without_zone_or_that_ends_before_it_starts_is_an_error(
        self, start: datetime, end: datetime, problem: str
    ) -> None:
        """The message says what is wrong."""
        with pytest.raises(AnalysisError, match=problem):
            hour_prefixes(start, end)


class TestIsObject:
    def test_names_are_taken_as_the_trigger_takes_them(self) -> None:
        """By their ending; what an upload left behind never was an object."""
        assert is_object("event-1.json")
        for name in (
            "event-1.json.gz",
            "event-1.JSON",
            "_SUCCESS",
            ".rclone_temp_put_0.json",
            "a.rclone_temp_put_1.json",
        ):
            assert not is_object(name)


class TestOpenSource:
    def test_a_path_is_a_directory(self, tmp_path: Path) -> None:
        """As text or as a path."""
        assert isinstance(open_source(str(tmp_path)), LocalSource)
        assert isinstance(open_source(tmp_path), LocalSource)

    @pytest.mark.parametrize("name", ["nothing", "file"])
    def test_a_missing_directory_is_an_error_that_names_it(self, name: str, tmp_path: Path) -> None:
        """Also where a file is in its place."""
        (tmp_path / "file").touch()
        with pytest.raises(AnalysisError, match=f"there is no directory .*{name}"):
            open_source(tmp_path / name)

    @pytest.mark.parametrize("source", ["s3://", "s3:///", "s3://bucket/events", "s3://\udcff"])
    def test_s3_needs_a_bucket_and_no_path(self, source: str, aws_environment: Callable[..., None]) -> None:
        """Partitions are below the bucket's own root."""
        aws_environment()
        with pytest.raises(AnalysisError, match="does not name a bucket"):
            open_source(source)
