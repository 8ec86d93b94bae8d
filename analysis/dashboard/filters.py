"""The filters: each is one SQL condition with parameters, under which every metric works unchanged."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import polars as pl

from analysis.dashboard.work.parts import kept_name, with_kept_parts
from analysis.engines.compacted import CompactedEvents
from analysis.engines.protocol import Engine
from analysis.engines.raw import RawEvents
from analysis.errors import AnalysisError
from analysis.metrics.statement import TIE_ORDER
from chalicelib.contract import TABLE

__all__ = ["FILTERS", "Filter", "FilteredEvents", "values_of"]

UNKNOWN = "unknown"
MOST_VALUES = 200  # that a menu offers
RANGE = "event_timestamp >= CAST($start AS TIMESTAMPTZ) AND event_timestamp < CAST($end AS TIMESTAMPTZ)"


@dataclass(frozen=True)
class Filter:
    """One filter.

    Attributes:
        value: SQL of the value of an event, or of a session that `GROUP BY session_id` makes. Never null.
        of_sessions: Whether the filter keeps all events of the sessions that have the value, or else of products only
            the events that have it.
        condition: SQL that an event has to fulfil to count for the value.
        is_derived: Whether it needs the derived columns.
        choices: All values that there are; empty if any text may be one.
    """

    value: str
    of_sessions: bool = False
    condition: str = "TRUE"
    is_derived: bool = False
    choices: tuple[str, ...] = ()

    def check(self, value: str) -> None:
        """Raise AnalysisError if there can be no such value."""
        if self.choices and value not in self.choices:
            raise AnalysisError(f"{value!r} is no value of this filter: choose from {', '.join(self.choices)}")

    def reason(self, engine: Engine) -> str | None:
        """Say why an engine cannot filter by this; None if it can."""
        if self.is_derived and not engine.has_derived:
            return "the warehouse has no such column: it is in raw and in the lake"
        return None


def _of_event(column: str, *, choices: tuple[str, ...] = ()) -> Filter:
    return Filter(f"COALESCE({column}, '{UNKNOWN}')", is_derived=True, choices=choices)


def _of_session(column: str, otherwise: str, known: str | None = None) -> Filter:
    """Make a filter by the value at a session's first event that has one, or that has `known`; as `sessions_by`."""
    ordered = f"ARRAY_AGG({column} ORDER BY event_timestamp, tie_order)"
    first = f"({ordered} FILTER (WHERE {known or column} IS NOT NULL))[1]"
    return Filter(f"COALESCE({first}, '{otherwise}')", of_sessions=True, is_derived=True)


def _of_product(column: str) -> Filter:
    return Filter(column, of_sessions=True, condition=f"{column} IS NOT NULL")


FILTERS: Mapping[str, Filter] = MappingProxyType(
    {
        "visitor": Filter(
            f"CASE is_first_visit WHEN TRUE THEN 'new' WHEN FALSE THEN 'returning' ELSE '{UNKNOWN}' END",
            choices=("new", "returning", UNKNOWN),
        ),
        "device": _of_event("device"),
        "browser": _of_event("browser"),
        "country": _of_event("country"),
        "channel": _of_session("acquisition_channel", "Direct"),
        "campaign": _of_session("utm_campaign", "(not set)", "acquisition_channel"),
        "landing": _of_session("page_path", UNKNOWN),
        "category": _of_product("context_product_category"),
        "brand": _of_product("context_product_brand"),
        "product": _of_product("context_product_id"),
    }
)


