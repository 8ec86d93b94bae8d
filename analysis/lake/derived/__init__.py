"""Derived columns: what a user agent, an address, a referrer and a time zone say about an event."""

from analysis.lake.derived.columns import DERIVED, SOURCES, with_derived

__all__ = ["DERIVED", "SOURCES", "with_derived"]
