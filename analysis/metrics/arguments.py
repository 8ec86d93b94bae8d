"""Checks of the arguments of metrics."""

from collections.abc import Collection

from analysis.errors import AnalysisError

__all__ = ["check_choice", "check_limit"]


def check_choice(name: str, value: object, choices: Collection[object]) -> None:
    """Raise AnalysisError unless `value` is one of `choices`."""
    if value not in choices:
        raise AnalysisError(f"{name} must be one of {', '.join(str(choice) for choice in choices)}, not {value!r}")


def check_limit(limit: int | None) -> None:
    """Raise AnalysisError if `limit` is negative; None means all rows."""
    if limit is not None and limit < 0:
        raise AnalysisError(f"limit must be a number of rows, 0 or more, not {limit}")
