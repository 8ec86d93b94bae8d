"""The result of a benchmark of many sizes: one line per measured value, some of them with a target."""

from dataclasses import dataclass

__all__ = ["Line", "Targets"]


@dataclass(frozen=True)
class Line:
    """One measured value.

    Attributes:
        what: What was measured.
        value: The value.
        unit: Its unit, such as `s`, `GB` or `x`, a ratio.
        most: The most that the value may be.
        least: The least that it has to be.
        beside: What the value is to be compared with, or how it came about.
    """

    what: str
    value: float
    unit: str
    most: float | None = None
    least: float | None = None
    beside: str = ""

    @property
    def has_target(self) -> bool:
        """Whether there is a target."""
        return self.most is not None or self.least is not None

    @property
    def is_met(self) -> bool:
        """Whether the value meets its target, if it has one."""
        return (self.most is None or self.value <= self.most) and (self.least is None or self.value >= self.least)


@dataclass(frozen=True)
class Targets:
    """The result of one benchmark: its name, the title of its table, and its lines."""

    name: str
    title: str
    lines: tuple[Line, ...]

    @property
    def is_met(self) -> bool:
        """Whether every target is met."""
        return all(line.is_met for line in self.lines)
