from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from analysis.errors import AnalysisError
from analysis.raw.sample import MARKER, Sample, read_sample

HOUR = timedelta(hours=1)
START = datetime(2026, 11, 3, 9, tzinfo=UTC)
SAMPLE = Sample(START, START + 2 * HOUR, START + 3 * HOUR)


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    """Give a bucket's directory with a sample's marker."""
    (tmp_path / MARKER).write_bytes(SAMPLE.as_bytes())
    return tmp_path


class TestReadSample:
    def test_it_is_what_was_written(self, bucket: Path) -> None:
        """With its times, which are aware and in UTC."""
        assert read_sample(bucket) == SAMPLE

    def test_a_bucket_without_marker_has_none(self, tmp_path: Path) -> None:
        """A bucket that is not there has none either: reading its events says that."""
        assert read_sample(tmp_path) is None
        assert read_sample(tmp_path / "nowhere") is None

    @pytest.mark.parametrize(
        ("start", "end", "is_there"),
        [(-1, 0, False), (-1, 1, True), (0, 2, True), (1, 1.5, True), (1, 9, True), (2, 9, False)],
    )
    def test_only_hours_of_it_count(self, bucket: Path, start: float, end: float, *, is_there: bool) -> None:
        """A range beside the sample has real events only."""
        found = read_sample(bucket, START + start * HOUR, START + end * HOUR)
        assert found == (SAMPLE if is_there else None)

    @pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"start": "today"}', b"\xff"])
    def test_a_damaged_marker_is_an_error(self, bucket: Path, content: bytes) -> None:
        """Which says what to do: a sample must not be taken for real events."""
        (bucket / MARKER).write_bytes(content)
        with pytest.raises(AnalysisError, match=f"{MARKER} .* is damaged: empty the bucket"):
            read_sample(bucket)


class TestSample:
    def test_it_says_what_it_is(self) -> None:
        """Its hours, when it was written, and by which command."""
        assert str(SAMPLE) == (
            "a sample: made-up events of 2026-11-03 09:00 to 2026-11-03 11:00 UTC, "
            "written by 'python -m emulator sample' at 2026-11-03 12:00"
        )
