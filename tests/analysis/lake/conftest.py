"""What the tests of the lake share: a place for a lake, a bucket, and the tables' rows."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from analysis.lake.location import Location
from analysis.lake.tables import Tables, open_tables


@pytest.fixture
def place(tmp_path: Path) -> Location:
    """A place for a lake."""
    return Location(str(tmp_path / "lake"))


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    """The directory of a bucket."""
    return tmp_path / "shop-raw"


@pytest.fixture
def tables(place: Location) -> Callable[[], Tables]:
    """The tables of the lake, as a reader opens them."""
    return lambda: open_tables(place)


@pytest.fixture
def events(place: Location) -> Callable[[], pl.DataFrame]:
    """The rows of the table of events, in the order of receipt."""

    def read() -> pl.DataFrame:
        frame = pl.from_arrow(open_tables(place).events.scan().to_arrow())
        assert isinstance(frame, pl.DataFrame)
        return frame.sort("event_timestamp", "key")

    return read
