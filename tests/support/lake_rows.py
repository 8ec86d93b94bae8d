"""The rows and files of a lake, as its tables have them now."""

from datetime import timedelta
from pathlib import Path

import polars as pl
from polars.testing import assert_frame_equal

from analysis.lake.location import Location
from analysis.lake.tables import open_tables
from analysis.rows.reader import read_hours
from tests.support.raw_objects import START

__all__ = ["data_files", "event_rows", "order_rows", "require_rows_of_raw"]

WEEK = timedelta(days=7)


def event_rows(place: Location) -> pl.DataFrame:
    """Give the rows of the table of events, in the order of receipt."""
    frame = pl.from_arrow(open_tables(place).events.scan().to_arrow())
    assert isinstance(frame, pl.DataFrame)
    return frame.sort("event_timestamp", "key")


def order_rows(place: Location) -> pl.DataFrame:
    """Give the rows of the table of orders, in the order of their ids."""
    frame = pl.from_arrow(open_tables(place).orders.scan().to_arrow())
    assert isinstance(frame, pl.DataFrame)
    return frame.sort("order_id")


def data_files(place: Location) -> list[str]:
    """Give the data files of the table of events."""
    return [task.file.file_path for task in open_tables(place).events.scan().plan_files()]


def require_rows_of_raw(place: Location, bucket: Path) -> None:
    """The table of events has the rows that the reader gives of raw, a week around START."""
    raw = read_hours(bucket, START - WEEK, START + WEEK, fields=("key",)).frame
    assert_frame_equal(event_rows(place).select(raw.columns), raw)
