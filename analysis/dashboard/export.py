"""Gives the figures of a panel to other programs: as CSV, Parquet, SQL, and Python for a notebook."""

from collections.abc import Mapping
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import polars as pl

from analysis.dashboard.events import Place, Shown
from analysis.dashboard.filters import FilteredEvents
from analysis.dashboard.panel import Query
from analysis.engines.protocol import PARAMETER, Engine

__all__ = ["as_csv", "as_parquet", "as_python", "as_sql"]

TIME = pl.Datetime("us", "UTC")
# A spreadsheet runs a cell that begins with one of these.
FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def as_csv(frame: pl.DataFrame) -> bytes:
    """Write a frame as CSV; times are in UTC, like 2026-11-24T09:30:00.000000Z."""
    times = [pl.col(name).dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ") for name, kind in frame.schema.items() if kind == TIME]
    nested = [pl.col(name).cast(pl.String) for name, kind in frame.schema.items() if kind.is_nested()]
    text = frame.with_columns(*times, *nested).with_columns(pl.col(pl.String).map_elements(_harmless, pl.String))
    return text.write_csv().encode()


def as_parquet(frame: pl.DataFrame) -> bytes:
    """Write a frame as Parquet, with its exact types."""
    buffer = BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def as_sql(shown: Shown, query: Query) -> str:
    """Write a query as SQL without parameters: PostgreSQL and DuckDB run it over `public.clickstream_events`.

    A metric that asks the engine several times gives as many statements.
    """
    recorder = _Recorder(shown.engine)
    query.metric(recorder, shown.within, **query.arguments)
    return ";\n\n".join(_literal_sql(*each) for each in recorder.queries)


def as_python(shown: Shown, query: Query) -> str:
    """Write a query as Python for a notebook, which gives the same frame as `frame`."""
    view, within = shown.view, shown.within
    names = {query.metric.__name__, "Range", "moment"}
    place, engine = _opening(shown.place, shown), "history.raw"
    if shown.place.is_warehouse:
        names.add("WarehouseEvents")
        engine = "warehouse"
    else:
        names.add("read_history")
    lines = []
    if view.filters:
        names.add("FilteredEvents")
        lines.append(f"events = FilteredEvents({engine}, {_python(dict(view.filters))})")
        engine = "events"
    arguments = "".join(f", {name}={_python(value)}" for name, value in query.arguments.items())
    times = (f"moment({each.astimezone(UTC).isoformat()!r})" for each in (within.start, within.end))
    range_ = f"Range({', '.join(times)}, {within.login_state!r}, {within.zone!r})"
    return "\n".join(
        [
            f"from analysis import {', '.join(sorted(names))}",
            "",
            f"within = {range_}",
            place,
            *lines,
            f"frame = {query.metric.__name__}({engine}, within{arguments})",
            "frame",
            "",
        ]
    )


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULAS) else text


class _Recorder:
    """An engine that keeps the queries that another one answers."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.has_orders, self.has_derived = engine.has_orders, engine.has_derived
        self.queries: list[tuple[str, Mapping[str, object]]] = []

    @property
    def price_decimals(self) -> int:
        """As of the engine."""
        return self._engine.price_decimals

    def query(self, sql: str, parameters: Mapping[str, object]) -> pl.DataFrame:
        """Run and keep one query."""
        filtered = isinstance(self._engine, FilteredEvents)
        self.queries.append(self._engine.filtered(sql, parameters) if filtered else (sql, parameters))  # type: ignore[attr-defined]  # it is one
        return self._engine.query(sql, parameters)


def _literal_sql(sql: str, parameters: Mapping[str, object]) -> str:
    return PARAMETER.sub(lambda found: _sql(parameters[found[1]]), sql)


def _sql(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, datetime):
        return f"TIMESTAMPTZ '{value.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}+00'"
    if isinstance(value, (list, tuple)):
        return f"ARRAY[{', '.join(map(_sql, value))}]"
    return "'" + str(value).replace("'", "''") + "'"


def _opening(place: Place, shown: Shown) -> str:
    if place.is_warehouse:
        return 'warehouse = WarehouseEvents("postgresql://…")  # the URL that the dashboard was given'
    view = shown.view
    options = [f"{_python(view.clock)}", f"bots={view.bots}", "derived=True"]
    if place.lake is not True:
        options.append(f"lake={_python(place.lake)}")
    return f"history = read_history({_python(place.source)}, None, within, {', '.join(options)})"


def _python(value: object) -> str:
    if isinstance(value, Path):
        return repr(str(value.absolute()))
    if isinstance(value, datetime):
        return f"moment({value.astimezone(UTC).isoformat()!r})"
    if isinstance(value, tuple):
        return f"({', '.join(map(_python, value))})"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name!r}: {_python(list(values))}" for name, values in value.items()) + "}"
    return repr(value)
