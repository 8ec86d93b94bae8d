import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from analysis.errors import AnalysisError
from analysis.raw.local import READ_BYTES, LocalSource
from analysis.raw.partitions import Folder

HOUR = "events/2026/11/24/22/"


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    """Give a bucket's directory with one empty hour."""
    (tmp_path / HOUR).mkdir(parents=True)
    return tmp_path


def put(bucket: Path, prefix: str, name: bytes) -> None:
    """Write an object whose name is any bytes."""
    path = Path(os.fsdecode(os.fsencode(bucket / prefix) + b"/" + name))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")


def keys(bucket: Path, prefix: str = HOUR) -> list[str]:
    (folders,) = LocalSource(bucket).folders([prefix])
    return sorted(prefix + name for prefix, names in folders for name in names)


class TestFolders:
    def test_an_hours_objects_are_found_at_any_depth(self, bucket: Path) -> None:
        """As a listing of the prefix in S3 finds them; a folder is not an object, even if its name ends in .json."""
        (bucket / HOUR / "deep.json").mkdir()
        for name in ("a.json", "deep.json/b.json", "c.txt", ".rclone_temp_put_d.json"):
            (bucket / HOUR / name).touch()
        assert keys(bucket) == [f"{HOUR}a.json", f"{HOUR}deep.json/b.json"]

    def test_a_name_that_is_not_utf_8_is_no_object(self, bucket: Path) -> None:
        """No key in S3 can have it: neither a file, nor a folder with all below it, nor a folder of an hour."""
        for name in (b"\xff.json", b"deep\xff/a.json", b"good.json"):
            put(bucket, HOUR, name)
        put(bucket, "events/2026/11/24/", b"2\xff/a.json")
        assert keys(bucket) == [f"{HOUR}good.json"]
        assert LocalSource(bucket).hours() == [HOUR]

    def test_a_bucket_whose_name_is_not_utf_8_is_refused(self, tmp_path: Path) -> None:
        """The warehouse could not store its name."""
        directory = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
        directory.mkdir()
        with pytest.raises(AnalysisError, match=r"the name of the directory .*caf.* is not UTF-8: rename it"):
            LocalSource(directory)

    def test_a_missing_hour_is_empty(self, bucket: Path) -> None:
        """And so is one without a file."""
        assert keys(bucket) == []
        assert keys(bucket, "events/2026/11/24/23/") == []

    def test_what_cannot_be_listed_is_an_error_that_names_it(self, bucket: Path) -> None:
        """A file where a folder should be."""
        (bucket / "events/2026/11/24/23").touch()
        with pytest.raises(AnalysisError, match=r"cannot list .*24/23/: Not a directory"):
            keys(bucket, "events/2026/11/24/23/")


class TestRead:
    @pytest.mark.parametrize("size", [0, 1, READ_BYTES - 1, READ_BYTES, READ_BYTES + 1, 3 * READ_BYTES])
    def test_a_file_of_any_size_is_read_whole(self, bucket: Path, size: int) -> None:
        """However many reads it takes."""
        body = os.urandom(size)
        (bucket / HOUR / "a.json").write_bytes(body)
        assert list(LocalSource(bucket).read([Folder(HOUR, ["a.json"])])) == [(f"{HOUR}a.json", body)]

    def test_what_is_gone_by_now_is_left_out(self, bucket: Path) -> None:
        """It was listed, and was then deleted."""
        (bucket / HOUR / "b.json").write_bytes(b"{}")
        found = LocalSource(bucket).read([Folder(HOUR, ["a.json", "b.json"])])
        assert list(found) == [(f"{HOUR}b.json", b"{}")]

    def test_what_cannot_be_read_is_an_error_that_names_it(self, bucket: Path) -> None:
        """Never an event less."""
        (bucket / HOUR / "a.json").mkdir()
        with pytest.raises(AnalysisError, match=r"cannot read .*a\.json: Is a directory"):
            list(LocalSource(bucket).read([Folder(HOUR, ["a.json"])]))

    def test_no_file_stays_open(self, bucket: Path) -> None:
        """Also where the reader stops early."""
        (bucket / HOUR / "a.json").write_bytes(b"{}")
        before = len(list(Path("/proc/self/fd").iterdir()))
        reading = LocalSource(bucket).read([Folder(HOUR, ["a.json"] * 2)])
        next(reading)
        reading.close()  # type: ignore[attr-defined]  # a generator
        assert len(list(Path("/proc/self/fd").iterdir())) == before


class TestLastModified:
    def test_it_has_whole_seconds(self, bucket: Path) -> None:
        """As a GET gives it, which cuts the rest off."""
        (bucket / HOUR / "a.json").touch()
        os.utime(bucket / HOUR / "a.json", ns=(0, 1_700_000_000_999_999_999))
        expected = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
        assert LocalSource(bucket).last_modified(f"{HOUR}a.json") == expected
