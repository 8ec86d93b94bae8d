"""The seeded week of the dashboard's tests, whose figures the seed knows exactly."""

from tests.analysis.dashboard.conftest import seeded

__all__ = ["seeded"]
