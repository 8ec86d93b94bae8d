"""Compaction: closed hours of raw become rows of the lake."""

from analysis.lake.compaction.outcome import Compacted
from analysis.lake.compaction.run import compact

__all__ = ["Compacted", "compact"]
