"""The outcome of one check, and the sentence that counts its findings."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

__all__ = ["Check", "Severity", "counted"]

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
