from pathlib import Path

import pytest

from analysis.raw.local import LocalSource
from analysis.raw.strays import strays

HOUR = "events/2026/11/24/09/"


def written(bucket: Path, *keys: str) -> LocalSource:
    """Give a bucket with these objects, and with one event."""
    for key in (f"{HOUR}event-a.json", *keys):
        (bucket / key).parent.mkdir(parents=True, exist_ok=True)
        (bucket / key).write_text("{}")
    return LocalSource(bucket)


class TestStrays:
    @pytest.mark.parametrize(
        ("key", "stray", "reason"),
        [
            ("events/year=2026/month=11/event-x.json", "events/year=2026/", "'year=2026' is not a year"),
            ("events/2026/13/01/00/event-x.json", "events/2026/13/", "'13' is not a month"),
            ("events/2026/02/30/00/event-x.json", "events/2026/02/30/", "'30' is not a day"),
            ("events/2026/11/24/24/event-x.json", "events/2026/11/24/24/", "'24' is not an hour"),
            ("events/2026/11/24/9/event-x.json", "events/2026/11/24/9/", "'9' is not an hour"),
            ("events/config.json", "events/config.json", "it is in no hour; the projector takes it, no reader does"),
            ("events/2026/11/README.md", "events/2026/11/README.md", "it is in no hour"),
            (f"{HOUR}event-x.json.gz", f"{HOUR}event-x.json.gz", "it is compressed"),
            (f"{HOUR}event-x.JSON", f"{HOUR}event-x.JSON", "it does not end in .json, in small letters"),
            (f"{HOUR}events.ndjson", f"{HOUR}events.ndjson", "it holds several events"),
            (f"{HOUR}notes.txt", f"{HOUR}notes.txt", "it does not end in .json"),
        ],
    )
    def test_a_stray_key(self, key: str, stray: str, reason: str, tmp_path: Path) -> None:
        """It is named, or the folder that holds it, with the reason and with what to do."""
        (found,) = strays(written(tmp_path, key), [HOUR])
        assert (found.key, found.reason) == (stray, reason)
        assert found.advice.endswith(".")

    def test_what_is_no_stray(self, tmp_path: Path) -> None:
        """Events, also in a folder below their hour; unfinished uploads; and what lies outside of events/."""
        keys = (f"{HOUR}deep/event-x.json", f"{HOUR}.rclone_temp_put_1.json", "erasures/key.json", "year=2026/x.json")
        assert strays(written(tmp_path, *keys), [HOUR]) == []

    def test_names_are_judged_in_the_given_hours(self, tmp_path: Path) -> None:
        """A listing of every hour of a large bucket would cost too much."""
        source = written(tmp_path, f"{HOUR}event-x.json.gz")
        assert strays(source, ["events/2026/11/24/10/"]) == []

    def test_an_empty_bucket(self, tmp_path: Path) -> None:
        """Has no strays."""
        assert strays(LocalSource(tmp_path), [HOUR]) == []
