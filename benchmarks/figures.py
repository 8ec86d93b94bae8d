"""The result of a benchmark of the whole stack: figures per case, some of them with a target."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

__all__ = ["PER_SECOND", "Case", "Figures", "waits"]

PER_SECOND = "objects/s"


@dataclass(frozen=True)
class Case:
    """One line of the table.

    Attributes:
        what: Name of the case.
        figures: Seconds by name, and PER_SECOND.
        targets: Limits by the same names: the least that PER_SECOND may be, and the most that the others may be.
    """

    what: str
    figures: Mapping[str, float]
    targets: Mapping[str, float]

    @property
    def is_met(self) -> bool:
        """Whether every figure meets its target."""
        return all(
            self.figures[name] >= limit if name == PER_SECOND else self.figures[name] <= limit
            for name, limit in self.targets.items()
        )


@dataclass(frozen=True)
class Figures:
    """The result of one benchmark: its name, the title of its table, and its cases, which all have the same figures."""

    name: str
    title: str
    cases: tuple[Case, ...]

    @property
    def is_met(self) -> bool:
        """Whether every case meets its targets."""
        return all(case.is_met for case in self.cases)


def waits(seconds: Sequence[float]) -> dict[str, float]:
    """Return the median, the 95th percentile and the longest of at least two waits."""
    return {"p50": median(seconds), "p95": quantiles(seconds, n=20, method="inclusive")[18], "max": max(seconds)}
