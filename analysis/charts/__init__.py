"""Altair charts of metrics.

Importing this package makes notebooks show charts as SVG, which needs neither network nor script.
"""

from analysis.charts import funnel, overview, products, retention, sessions, validation
from analysis.charts.theme import enable

__all__ = ["funnel", "overview", "products", "retention", "sessions", "validation"]

enable()
