"""A table on a console, in which no text is taken for markup."""

from collections.abc import Iterable, Sequence

from rich.table import Table
from rich.text import Text

__all__ = ["text_table"]


def text_table(columns: Iterable[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table of texts: names in the first column, numbers in the others."""
    table = Table()
    for index, column in enumerate(columns):
        table.add_column(Text(column), justify="right" if index else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table
