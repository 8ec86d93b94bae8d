"""The outcome of one check, the sentence that counts its findings, and findings of many events in one."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import polars as pl

__all__ = ["Check", "Severity", "counted", "grouped"]

Severity: TypeAlias = Literal["error", "warning", "info"]


@dataclass(frozen=True)
class Check:
    """The outcome of one check.

    Attributes:
        name: The check's name, which programs may rely on.
        severity: `error` or `warning` if somebody should act on a finding, `info` if nobody has to.
        observed: What the check found, as a sentence for people.
        expected: What the check would like to find, for people.
        advice: What to do about a finding, for people.
        findings: One mapping per finding: what it is about (a key, an id, …) and what is wrong.
    """

    name: str
    severity: Severity
    observed: str
    expected: str
    advice: str
    findings: list[dict[str, object]] = field(default_factory=list)

    @property
    def is_passed(self) -> bool:
        """Whether nobody has to act: the check has no finding, or its severity is `info`."""
        return not self.findings or self.severity == "info"


def counted(number: int, one: str, many: str) -> str:
    """Put a number before its sentence: `one` for 1, `many` for any other number."""
    return f"{number:,} {one if number == 1 else many}"


def grouped(events: pl.DataFrame, *names: str) -> pl.DataFrame:
    """Count the events of each combination of values, so that one mistake of a sender is one finding.

    Args:
        events: Columns `names`, `event_timestamp` and `key`, among others.
        names: The columns to group by.

    Returns:
        One row per combination, ordered by it: the columns `names`, then `first_seen` and `key`, the time and the
        object of its first event, and `events` (how many).
    """
    ordered = events.sort("event_timestamp", "key").rename({"event_timestamp": "first_seen"})
    first = pl.col("first_seen", "key").first()
    return ordered.group_by(names, maintain_order=True).agg(first, events=pl.len()).sort(names)
