"""Keeps frames on disk while a validation runs, and gives them back as parts."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

import polars as pl

from analysis.checks.validation.evidence.parts import MOST_ROWS, Parts
from analysis.errors import AnalysisError

__all__ = ["Rows", "Spool"]

FILE_ROWS = 50_000


class Spool:
    """A directory for temporary files, which only this user may open and which is deleted at the end."""

    def __init__(self) -> None:
        try:
            self._directory = TemporaryDirectory(prefix="clickstream-")
        except OSError as error:
            raise AnalysisError(f"there is no directory for temporary files: {error}; name one with TMPDIR") from error
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._directory.cleanup()

    def kept(self, parts: Parts, schema: Mapping[str, Any]) -> Parts:
        """Write a few of many rows, so that checks need not look for them again."""
        rows = self.rows(pl.Schema(schema))
        rows.add_all(parts.frames())
        return rows.parts()

    def rows(self, schema: pl.Schema) -> "Rows":
        """Begin another table."""
        self._count += 1
        directory = Path(self._directory.name) / str(self._count)
        directory.mkdir()
        return Rows(directory, schema)


class Rows:
    """One table of a spool: frames are added, and written to files of about FILE_ROWS rows."""

    def __init__(self, directory: Path, schema: pl.Schema) -> None:
        self._directory = directory
        self._schema = schema
        self._waiting: list[pl.DataFrame] = []
        self._files: list[Path] = []
        self._written = 0

    @property
    def count(self) -> int:
        """How many rows were added."""
        return self._written + sum(frame.height for frame in self._waiting)

    def add(self, frame: pl.DataFrame) -> None:
        """Add rows with the columns of the schema."""
        self._waiting.append(frame)
        if sum(frame.height for frame in self._waiting) >= FILE_ROWS:
            self._write()

    def add_all(self, frames: Iterable[pl.DataFrame]) -> None:
        """Add each of these frames as it comes."""
        for frame in frames:
            self.add(frame)

    def parts(self) -> Parts:
        """Give all rows that were added so far, in their order."""
        if any(frame.height for frame in self._waiting):
            self._write()
        if not self._files:
            return Parts.of(pl.DataFrame(schema=self._schema))
        return Parts(tuple(pl.scan_parquet(path) for path in self._files), self._written, MOST_ROWS)

    def _write(self) -> None:
        frame = pl.concat(self._waiting)
        path = self._directory / f"{len(self._files):06}.parquet"
        try:
            frame.write_parquet(path, compression="zstd", compression_level=1, statistics=False)
        except OSError as error:
            raise AnalysisError(
                f"cannot write temporary files in {self._directory}: {error}; name another directory with TMPDIR"
            ) from error
        self._files.append(path)
        self._written += frame.height
        self._waiting = []
