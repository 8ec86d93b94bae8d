"""Altair charts of metrics, one module per topic.

Each function takes a metric's frame and returns a chart. Importing this package makes notebooks show charts with
tooltips, or as SVG where they cannot. Neither needs a network.
"""

from analysis.charts import funnel, overview, products, retention, sessions, validation
from analysis.charts.theme import enable

__all__ = ["funnel", "overview", "products", "retention", "sessions", "validation"]

enable()
