"""Text on a console: none of it is taken for markup, and none of it steers the terminal."""

from collections.abc import Iterable, Sequence

from rich.table import Table
from rich.text import Text

__all__ = ["printable", "text_line", "text_table"]


def printable(text: str) -> str:
    """One line, in which whatever is no printable character, line breaks among them, is an escape.

    Anybody may send events: an id that holds an escape sequence must not clear, or write to, the terminal of who reads.
    """
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def text_line(text: str, style: str = "") -> Text:
    """One line to print."""
    return Text(printable(text), style)


def text_table(columns: Iterable[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table of texts: names in the first column, numbers in the others."""
    table = Table()
    for index, column in enumerate(columns):
        table.add_column(text_line(column), justify="right" if index else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(text_line, row))
    return table
