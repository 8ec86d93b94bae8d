from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from analysis.errors import AnalysisError
from analysis.history import open_history
from analysis.metrics.overview import overview
from analysis.metrics.range import span
from chalicelib.contract import CREATE_TABLE
from command_line.home import BUCKET
from tests.support.raw_objects import START, Objects

SPAN: dict[str, Any] = {"start": "2026-11-25T09", "end": "2026-11-25T10"}


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Give where the local stack would be; nothing of the machine's own is found."""
    for name in ("RAW_BUCKET_NAME", "DW_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLICKSTREAM_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def objects_of(directory: Path) -> list[Path]:
    return sorted(directory.rglob("*.json"))


class TestOpenHistory:
    def test_an_empty_local_stack_gets_a_sample(self, home: Path, warehouse_url: str) -> None:
        """Even one that never ran; it is in the warehouse too, and not written again."""
        history = open_history(warehouse=warehouse_url)
        assert history.source == home / "s3" / BUCKET
        assert history.warehouse is not None
        figures = overview(history.raw, history.within)
        assert figures["events"].item() > 1000
        assert figures.equals(overview(history.warehouse, history.within))
        written = objects_of(home / "s3" / BUCKET)
        assert len(written) >= history.events.frame.height + history.events.corrupt.height
        open_history(warehouse=warehouse_url)
        assert objects_of(home / "s3" / BUCKET) == written

    def test_one_event_is_enough_to_be_let_alone(self, tmp_path: Path) -> None:
        """However old it is."""
        objects = Objects()
        key = objects.add()
        path = tmp_path / "bucket" / key
        path.parent.mkdir(parents=True)
        path.write_bytes(objects.bodies[key])
        history = open_history(str(tmp_path / "bucket"), **SPAN)
        assert history.events.frame.height == 1
        assert objects_of(tmp_path / "bucket") == [path]

    def test_a_bucket_in_s3_is_never_written_to(self, aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """Empty or not: that it may only be read is up to nobody's luck."""
        opened: list[object] = []
        monkeypatch.setattr("analysis.history.read_history", lambda *given: opened.append(given))
        open_history(f"s3://{BUCKET}")
        assert opened
        assert aws.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0

    def test_a_directory_that_is_not_there_is_not_made(self, tmp_path: Path) -> None:
        """A mistyped name is an error that says so."""
        with pytest.raises(AnalysisError, match="nowhere"):
            open_history(str(tmp_path / "nowhere"))
        assert not (tmp_path / "nowhere").exists()

    def test_the_login_state_and_the_range_are_those_asked_for(self, home: Path) -> None:
        """Times as people write them, in UTC."""
        (home / "s3" / BUCKET).mkdir(parents=True)
        (home / "s3" / BUCKET / "events").mkdir()
        (home / "s3" / BUCKET / "events" / "a.json").write_text("{}")
        within = open_history(login_state="logged_in", **SPAN).within
        assert (within.start, within.end, within.login_state) == (START, START + timedelta(hours=1), "logged_in")

    def test_it_says_what_it_is(self, tmp_path: Path, warehouse_url: str) -> None:
        """How many events, of when, from where; what is no event; whether there is a warehouse."""
        objects = Objects()
        objects.add()
        objects.put("no event")
        for key, body in objects.bodies.items():
            (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / key).write_bytes(body)
        said = repr(open_history(str(tmp_path), **SPAN))
        assert "1 events, received from 2026-11-25 09:00 to 2026-11-25 10:00 UTC" in said
        assert "1 objects are no events" in said
        assert "no warehouse" in said
        with psycopg.connect(warehouse_url) as connection:
            connection.execute(CREATE_TABLE)
        assert "the warehouse answers too" in repr(open_history(str(tmp_path), warehouse_url, **SPAN))


class TestSpan:
    def test_by_default_it_ends_with_this_hour(self) -> None:
        """The current hour is in it, as far as it is over."""
        first, last = span(None, None, 7)
        assert last - first == timedelta(days=7)
        assert timedelta(0) < last - datetime.now(UTC) <= timedelta(hours=1)

    def test_it_ends_where_it_is_told(self) -> None:
        """An offset is reckoned to UTC; without one it is UTC."""
        assert span("2026-11-25T16:00+07:00", "2026-11-25T10:00", 7) == (START, START + timedelta(hours=1))
