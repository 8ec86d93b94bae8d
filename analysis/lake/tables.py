"""Opens the tables of a lake: makes them, adds columns that they lack, and refuses what this code does not know."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from analysis.errors import AnalysisError
from analysis.lake.location import Location, NoLake, location_of
from analysis.lake.schema import (
    EVENT_COLUMNS,
    EVENTS,
    LAKE_VERSION,
    ORDER_COLUMNS,
    ORDERS,
    PARTITION_HOUR,
    iceberg_schema,
)
from analysis.prices import checked_decimals, other_decimals
from analysis.raw.source import bucket_of

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

__all__ = ["DECIMALS", "PROPERTIES", "Tables", "lake_of", "open_tables", "read_tables"]

VERSION = "clickstream.version"
DECIMALS = "clickstream.price-decimals"
BUCKET = "clickstream.bucket"

SORTED_BY = {EVENTS: ("event_timestamp", "key"), ORDERS: ("placed_at", "key")}
COLUMNS: Mapping[str, Mapping[str, pl.DataType]] = {EVENTS: EVENT_COLUMNS, ORDERS: ORDER_COLUMNS}
PROPERTIES = {
    "write.parquet.compression-codec": "zstd",
    "write.parquet.compression-level": "3",
    # An id is in no dictionary for long; columns with few values fit.
    "write.parquet.dict-size-bytes": str(256 * 1024),
    "write.delete.mode": "copy-on-write",
    "write.update.mode": "copy-on-write",
    "write.merge.mode": "copy-on-write",
    # Only times are looked for by file: the statistics of sixty columns would make each commit slower.
    "write.metadata.metrics.default": "none",
    f"write.metadata.metrics.column.{PARTITION_HOUR}": "full",
    "write.metadata.metrics.column.event_timestamp": "full",
    "write.metadata.metrics.column.placed_at": "full",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "10",
    # A commit was planned by the snapshot before it: over another one, it is planned again instead.
    "commit.retry.num-retries": "0",
    "commit.manifest-merge.enabled": "true",
    "commit.manifest.min-count-to-merge": "2",
}


class Tables:
    """Both tables of a lake, and what they record.

    Attributes:
        events: One row per event id.
        orders: One row per order id.
        price_decimals: How many decimals the prices keep.
    """

    def __init__(self, events: "Table", orders: "Table") -> None:
        self.events = events
        self.orders = orders
        self.price_decimals = int(events.properties.get(DECIMALS, "0"))


def open_tables(location: Location, bucket: str | None = None) -> Tables:
    """Open the tables.

    Args:
        location: Where the lake is.
        bucket: The name of the raw bucket, for a writer: tables that are missing are made, and so are columns that an
            older version of this code did not know. A reader leaves it out, and changes nothing.

    Raises:
        NoLake: A reader finds no tables.
        AnalysisError: The lake is newer than this code, has prices with other decimals than `PRICE_DECIMALS`, or holds
            the events of another bucket.
    """
    from pyiceberg.exceptions import NoSuchTableError

    catalog = location.catalog(make=bucket is not None)
    try:
        tables = Tables(*(catalog.load_table(location.in_catalog(name)) for name in (EVENTS, ORDERS)))
    except NoSuchTableError:
        if bucket is None:
            raise _no_tables(location) from None
        _make(catalog, location, bucket)
        tables = Tables(*(catalog.load_table(location.in_catalog(name)) for name in (EVENTS, ORDERS)))
    for table in (tables.events, tables.orders):
        _require_known(table, location, bucket)
    if bucket is not None:
        _upgrade(tables.events, EVENT_COLUMNS)
        _upgrade(tables.orders, ORDER_COLUMNS)
    return tables


def read_tables(location: Location) -> Tables:
    """Open the tables to read them, as they are now, in less time than `open_tables`.

    In a directory they know no catalog: nobody can change them, or bring them up to date.

    Raises:
        NoLake: There are no tables.
        AnalysisError: As `open_tables`.
    """
    if location.is_glue:
        return open_tables(location)
    from pyiceberg.table import StaticTable

    metadata = location.metadata()
    try:
        tables = Tables(*(StaticTable.from_metadata(metadata[location.in_catalog(name)]) for name in (EVENTS, ORDERS)))
    except KeyError:
        raise _no_tables(location) from None
    for table in (tables.events, tables.orders):
        _require_known(table, location, None)
    return tables


def _no_tables(location: Location) -> NoLake:
    return NoLake(f"the lake {location} has no tables yet: write them with 'python -m analysis compact'")


def lake_of(named: str | None, source: str | Path) -> Location | None:
    """Find the lake of a raw bucket, to change what is in it. Nothing is created.

    Args:
        named: A directory or `glue`; None if the user named none.
        source: The raw bucket.

    Returns:
        `named`, else what `LAKE` names, else the lake in the local stack's home. None if there is none yet, or if the
        one in the home holds the events of another bucket.

    Raises:
        AnalysisError: The lake that is named is not there, or holds the events of another bucket.
    """
    location = location_of(named)
    if not location.exists:
        if named:
            raise NoLake(f"there is no lake in {location}: name another with --lake, or leave it out")
        return None
    try:
        holds = read_tables(location).events.properties.get(BUCKET)
    except NoLake:
        return None
    if holds == bucket_of(source):
        return location
    if named or os.environ.get("LAKE"):
        raise AnalysisError(
            f"the lake {location} holds the events of {holds}, not of {bucket_of(source)}: name another with --lake"
        )
    return None


def _make(catalog: "Catalog", location: Location, bucket: str) -> None:
    from pyiceberg.exceptions import TableAlreadyExistsError
    from pyiceberg.partitioning import PartitionField, PartitionSpec
    from pyiceberg.table.sorting import SortField, SortOrder
    from pyiceberg.transforms import DayTransform, IdentityTransform

    if not catalog.namespace_exists(location.database):  # who may write tables need not be allowed to make databases
        catalog.create_namespace_if_not_exists(location.database)
    for name, columns in COLUMNS.items():
        schema = iceberg_schema(columns)
        hour = schema.find_field(PARTITION_HOUR).field_id
        by = [SortField(schema.find_field(each).field_id, IdentityTransform()) for each in SORTED_BY[name]]
        recorded = {VERSION: str(LAKE_VERSION), DECIMALS: str(checked_decimals(None)), BUCKET: bucket}
        with suppress(TableAlreadyExistsError):
            catalog.create_table(
                location.in_catalog(name),
                schema,
                location=f"{location.url}/{name.replace('.', '/')}",
                partition_spec=PartitionSpec(PartitionField(hour, 1000, DayTransform(), f"{PARTITION_HOUR}_day")),
                sort_order=SortOrder(*by),
                properties=PROPERTIES | recorded,
            )


def _require_known(table: "Table", location: Location, bucket: str | None) -> None:
    recorded = table.properties
    version, decimals = int(recorded.get(VERSION, "0")), int(recorded.get(DECIMALS, "0"))
    if version > LAKE_VERSION:
        raise AnalysisError(
            f"the lake {location} is at version {version}, and this code knows {LAKE_VERSION}: install the newer code"
        )
    if (here := other_decimals(decimals)) is not None:
        raise AnalysisError(
            f"the prices in the lake {location} have {decimals} decimals, but PRICE_DECIMALS is {here}: set it to "
            f"{decimals}, or name an empty --lake"
        )
    if bucket is not None and recorded.get(BUCKET, bucket) != bucket:
        raise AnalysisError(
            f"the lake {location} holds the events of {recorded[BUCKET]}, not of {bucket}: name another with --lake"
        )


def _upgrade(table: "Table", columns: Mapping[str, pl.DataType]) -> None:
    """Add the columns that an older version of this code did not know, each after the one before it."""
    known = {field.name for field in table.schema().fields}
    is_old = int(table.properties.get(VERSION, "0")) < LAKE_VERSION
    if not is_old and known >= columns.keys():
        return
    wanted = iceberg_schema(columns)
    with table.transaction() as change:
        with change.update_schema() as schema:
            before = ""
            for name in columns:
                if name not in known:
                    schema.add_column(name, wanted.find_type(name))
                    schema.move_after(name, before) if before else schema.move_first(name)
                before = name
        change.set_properties({VERSION: str(LAKE_VERSION)})
