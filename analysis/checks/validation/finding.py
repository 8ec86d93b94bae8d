"""The outcome of one check, the sentence that counts its findings, and findings of many events in one."""

from collections.abc import Iterable, Sequence
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


def grouped(
    parts: Iterable[pl.DataFrame], *names: str, first: Sequence[str] = (), most: Sequence[str] = ()
) -> pl.DataFrame:
    """Count the events of each combination of values, so that one mistake of a sender is one finding.

    Args:
        parts: The events, in one frame or more: columns `names`, `event_timestamp` and `key`, among others.
        names: The columns to group by.
        first: Further columns, whose values of the first event are kept.
        most: Further columns, of which the greatest value is kept.

    Returns:
        One row per combination, ordered by it: the columns `names`, then `first_seen` and `key`, the time and the
        object of its first event, `events` (how many), and the columns `first` and `most`.
    """
    sums = [pl.col("first_seen").min(), pl.col("events").sum(), *(pl.col(name).max() for name in most)]
    columns = (*names, "first_seen", "key", "events", *first, *most)

    def group(counted: pl.DataFrame) -> pl.DataFrame:
        groups = counted.group_by(names).agg(sums)
        # Only the events of the first moment are put in order, not all.
        earliest = counted.join(groups, on=[*names, "first_seen"], how="semi", nulls_equal=True).sort("key")
        firsts = earliest.unique(names, keep="first", maintain_order=True).select(*names, "key", *first)
        return groups.join(firsts, on=names, nulls_equal=True).select(columns)

    one = pl.lit(1, pl.UInt32)
    groups = [group(part.with_columns(first_seen="event_timestamp", events=one)) for part in parts]
    return group(pl.concat(groups)).sort(names)
