import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from analysis import AnalysisError, Lake, LakeEvents, Range, open_lake, overview
from analysis.lake.compaction import compact
from analysis.lake.location import Location
from analysis.lake.tables import Tables, open_tables
from tests.support.contents import directory_contents
from tests.support.delete_files import delete_positions
from tests.support.raw_objects import START, Objects

WITHIN = Range(START, START + timedelta(hours=1))
ORDER = {"id": "o-1", "total": 5, "currency": "EUR", "items": [{"id": "p", "quantity": 2, "price": 2.5}]}


@pytest.fixture
def lake(place: Location, bucket: Path) -> Lake:
    """A lake with six events, one of which placed an order."""
    objects = Objects()
    for number in range(5):
        objects.add(received=number * 60.0)
    objects.add(received=360.0, eventName="checkout_complete", order=ORDER)
    compact(objects.write(bucket), place, now=START + timedelta(days=2))
    return open_lake(place.root)


class TestOpenLake:
    def test_its_tables_are_there_for_each_engine_in_one_line(self, lake: Lake) -> None:
        """The same rows in DuckDB and in Polars."""
        assert lake.duckdb().filter("event_name = 'page_view'").count("*").fetchall() == [(5,)]
        assert lake.duckdb("orders").project("order_id, items").fetchall() == [("o-1", 2)]
        by_duckdb, by_polars = lake.duckdb().pl(), lake.polars().collect()
        assert_frame_equal(by_duckdb, by_polars, check_row_order=False)

    def test_a_query_may_use_both_tables(self, lake: Lake) -> None:
        """They are in the same database."""
        placed = lake.duckdb().join(lake.duckdb("orders").project("event_id, total"), "event_id")
        assert placed.count("*").fetchall() == [(1,)]

    def test_pandas_is_said_to_be_missing(self, lake: Lake) -> None:
        """In one line, with what to do: nothing else needs it."""
        with pytest.raises(AnalysisError, match="pandas is not installed: 'pip install pandas', or use polars"):
            lake.pandas()

    def test_another_name_is_refused(self, lake: Lake) -> None:
        """With the names that there are."""
        with pytest.raises(AnalysisError, match="no table 'sessions': choose from events, orders"):
            lake.duckdb("sessions")  # type: ignore[arg-type]

    def test_reading_makes_no_lake(self, place: Location) -> None:
        """It says how to make one."""
        with pytest.raises(AnalysisError, match="make one with 'python -m analysis compact'"):
            open_lake(place.root)
        assert not Path(place.root).exists()

    def test_reading_changes_nothing(self, lake: Lake, place: Location) -> None:
        """No file of the lake is touched."""
        before = directory_contents(Path(place.root))
        lake.duckdb().fetchall()
        lake.polars().collect()
        overview(LakeEvents(lake), WITHIN)
        assert directory_contents(Path(place.root)) == before

    def test_opening_needs_no_sqlalchemy(self, lake: Lake) -> None:
        """Nor any other library that only writers need: importing them takes longer than a query."""
        program = """
import sys
from analysis import LakeEvents, Range, moment, overview
within = Range(moment("2026-11-01"), moment("2026-11-08"))
overview(LakeEvents(sys.argv[1]), within)
print(*sorted({"sqlalchemy", "psycopg", "boto3", "rich", "ua_parser", "pyiceberg"} & set(sys.modules)))
"""
        command = [sys.executable, "-c", program, lake.location.root]
        assert subprocess.check_output(command, text=True).split() == ["pyiceberg"]


class TestDeleteFiles:
    @pytest.mark.usefixtures("lake")
    def test_deleted_rows_do_not_come_back(self, place: Location, tables: Callable[[], Tables]) -> None:
        """Another engine has deleted two rows: whoever lists the Parquet files still finds six."""
        events = tables().events
        (task,) = events.scan().plan_files()
        delete_positions(events, task, [1, 3])
        again = open_lake(place.root)
        assert pl.read_parquet(task.file.file_path.removeprefix("file://")).height == 6
        assert again.duckdb().count("*").fetchall() == [(4,)]
        assert again.polars().collect().height == 4
        assert overview(LakeEvents(again), WITHIN)["events"].item() == 4
        assert overview(LakeEvents(again, "occurred"), WITHIN)["events"].item() == 4


class TestRenamedColumns:
    @pytest.mark.usefixtures("lake")
    def test_a_renamed_column_keeps_its_values(self, place: Location, tables: Callable[[], Tables]) -> None:
        """The files still have the old name."""
        with tables().events.update_schema() as change:
            change.rename_column("page_url", "page_address")
        again = open_lake(place.root)
        addresses = {"https://shop.example/"}
        assert set(again.duckdb().pl()["page_address"]) == addresses
        assert set(again.polars().collect()["page_address"]) == addresses

    @pytest.mark.usefixtures("lake")
    def test_a_new_column_of_an_old_name_is_another_column(self, place: Location, tables: Callable[[], Tables]) -> None:
        """It has no values in files that were written before, although these have a column of its name."""
        with tables().events.update_schema() as change:
            change.delete_column("page_url")
        with tables().events.update_schema() as change:
            change.add_column("page_url", change._schema.find_type("event_name"))
        again = open_lake(place.root)
        assert set(again.duckdb().pl()["page_url"]) == {None}
        assert overview(LakeEvents(again), WITHIN)["events"].item() == 6

    @pytest.mark.usefixtures("lake")
    def test_nested_columns_are_right_too(self, place: Location, tables: Callable[[], Tables]) -> None:
        """DuckDB does not find inner fields by their ids, so pyiceberg reads such files."""
        with tables().orders.update_schema() as change:
            change.rename_column("items", "pieces")
        ((pieces, lines),) = open_lake(place.root).duckdb("orders").project("pieces, lines").fetchall()
        assert pieces == 2
        assert [line["product_id"] for line in lines] == ["p"]
        assert open_tables(place).orders.schema().find_field("pieces")
