"""Analysis of collected events: over raw storage, where one object is one event, and over the warehouse."""

from analysis.errors import AnalysisError
from analysis.rows.reader import Events, read_events, read_objects

__all__ = ["AnalysisError", "Events", "read_events", "read_objects"]