class FilteredEvents:
    """The events of another engine that filters leave. Every metric works over it unchanged."""

    def __init__(self, engine: Engine, filters: Mapping[str, Collection[str]]) -> None:
        """Filter the events of an engine.

        Several filters have to hold together; of one filter, any of the values. A filter by visitor, device, browser
        and country chooses events. A filter by channel, campaign and landing page chooses sessions, by the first value
        in the range. A filter by category, brand and product chooses the sessions in which such a product occurs.
        NULL is `unknown`.

        Args:
            engine: The engine.
            filters: The values of each filter, by its name: `visitor` (`new`, `returning`, `unknown`), `device`,
                `browser`, `country`, `channel`, `campaign`, `landing`, `category`, `brand`, `product` (its id).

        Raises:
            AnalysisError: A filter or a value is unknown, or the engine lacks its column.
        """
        for name, values in filters.items():
            if name not in FILTERS:
                raise AnalysisError(f"there is no filter {name!r}: choose from {', '.join(FILTERS)}")
            if reason := FILTERS[name].reason(engine):
                raise AnalysisError(f"these events cannot be filtered by {name}: {reason}")
            for value in values:
                FILTERS[name].check(value)
        self.engine = engine
        self.filters = {name: sorted(values) for name, values in filters.items()}
        self.has_orders = engine.has_orders
        self.has_derived = engine.has_derived

    @property
    def price_decimals(self) -> int:
        """As of the engine."""
        return self.engine.price_decimals

    def query(self, sql: str, parameters: Mapping[str, object]) -> pl.DataFrame:
        """Run one query, as `Engine` says, over the events that are left."""
        if not isinstance(self.engine, (RawEvents, CompactedEvents)):
            return self.engine.query(*self.filtered(sql, parameters))
        # What is the same for many queries of a page takes as long as a query: the sessions that a filter chooses, and
        # common parts of metrics.
        text, values = self.filtered(sql, parameters)
        tables = {}
        for name in self.filters:
            if FILTERS[name].of_sessions:
                chosen = _chosen(name, has_range=_has_range(parameters))
                table = kept_name(chosen, values)
                tables[table] = chosen
                text = text.replace(f"({chosen})", f"(FROM {table})")
        text, parts = with_kept_parts(text, values)
        return self.engine.query(text, values, tables | parts)

    def filtered(self, sql: str, parameters: Mapping[str, object]) -> tuple[str, Mapping[str, object]]:
        """Give a query and its parameters so that the engine gives the filtered result."""
        if not self.filters:
            return sql, parameters
        conditions = (_condition(name, has_range=_has_range(parameters)) for name in self.filters)
        rows = f"(SELECT * FROM {TABLE} WHERE {' AND '.join(conditions)})"  # noqa: S608  # our own names
        chosen = {_parameter(name): values for name, values in self.filters.items()}
        return sql.replace(TABLE, rows), {**parameters, **chosen}


def values_of(engine: Engine, name: str, parameters: Mapping[str, object]) -> pl.DataFrame:
    """Count the values of a filter among the events of a range.

    Returns:
        One row per value, at most 200: `value`, and `events`, or `sessions` of a filter by sessions. Order: the count,
        most first, then value.

    Raises:
        AnalysisError: The engine lacks the filter's column.
    """
    chosen = FILTERS[name]
    if reason := chosen.reason(engine):
        raise AnalysisError(f"these events cannot be filtered by {name}: {reason}")
    if not chosen.of_sessions:
        rows, count = f"SELECT {chosen.value} AS value FROM {TABLE} WHERE {RANGE}", "events"  # noqa: S608  # our own names
    else:
        rows, count = _sessions(chosen, has_range=True), "sessions"
    text = f"""
    SELECT value COLLATE "C" AS value, COUNT(*) AS {count} FROM ({rows}) AS rows
    GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MOST_VALUES}
    """  # noqa: S608  # as above
    return engine.query(text, parameters)


def _parameter(name: str) -> str:
    return f"filter_{name}"


def _condition(name: str, *, has_range: bool) -> str:
    chosen = FILTERS[name]
    if not chosen.of_sessions:
        return f"{chosen.value} {_among(name)}"
    return f"session_id IN ({_chosen(name, has_range=has_range)})"


def _chosen(name: str, *, has_range: bool) -> str:
    """Give SQL of the sessions that a filter by sessions keeps."""
    sessions = _sessions(FILTERS[name], has_range=has_range)
    return f"SELECT session_id FROM ({sessions}) AS valued WHERE value {_among(name)}"  # noqa: S608  # our own names


def _among(name: str) -> str:
    return f"= ANY(CAST(${_parameter(name)} AS TEXT[]))"


def _has_range(parameters: Mapping[str, object]) -> bool:
    return {"start", "end"} <= parameters.keys()


def _sessions(chosen: Filter, *, has_range: bool) -> str:
    """Give SQL of each session with its value, or with each of its values."""
    condition = f"session_id IS NOT NULL AND {RANGE if has_range else 'TRUE'}"
    if chosen.condition != "TRUE":
        return (
            f"SELECT DISTINCT session_id, {chosen.value} AS value FROM {TABLE} WHERE {condition} AND {chosen.condition}"  # noqa: S608  # our own names
        )
    ordered = f"SELECT *, {TIE_ORDER} FROM {TABLE} WHERE {condition}"  # noqa: S608  # as above
    return f"SELECT session_id, {chosen.value} AS value FROM ({ordered}) AS ordered GROUP BY session_id"  # noqa: S608  # as above
