from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from polars.testing import assert_frame_equal

from analysis import (
    Engine,
    LakeEvents,
    Range,
    RawEvents,
    funnel,
    latest_events,
    open_lake,
    path_links,
    read_events,
    read_history,
    revenue,
    revenue_by,
    revenue_by_category,
    revenue_by_product,
    revenue_over_time,
    search_terms,
    sessions_by,
    top_pages,
    validate,
    visitors,
)
from analysis.commands.main import main as analysis_main
from analysis.lake.compaction import compact
from analysis.lake.derived import SOURCES
from analysis.lake.location import Location
from analysis.rows.selection import Clock
from emulator.commands.main import main as emulator_main
from tests.analysis.engines.test_agreement import METRICS

pytestmark = pytest.mark.slow

END = datetime(2026, 11, 20, tzinfo=UTC)
START = END - timedelta(days=4)
# Neither bound is a whole hour.
PART = Range(START + timedelta(hours=30.4), END - timedelta(hours=20.7), zone="Asia/Kathmandu")
WHOLE = Range(START, END, zone="UTC")
EVERY: list[Callable[[Engine, Range], pl.DataFrame]] = [
    *METRICS,
    revenue,
    lambda engine, within: revenue_over_time(engine, within, "hour"),
    revenue_by_product,
    revenue_by_category,
]
# The metrics that need derived columns.
DERIVED: list[Callable[[Engine, Range], pl.DataFrame]] = [
    sessions_by,
    lambda engine, within: sessions_by(engine, within, "exit_page"),
    lambda engine, within: revenue_by(engine, within, "country"),
    top_pages,
    search_terms,
    path_links,
    lambda engine, within: funnel(engine, within, by="device"),
    lambda engine, within: visitors(engine, within, orders=True),
    lambda engine, within: latest_events(engine, within, limit=99, derived=True),
]


@pytest.fixture(params=["1", "2", "3"])
def seeded(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The directory of a bucket with a seeded history, in which events are late, repeated, lost or misplaced."""
    bucket = tmp_path / "shop-raw"
    given = ["--days", "4", "--shoppers", "300", "--end", "2026-11-20T00", "--seed", request.param]
    files = ["--out", str(bucket), "--answers", str(tmp_path / "answers.json")]
    done = CliRunner().invoke(emulator_main, ["seed", *given, *files])
    assert done.exit_code == 0, done.output
    return bucket


def erase_one(bucket: Path, dw_url: str) -> None:
    """Erase the client with the most events."""
    clients = read_events(bucket, START, END, lake=False).frame.drop_nulls("client_id")
    (client,) = clients["client_id"].mode().sort().head(1)
    erase = ["erase", "--client-id", client, "--source", str(bucket), "--dw", dw_url, "--yes"]
    done = CliRunner().invoke(analysis_main, erase)
    assert done.exit_code == 0, done.output


def require_equal(bucket: Path, place: Location, within: Range) -> None:
    """Everything that is read, and every metric, is the same with the lake and without it."""
    for clock in ("received", "occurred"):
        kind: Clock = "occurred" if clock == "occurred" else "received"
        for bots in (True, False):
            raw, lake = (
                read_history(bucket, None, within, kind, bots=bots, derived=True, lake=place_or_not)
                for place_or_not in (False, place.root)
            )
            assert_frame_equal(raw.events.frame, lake.events.frame)
            assert_frame_equal(raw.reading.corrupt, lake.reading.corrupt)
            for metric in (*EVERY, *DERIVED):
                assert_frame_equal(metric(raw.raw, within), metric(lake.raw, within), check_exact=True)
        fields = ["key", "sent_event_id", "page_url", "cart", "dropped_overflow", "wishlisted", "occurred_at"]
        frames = (
            read_events(bucket, within.start, within.end, fields=fields, clock=kind, lake=lake)
            for lake in (False, place.root)
        )
        assert_frame_equal(*(read.frame for read in frames))


def require_same_checks(bucket: Path, place: Location) -> None:
    """Every check and every hour's count of a validation is the same with the lake and without it."""
    span = (START + timedelta(days=1), END - timedelta(days=1))
    raw, lake = (validate(bucket, None, *span, "UTC", lake=lake) for lake in (False, place.root))
    assert raw.checks == lake.checks
    assert_frame_equal(raw.hours, lake.hours)
    assert (raw.lake_hours, lake.lake_hours > 5) == (0, True)


class TestLake:
    def test_every_metric_is_that_of_raw(self, seeded: Path, tmp_path: Path, warehouse_url: str) -> None:
        """Over raw alone, over the lake and raw for the rest, and over the lake alone, by DuckDB and by Polars.

        At first the last day is not in the lake, and somebody is erased from raw only.
        """
        place = Location(str(tmp_path / "lake"))
        compact(seeded, place, now=END - timedelta(hours=22))
        erase_one(seeded, warehouse_url)
        require_equal(seeded, place, WHOLE)
        require_equal(seeded, place, PART)
        compact(seeded, place, (START - timedelta(days=1), END + timedelta(days=1)), now=END + timedelta(days=2))
        require_equal(seeded, place, PART)
        require_same_checks(seeded, place)
        lake = open_lake(place.root)
        for clock in ("received", "occurred"):
            kind: Clock = "occurred" if clock == "occurred" else "received"
            fields = ["order", *SOURCES]
            raw = RawEvents(read_events(seeded, START, END, fields=fields, clock=kind, lake=False))
            for metric in (*EVERY, *DERIVED):
                assert_frame_equal(metric(LakeEvents(lake, kind), WHOLE), metric(raw, WHOLE), check_exact=True)
        by_polars = RawEvents(lake.polars().collect())
        raw = RawEvents(read_events(seeded, START, END, fields=["order", *SOURCES], lake=False))
        for metric in (*EVERY, *DERIVED):
            assert_frame_equal(metric(by_polars, WHOLE), metric(raw, WHOLE), check_exact=True)
