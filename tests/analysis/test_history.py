import gc
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import psycopg
import pytest

from analysis import (
    AnalysisError,
    Range,
    RawEvents,
    Sample,
    open_history,
    overview,
    read_events,
    read_history,
    revenue,
    revenue_by_product,
    span,
    top_pages,
)
from analysis.raw.sample import MARKER
from analysis.rows.selection import Clock
from chalicelib.keys import object_key
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


class TestReadHistory:
    def test_what_it_loads_a_day_at_a_time_is_what_read_events_gives(self, tmp_path: Path) -> None:
        """With duplicates of another day, an order from before the range, objects in wrong hours, and bots."""
        objects, day = Objects(), 24 * 3600
        bot = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
        for number in range(60):
            order = {"id": f"o{number % 7}", "total": "9.99"} if number % 3 == 0 else None
            key = objects.add(
                received=number * day / 12,
                eventId=f"event {number % 41}",
                eventName="checkout_complete" if order else "page_view",
                order=order,
            )
            payload = json.loads(objects.bodies[key])
            payload["_ingest"]["userAgent"] = bot if number % 5 == 0 else "Mozilla/5.0"
            received_at = START + timedelta(seconds=number * day / 12)
            hour = received_at - timedelta(days=number % 11 == 0)
            objects.bodies[object_key(hour, uuid5(NAMESPACE_URL, key))] = json.dumps(payload).encode()
            del objects.bodies[key]
        bucket = objects.write(tmp_path)
        within = Range(START + timedelta(hours=20, minutes=7), START + timedelta(days=4), None, "UTC")
        for bots in (True, False):
            history = read_history(bucket, None, within, bots=bots)
            read = read_events(bucket, within.start, within.end, fields=["order"], bots=bots)
            assert history.events.frame.equals(read.frame)
            assert history.events.frame.schema == read.frame.schema
            assert history.raw.count == read.frame.height > 20
            assert history.events.orders_before.sort("event_id").equals(read.orders_before.sort("event_id"))
            assert read.orders_before.height > 0
            for metric in (overview, revenue, revenue_by_product):
                assert metric(history.raw, within).equals(metric(RawEvents(read), within))
                assert metric(RawEvents(history.events), within).equals(metric(history.raw, within))

    @pytest.mark.parametrize("clock", ["received", "occurred"])
    def test_it_reads_the_derived_columns_if_it_is_asked_to(self, tmp_path: Path, clock: Clock) -> None:
        """Otherwise a metric of pages is an error."""
        bucket = one_event(tmp_path)
        within = Range(START, START + timedelta(hours=1), None, "UTC")
        pages = top_pages(read_history(bucket, None, within, clock, derived=True).raw, within)
        assert pages["events"].to_list() == [1]
        with pytest.raises(AnalysisError, match="or a history with derived=True"):
            top_pages(read_history(bucket, None, within, clock).raw, within)

    def test_no_temporary_file_is_left(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is deleted when nobody holds the history any more."""
        bucket = one_event(tmp_path / "bucket")
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
        (tmp_path / "temporary").mkdir()
        history = open_history(str(bucket), **SPAN)
        assert len(list((tmp_path / "temporary").iterdir())) == history.raw.count == 1
        del history
        gc.collect()
        assert list((tmp_path / "temporary").iterdir()) == []
