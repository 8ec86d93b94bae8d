"""The rows of a lake, as its tables have them now."""

import polars as pl

from analysis.lake.location import Location
from analysis.lake.tables import open_tables

__all__ = ["event_rows", "order_rows"]


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
