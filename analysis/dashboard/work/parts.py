"""Finds the parts of metrics that several metrics of a page have in common, so that an engine computes each once."""

from collections.abc import Mapping
from hashlib import sha256

from analysis.engines.protocol import PARAMETER
from analysis.metrics.statement import part

__all__ = ["kept_name", "with_kept_parts"]

# Parts with few rows, and costly to compute, by their file.
PARTS = {
    "session_visitors": "acquisition/session_visitors",
    "session_groups": "acquisition/session_groups",
    "latest_products": "latest_products",
}


def kept_name(sql: str, parameters: Mapping[str, object]) -> str:
    """Name a table by the query that gives it, and by the parameters that the query uses."""
    used = {name: parameters[name] for name in sorted({*PARAMETER.findall(sql)} & parameters.keys())}
    return f"kept_{sha256(repr((sql, used)).encode()).hexdigest()[:32]}"


def with_kept_parts(sql: str, parameters: Mapping[str, object]) -> tuple[str, dict[str, str]]:
    """Let a metric's query read its common parts from tables.

    Args:
        sql: The query, as `statement` builds it.
        parameters: Its parameters.

    Returns:
        The query, and for each table that it reads its name and the query that gives its rows.
    """
    tables = {}
    for name, file in PARTS.items():
        text = part(name, file)
        before, found, after = sql.partition(text)
        if found:
            rows = f"{before}{text}\nSELECT * FROM {name}"  # our own names
            table = kept_name(rows, parameters)
            tables[table] = rows
            sql = f"{before}{name} AS (FROM {table}){after}"
    return sql, tables
