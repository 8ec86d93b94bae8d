"""The SQL of a metric, put together from the files of `analysis/metrics/sql/`."""

from functools import cache
from importlib.resources import files
from itertools import dropwhile

from chalicelib.contract import COLUMNS

__all__ = ["statement"]

PLACE_OF_COLUMNS = "/* columns of the contract */"
_COLUMNS = ",\n    ".join(
    f'{column.name} COLLATE "C" AS {column.name}' if column.type == "TEXT" else column.name for column in COLUMNS
)


@cache
def statement(metric: str, **relations: str) -> str:
    """Put a metric's query together: `events` and the relations come first, as CTEs.

    Args:
        metric: The query's file, as a path below `sql/` without its ending.
        relations: The file of each further CTE by its name in the query; each may use the ones before it.
    """
    events = _read("events").replace(PLACE_OF_COLUMNS, _COLUMNS)
    first = [f"events AS NOT MATERIALIZED (\n{events}\n)"]
    first += [f"{name} AS (\n{_read(file)}\n)" for name, file in relations.items()]
    query = _read(metric)
    # In parentheses it could keep its own WITH in PostgreSQL, but DuckDB does not find what is defined there.
    rest = f",\n{query.removeprefix('WITH ')}" if query.startswith("WITH ") else f"\n{query}"
    return f"WITH {','.join(first)}{rest}"


def _read(file: str) -> str:
    """The file's query, without the comment above it."""
    text = (files("analysis.metrics") / "sql" / f"{file}.sql").read_text(encoding="utf-8")
    return "".join(dropwhile(lambda line: line.startswith("--"), text.splitlines(keepends=True))).rstrip()
