"""Rows in parts that fit in memory: one part after the other, or grouped by the values of a column."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil

import polars as pl

__all__ = ["MOST_ROWS", "Parts", "together"]

MOST_ROWS = 400_000  # of narrow columns, in memory at once


@dataclass(frozen=True)
class Parts:
    """Rows in frames with the same columns, each of which fits in memory. Nothing is read before it is asked for.

    Attributes:
        lazy: The frames; at least one, which may be empty.
        rows: How many rows there are, at most.
        most: About how many rows a group may have.
    """

    lazy: tuple[pl.LazyFrame, ...]
    rows: int
    most: int = MOST_ROWS

    @classmethod
    def of(cls, *frames: pl.DataFrame, most: int = MOST_ROWS) -> "Parts":
        """Make parts of frames in memory."""
        return cls(tuple(frame.lazy() for frame in frames), sum(frame.height for frame in frames), most)

    def __add__(self, others: "Parts") -> "Parts":
        """Give the rows of both, which have the same columns."""
        return replace(self, lazy=(*self.lazy, *others.lazy), rows=self.rows + others.rows)

    def where(self, *conditions: pl.Expr) -> "Parts":
        """Keep the rows that meet the conditions."""
        return replace(self, lazy=tuple(frame.filter(*conditions) for frame in self.lazy))

    def with_columns(self, **named: pl.Expr) -> "Parts":
        """Add columns, as in Polars."""
        return replace(self, lazy=tuple(frame.with_columns(**named) for frame in self.lazy))

    def select(self, *columns: str | pl.Expr, **named: pl.Expr) -> "Parts":
        """Keep some columns, as in Polars."""
        return replace(self, lazy=tuple(frame.select(*columns, **named) for frame in self.lazy))

    def without(self, keys: pl.Series) -> "Parts":
        """Leave out the rows with these keys, which are few."""
        if keys.is_empty():
            return self
        left_out = keys.to_frame("key").lazy()
        frames = (frame.join(left_out, on="key", how="anti", maintain_order="left") for frame in self.lazy)
        return replace(self, lazy=tuple(frames))

    def having(self, values: pl.DataFrame) -> "Parts":
        """Keep the rows with one of these values, which are few; `values` has one column."""
        few = values.lazy()
        frames = (frame.join(few, on=values.columns, how="semi", maintain_order="left") for frame in self.lazy)
        return replace(self, lazy=tuple(frames))

    def frames(self, *columns: str | pl.Expr) -> Iterator[pl.DataFrame]:
        """Give each part, with all columns or with these."""
        for frame in self.lazy:
            yield (frame.select(*columns) if columns else frame).collect()

    def groups(self, by: str, *columns: str | pl.Expr, number: int = 0) -> Iterator[pl.DataFrame]:
        """Give the rows in groups instead: all rows with the same value of a column are in one of them.

        Args:
            by: The column, of text. The rows in which it is null are in one group, too.
            columns: The columns to read; by default all.
            number: How many groups; by default as many as `most` needs.

        Yields:
            The rows of some values, in the order of the parts.
        """
        number = number or max(1, ceil(self.rows / self.most))
        for place in range(number):
            is_here = pl.col(by).hash() % number == place
            frames = self.lazy if number == 1 else [frame.filter(is_here) for frame in self.lazy]
            yield pl.concat([frame.select(*columns) if columns else frame for frame in frames]).collect()

    def collect(self, *columns: str | pl.Expr) -> pl.DataFrame:
        """Give all rows at once; for rows that are few, or that become findings."""
        return pl.concat(list(self.frames(*columns)))


def together(by: str, *tables: Parts) -> Iterator[tuple[pl.DataFrame, ...]]:
    """Give the groups of several tables side by side: all their rows with the same value of a column at once."""
    number = max(1, ceil(sum(table.rows for table in tables) / min(table.most for table in tables)))
    return zip(*(table.groups(by, number=number) for table in tables), strict=True)
