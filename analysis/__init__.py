"""The analysis library: raw events, the warehouse, and every metric over both; see docs/library.md.

Each name is loaded when it is first used, since Polars, DuckDB and boto3 take longer to import than `--help` to run.
The modules behind this page may move; these names stay.
"""

from typing import TYPE_CHECKING

__all__ = [
    "CHECKOUT",
    "RAW_FIELDS",
    "AnalysisError",
    "AthenaEvents",
    "Check",
    "Engine",
    "Events",
    "FilteredEvents",
    "History",
    "Lake",
    "LakeEvents",
    "LakeWarning",
    "LoginState",
    "NoTable",
    "Range",
    "RawEvents",
    "Sample",
    "SparkEvents",
    "ValidationReport",
    "WarehouseEvents",
    "by_login_state",
    "carts",
    "charts",
    "discount_effect",
    "events_over_time",
    "funnel",
    "funnel_dropped",
    "funnel_times",
    "key_figures",
    "key_figures_over_time",
    "latest_events",
    "latest_product_events",
    "moment",
    "open_history",
    "open_lake",
    "overview",
    "path_links",
    "paths",
    "products",
    "read_events",
    "read_history",
    "read_objects",
    "rebuilt_sessions",
    "retention",
    "revenue",
    "revenue_by",
    "revenue_by_category",
    "revenue_by_product",
    "revenue_over_time",
    "search_terms",
    "session_summary",
    "sessions",
    "sessions_by",
    "span",
    "spark_session",
    "top_brands",
    "top_categories",
    "top_events",
    "top_pages",
    "validate",
    "visitor_events",
    "visitor_types",
    "visitors",
]

if TYPE_CHECKING:
    from analysis import charts
    from analysis.checks.validation.finding import Check
    from analysis.checks.validation.report import ValidationReport
    from analysis.checks.validation.run import validate
    from analysis.dashboard.filters import FilteredEvents
    from analysis.engines.athena import AthenaEvents
    from analysis.engines.lake import LakeEvents
    from analysis.engines.protocol import Engine
    from analysis.engines.raw import RawEvents
    from analysis.engines.spark import SparkEvents, spark_session
    from analysis.engines.warehouse import WarehouseEvents
    from analysis.errors import AnalysisError, LakeWarning, NoTable
    from analysis.history import History, open_history, read_history
    from analysis.lake.reading.tables import Lake, open_lake
    from analysis.metrics.acquisition import revenue_by, search_terms, sessions_by, top_pages
    from analysis.metrics.carts import carts
    from analysis.metrics.funnel import CHECKOUT, funnel, funnel_dropped, funnel_times
    from analysis.metrics.overview import (
        by_login_state,
        events_over_time,
        key_figures,
        key_figures_over_time,
        latest_product_events,
        overview,
        top_brands,
        top_categories,
        top_events,
        visitor_types,
    )
    from analysis.metrics.paths import path_links, paths
    from analysis.metrics.products import discount_effect, products
    from analysis.metrics.range import LoginState, Range, moment, span
    from analysis.metrics.retention import retention
    from analysis.metrics.revenue import revenue, revenue_by_category, revenue_by_product, revenue_over_time
    from analysis.metrics.sessions import rebuilt_sessions, session_summary, sessions
    from analysis.metrics.visitors import latest_events, visitor_events, visitors
    from analysis.raw.objects import read_objects
    from analysis.raw.sample import Sample
    from analysis.rows.fields import RAW_FIELDS
    from analysis.rows.reader import Events, read_events
else:  # hidden from type checkers, which would take any name of this package for one that there is
    from importlib import import_module

    _NAMES = {
        "checks.validation.finding": ("Check",),
        "checks.validation.report": ("ValidationReport",),
        "checks.validation.run": ("validate",),
        "dashboard.filters": ("FilteredEvents",),
        "engines.athena": ("AthenaEvents",),
        "engines.lake": ("LakeEvents",),
        "engines.protocol": ("Engine",),
        "engines.raw": ("RawEvents",),
        "engines.spark": ("SparkEvents", "spark_session"),
        "engines.warehouse": ("WarehouseEvents",),
        "errors": ("AnalysisError", "LakeWarning", "NoTable"),
        "history": ("History", "open_history", "read_history"),
        "lake.reading.tables": ("Lake", "open_lake"),
        "metrics.acquisition": ("revenue_by", "search_terms", "sessions_by", "top_pages"),
        "metrics.carts": ("carts",),
        "metrics.funnel": ("CHECKOUT", "funnel", "funnel_dropped", "funnel_times"),
        "metrics.overview": (
            "by_login_state",
            "events_over_time",
            "key_figures",
            "key_figures_over_time",
            "latest_product_events",
            "overview",
            "top_brands",
            "top_categories",
            "top_events",
            "visitor_types",
        ),
        "metrics.paths": ("path_links", "paths"),
        "metrics.products": ("discount_effect", "products"),
        "metrics.range": ("LoginState", "Range", "moment", "span"),
        "metrics.retention": ("retention",),
        "metrics.revenue": ("revenue", "revenue_by_category", "revenue_by_product", "revenue_over_time"),
        "metrics.sessions": ("rebuilt_sessions", "session_summary", "sessions"),
        "metrics.visitors": ("latest_events", "visitor_events", "visitors"),
        "raw.objects": ("read_objects",),
        "raw.sample": ("Sample",),
        "rows.fields": ("RAW_FIELDS",),
        "rows.reader": ("Events", "read_events"),
    }
    _MODULES = {name: f"analysis.{module}" for module, names in _NAMES.items() for name in names}

    def __getattr__(name: str) -> object:
        """Load a public name from the module that defines it."""
        if name == "charts":
            return import_module("analysis.charts")
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_MODULES[name]), name)
        return value

    def __dir__() -> list[str]:
        """Name what is public, loaded or not, for a console's completion."""
        return sorted({*globals(), *__all__})
