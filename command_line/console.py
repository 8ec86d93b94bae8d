"""Text on a console: none of it is taken for markup, and none of it steers the terminal."""

from collections.abc import Iterable, Sequence

from rich.table import Table
from rich.text import Text

from command_line.printable import printable

__all__ = ["text_line", "text_table"]


def text_line(text: str, style: str = "") -> Text:
    """One line to print; line breaks in it are escapes."""
    return Text(printable(text), style)


def text_table(columns: Iterable[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table of texts: names in the first column, numbers in the others."""
    table = Table()
    for index, column in enumerate(columns):
        table.add_column(text_line(column), justify="right" if index else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(text_line, row))
    return table
