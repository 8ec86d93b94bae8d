"""The lake of a whole seeded history, with everything that the seed plants."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from polars.testing import assert_frame_equal

from analysis.lake.compaction import compact
from analysis.lake.location import Location
from analysis.lake.schema import EVENT_COLUMNS, ORDER_COLUMNS
from analysis.lake.tables import open_tables
from analysis.rows.fields import RAW_FIELDS
from analysis.rows.orders import read_orders
from analysis.rows.reader import read_events, read_hours
from emulator.commands.main import main
from tests.support.lake_rows import event_rows, order_rows

pytestmark = pytest.mark.slow

END = datetime(2026, 11, 26, tzinfo=UTC)
START = END - timedelta(days=3)
LATER = END + timedelta(days=1)


@pytest.fixture(scope="module", params=[1, 2, 3])
def seeded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the bucket of a seeded history of three days."""
    bucket = tmp_path_factory.mktemp("seeded") / "shop-raw"
    told = CliRunner().invoke(
        main,
        [
            "seed",
            "--days",
            "3",
            "--shoppers",
            "150",
            "--seed",
            str(request.param),
            "--end",
            "2026-11-26T00",
            "--out",
            str(bucket),
        ],
    )
    assert told.exit_code == 0, told.output
    return bucket


class TestSeeded:
    @pytest.mark.timeout(600)
    def test_it_has_the_rows_of_raw_however_it_was_written(self, seeded: Path, tmp_path: Path) -> None:
        """Day by day at once, or some hours at a time while the days were open."""
        fields = [field.name for field in RAW_FIELDS if field.name in EVENT_COLUMNS and field.name != "sent_event_id"]
        raw = read_hours(seeded, START, END, fields=("key", *fields)).frame.drop("sent_event_timestamp")
        at_once, bit_by_bit = Location(str(tmp_path / "at once")), Location(str(tmp_path / "bit by bit"))
        done = compact(seeded, at_once, now=LATER)
        for hour in range(7, 80, 7):
            compact(seeded, bit_by_bit, now=START + timedelta(hours=hour, minutes=10))
        assert done.rows == raw.height
        assert_frame_equal(event_rows(at_once).select(raw.columns), raw)
        assert_frame_equal(event_rows(bit_by_bit).drop("occurred_at"), event_rows(at_once).drop("occurred_at"))
        answers = json.loads((seeded.parent / "seed-answers.json").read_text())
        assert (done.repeats, done.rejects) == (answers["duplicates"], answers["rejects"])

    def test_it_has_each_order_once(self, seeded: Path, tmp_path: Path) -> None:
        """As the reader reads orders."""
        place = Location(str(tmp_path / "lake"))
        compact(seeded, place, now=LATER)
        events = read_events(seeded, START, END, fields=("order", "key")).frame
        orders = read_orders(events).join(events.select("event_id", "key", "event_timestamp"), "event_id")
        first = orders.sort("event_timestamp", "key").unique("order_id", keep="first").sort("order_id")
        lake = order_rows(place)
        assert lake.columns == list(ORDER_COLUMNS)
        names = ["order_id", "event_id", "currency", "total", "items", "key"]
        assert first.height
        assert_frame_equal(lake.select(names), first.select(names))

    def test_engines_read_it(self, seeded: Path, tmp_path: Path) -> None:
        """Polars as an Iceberg table, and DuckDB by its files."""
        place = Location(str(tmp_path / "lake"))
        done = compact(seeded, place, now=LATER)
        events = open_tables(place).events
        assert pl.scan_iceberg(events, reader_override="pyiceberg").select(pl.len()).collect().item() == done.rows
        duck = events.scan().to_duckdb("events")
        assert duck.execute("SELECT count(DISTINCT event_id) FROM events").fetchone() == (done.rows,)
