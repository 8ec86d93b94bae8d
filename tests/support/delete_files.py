"""Deletes rows of an Iceberg table by a position delete file, as Athena does: our own code never writes one."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import polars as pl
from pyiceberg.manifest import (
    DataFile,
    DataFileContent,
    FileFormat,
    ManifestContent,
    ManifestWriter,
    ManifestWriterV2,
)
from pyiceberg.partitioning import PartitionSpec
from pyiceberg.table import FileScanTask, Table
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update.snapshot import _FastAppendFiles

__all__ = ["delete_positions"]

# Reserved by the format.
PATH_ID, POSITION_ID = 2147483546, 2147483545


def delete_positions(table: Table, task: FileScanTask, positions: list[int]) -> None:
    """Delete the rows at these places of a data file, from 0, in a commit of its own."""
    path = f"{table.location()}/data/{uuid4()}-deletes.parquet"
    rows = pl.DataFrame({"file_path": [task.file.file_path] * len(positions), "pos": positions})
    _write(rows, Path(path.removeprefix("file://")))
    deletes = DataFile.from_args(
        content=DataFileContent.POSITION_DELETES,
        file_path=path,
        file_format=FileFormat.PARQUET,
        partition=task.file.partition,
        record_count=len(positions),
        file_size_in_bytes=Path(path.removeprefix("file://")).stat().st_size,
    )
    deletes.spec_id = task.file.spec_id
    with table.transaction() as change:
        append = _AppendDeletes(Operation.DELETE, change, table.io)
        append.append_data_file(deletes)
        append.commit()
    table.refresh()


def _write(rows: pl.DataFrame, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    fields = [("file_path", pa.string(), PATH_ID), ("pos", pa.int64(), POSITION_ID)]
    schema = pa.schema(
        [
            pa.field(name, kind, nullable=False, metadata={"PARQUET:field_id": str(number)})
            for name, kind, number in fields
        ]
    )
    pq.write_table(rows.to_arrow().cast(schema), path)


class _DeleteManifest(ManifestWriterV2):
    def content(self) -> ManifestContent:
        return ManifestContent.DELETES

    @property
    def _meta(self) -> dict[str, str]:
        return {**super()._meta, "content": "deletes"}


class _AppendDeletes(_FastAppendFiles):
    def new_manifest_writer(self, spec: PartitionSpec) -> ManifestWriter:
        arguments: Any = (spec, self.schema(), self.new_manifest_output(), self._snapshot_id, self._compression)
        return _DeleteManifest(*arguments)
