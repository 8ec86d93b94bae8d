from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from analysis import AnalysisError, Sample, open_history, span
from analysis.raw.sample import MARKER
from chalicelib.warehouse.schema import SCHEMA
from command_line.home import BUCKET, Home
from tests.support.contents import database_contents, directory_contents
from tests.support.raw_objects import START, Objects

SPAN: dict[str, Any] = {"start": "2026-11-25T09", "end": "2026-11-25T10"}


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Give where the local stack would be; nothing of the machine's own is found."""
    for name in ("RAW_BUCKET_NAME", "DW_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLICKSTREAM_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def one_event(bucket: Path) -> Path:
    """A bucket's directory with one event."""
    objects = Objects()
    objects.add()
    return objects.write(bucket)


class TestOpenHistory:
    def test_where_nothing_ever_ran_it_says_how_to_begin(self, home: Path, warehouse_url: str) -> None:
        """And makes nothing: neither a home, nor a table in the warehouse."""
        before = database_contents(warehouse_url)
        with pytest.raises(AnalysisError, match="'make run' and click, or write a sample with 'python -m emulator sam"):
            open_history(warehouse=warehouse_url)
        assert not home.exists()
        assert database_contents(warehouse_url) == before

    def test_an_empty_local_bucket_is_no_history(self, home: Path, warehouse_url: str) -> None:
        """The stack ran, and nobody clicked; the same is said, and nothing is written."""
        Home(home).create()
        before = database_contents(warehouse_url), directory_contents(home)
        with pytest.raises(AnalysisError, match=r"no events in .*: start the stack .* 'python -m emulator sample'"):
            open_history(warehouse=warehouse_url)
        assert (database_contents(warehouse_url), directory_contents(home)) == before

    def test_another_empty_directory_is_no_history(self, tmp_path: Path) -> None:
        """It says what a bucket looks like; a sample could not be written there."""
        with pytest.raises(AnalysisError, match="name a bucket's directory, which holds events/YYYY") as caught:
            open_history(str(tmp_path))
        assert "sample" not in str(caught.value)

    def test_one_event_is_enough(self, tmp_path: Path) -> None:
        """However old it is; nothing is written."""
        bucket = one_event(tmp_path / "bucket")
        before = directory_contents(bucket)
        assert open_history(str(bucket), start="2025-01-01", end="2025-01-02").events.frame.height == 0
        assert open_history(str(bucket), **SPAN).events.frame.height == 1
        assert directory_contents(bucket) == before

    def test_the_local_bucket_is_found_without_a_stack(self, home: Path) -> None:
        """Without a warehouse, since none runs; looking leaves no trace in the home."""
        bucket = one_event(home / "s3" / BUCKET)
        history = open_history(**SPAN)
        assert (history.source, history.warehouse, history.events.frame.height) == (bucket, None, 1)
        assert list(home.iterdir()) == [home / "s3"]

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
        assert f"1 events in {tmp_path}, received from 2026-11-25 09:00 to 2026-11-25 10:00 (UTC)" in said
        assert "1 objects are not events" in said
        assert "warehouse: none" in said
        assert "made-up" not in said
        with psycopg.connect(warehouse_url) as connection:
            connection.execute(SCHEMA.create_events)
        assert "without the events of bots" not in said
        assert "without the events of bots" in repr(open_history(str(tmp_path), bots=False, **SPAN))
        assert "warehouse: yes" in repr(open_history(str(tmp_path), warehouse_url, **SPAN))

    def test_events_count_by_the_clock_asked_for(self, tmp_path: Path) -> None:
        """An event that waited for two hours counts when it happened; the history says so."""
        objects = Objects()
        objects.add(received=-7200)
        objects.add(received=5400, sent=60)
        bucket = str(objects.write(tmp_path))
        for clock, events in (("received", 0), ("occurred", 1)):
            history = open_history(bucket, clock=clock, **SPAN)  # type: ignore[arg-type]
            assert (history.events.frame.height, history.raw.clock) == (events, clock)
            assert f"events in {bucket}, {clock} from 2026-11-25 09:00" in repr(history)
            assert "lookback 24 h for events and orders that came before" in repr(history)

    def test_a_sample_is_called_one(self, tmp_path: Path) -> None:
        """By the hours of it, when the range has some of them."""
        bucket = one_event(tmp_path / "bucket")
        sample = Sample(START, START + timedelta(hours=1), START + timedelta(hours=2))
        (bucket / MARKER).write_bytes(sample.as_bytes())
        history = open_history(str(bucket), **SPAN)
        assert history.sample == sample
        assert "includes a sample: made-up events of 2026-11-25 09:00 to 2026-11-25 10:00 UTC" in repr(history)
        later = open_history(str(bucket), start="2026-11-25T10", end="2026-11-25T11")
        assert (later.sample, "made-up" in repr(later)) == (None, False)


class TestSpan:
    def test_by_default_it_ends_with_this_hour(self) -> None:
        """The current hour is in it, as far as it is over."""
        first, last = span(None, None, 7)
        assert last - first == timedelta(days=7)
        assert timedelta(0) < last - datetime.now(UTC) <= timedelta(hours=1)

    def test_it_ends_where_it_is_told(self) -> None:
        """An offset is reckoned to UTC; without one it is UTC."""
        assert span("2026-11-25T16:00+07:00", "2026-11-25T10:00", 7) == (START, START + timedelta(hours=1))
