from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

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

    def test_other_time_zones_are_turned_into_utc(self) -> None:
        """Partitions are hours in UTC."""
        hanoi = timezone(timedelta(hours=7))
        start = datetime(2026, 11, 24, 19, tzinfo=hanoi)
        assert hour_prefixes(start, start + timedelta(hours=1)) == ["events/2026/11/24/12/"]

    @pytest.mark.parametrize(
        ("start", "end", "problem"),
        [
            (NOON.replace(tzinfo=None), NOON, "no time zone"),
            (NOON, NOON + timedelta(minutes=30), "no whole hour"),
            (NOON.replace(tzinfo=timezone(timedelta(hours=5, minutes=30))), NOON, "no whole hour"),
            (NOON, NOON - timedelta(hours=1), "before it starts"),
        ],
    )
    def test_what_is_no_span_of_hours_is_an_error(self, start: datetime, end: datetime, problem: str) -> None:
        """To read more or less than was asked for would be a trap."""
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

    @pytest.mark.parametrize("source", ["s3://", "s3:///", "s3://bucket/events"])
    def test_s3_needs_a_bucket_and_no_path(self, source: str, aws_environment: Callable[..., None]) -> None:
        """Partitions are below the bucket's own root."""
        aws_environment()
        with pytest.raises(AnalysisError, match="does not name a bucket"):
            open_source(source)
