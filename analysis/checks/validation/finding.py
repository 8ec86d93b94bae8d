"""The outcome of one check."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

__all__ = ["Check", "Severity"]

Severity: TypeAlias = Literal["error", "warning", "info"]


@dataclass(frozen=True)
class Check:
    """What a check found: `findings` name each of them (a key, an id, …) and say what is wrong; `advice` what to do.

    `observed` and `expected` are texts for people. A check without findings is passed.
    """

    name: str
    severity: Severity
    observed: str
    expected: str
    advice: str
    findings: list[dict[str, object]] = field(default_factory=list)

    @property
    def is_passed(self) -> bool:
        """Whether there is nothing to do."""
        return not self.findings or self.severity == "info"
