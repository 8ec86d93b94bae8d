"""Builds the SQL of a metric from the files in `analysis/metrics/sql/`."""

from functools import cache
from importlib.resources import files
from itertools import dropwhile

import polars as pl

from analysis.lake.derived import DERIVED
from chalicelib.contract import COLUMNS

__all__ = ["TIE_ORDER", "part", "statement"]

# In every statement: the order of events with the same time. An engine may replace it.
TIE_ORDER = "event_id AS tie_order"
PLACE_OF_COLUMNS = "/* columns of the contract */"
_TYPES = {column.name: column.type for column in COLUMNS}
_DERIVED_TYPES = {name: "TEXT" if kind == pl.String() else "BOOLEAN" for name, kind in DERIVED.items()}


@cache
def statement(metric: str, derived: bool = False, **relations: str | tuple[str, str]) -> str:  # noqa: FBT001, FBT002  # beside names of relations
    """Build a metric's query, in which `events` and the relations come first, as CTEs.

    Args:
        metric: The query's file: its path below `sql/`, without `.sql`.
        derived: Whether `events` also has the derived columns of docs/derived.md.
        relations: The file of each further CTE, by its name in the query. A CTE may use the CTEs before it. A file that
            is used several times reads from `previous`: a pair names the file, and the CTE that this stands for.
    """
    events = _read("events").replace(PLACE_OF_COLUMNS, _columns(derived=derived))
    first = [f"events AS NOT MATERIALIZED (\n{events}\n)"]
    first += [part(name, file) for name, file in relations.items()]
    query = _read(metric)
    # The query's own WITH is merged: DuckDB does not find CTEs that are defined inside parentheses.
    rest = f",\n{query.removeprefix('WITH ')}" if query.startswith("WITH ") else f"\n{query}"
    return f"WITH {','.join(first)}{rest}"


def part(name: str, file: str | tuple[str, str]) -> str:
    """Give the text of a relation in a statement."""
    return f"{name} AS (\n{_relation(file)}\n)"


def _columns(*, derived: bool) -> str:
    types = {**_TYPES, **(_DERIVED_TYPES if derived else {})}
    return ",\n    ".join(f'{name} COLLATE "C" AS {name}' if kind == "TEXT" else name for name, kind in types.items())


def _relation(file: str | tuple[str, str]) -> str:
    if isinstance(file, str):
        return _read(file)
    name, previous = file
    return _read(name).replace("FROM previous", f"FROM {previous}")


def _read(file: str) -> str:
    """Read a file's query, without the comment above it."""
    text = (files("analysis.metrics") / "sql" / f"{file}.sql").read_text(encoding="utf-8")
    return "".join(dropwhile(lambda line: line.startswith("--"), text.splitlines(keepends=True))).rstrip()
