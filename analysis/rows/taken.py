"""Objects that a validation has read from raw, kept as rows on disk, so that a report need not read them again."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import polars as pl

from analysis.lake.derived import SOURCES
from analysis.raw.source import OnUnreadable
from analysis.rows.columns import DTYPES
from analysis.rows.fields import KEY
from analysis.rows.projection import Corrupt
from analysis.rows.selection import ORDER, OnError
from chalicelib.contract import COLUMNS

if TYPE_CHECKING:
    from analysis.checks.validation.evidence.spool import Rows

__all__ = ["TAKEN", "Taken"]

TAKEN: dict[str, pl.DataType] = {
    KEY: pl.String(),
    **{column.name: DTYPES[column.type] for column in COLUMNS},
    ORDER: pl.String(),
    **dict.fromkeys(SOURCES, pl.String()),
}
PREFIX = len("events/YYYY/MM/DD/HH/")


class Taken:
    """All objects of some partitions.

    Args:
        rows: Takes the rows, with the columns TAKEN.
        on_error: What happens if an object may not be read, as in `read_events`.

    Attributes:
        prefixes: The partitions.
        corrupt: Key and reason of their objects that are not events.
        unreadable: Key and reason of what may not be read, wherever it is.
    """

    def __init__(self, rows: "Rows", on_error: OnError) -> None:
        self._rows = rows
        self.on_error = on_error
        self.prefixes: set[str] = set()
        self.corrupt: list[Corrupt] = []
        self.unreadable: dict[str, str] = {}

    def noting(self, unreadable: dict[str, str]) -> OnUnreadable | None:
        """Give what takes the objects that may not be read, also for another record; None if each is an error."""
        if self.on_error == "raise":
            return None

        def note(key: str, reason: str) -> None:
            self.unreadable[key] = unreadable[key] = reason

        return note

    def add(self, rows: pl.DataFrame, corrupt: Iterable[Corrupt] = ()) -> None:
        """Add objects; `rows` has the columns TAKEN, among others."""
        self._rows.add(rows.select(*TAKEN))
        self.corrupt += corrupt

    def of(self, prefixes: Iterable[str]) -> Iterator[pl.DataFrame]:
        """Give the rows of some of the partitions, with the columns TAKEN, some at a time."""
        wanted = self.prefixes.intersection(prefixes)
        if wanted:
            is_wanted = pl.col(KEY).str.head(PREFIX).is_in(sorted(wanted))
            yield from self._rows.parts().where(is_wanted).frames()

    def corrupt_of(self, prefixes: Iterable[str]) -> list[Corrupt]:
        """Give the objects of some partitions that are not events."""
        wanted = self.prefixes.intersection(prefixes)
        return [(key, reason) for key, reason in self.corrupt if key[:PREFIX] in wanted]

    def unreadable_of(self, prefixes: Iterable[str]) -> list[Corrupt]:
        """Give what may not be read of some partitions."""
        wanted = self.prefixes.intersection(prefixes)
        return [(key, reason) for key, reason in self.unreadable.items() if key[:PREFIX] in wanted]
