"""Check of the bucket's keys: objects below `events/` that no reader takes."""

from collections.abc import Iterable

from analysis.checks.validation.finding import Check, counted
from analysis.raw.strays import Stray

__all__ = ["stray_check"]


def stray_check(found: Iterable[Stray]) -> Check:
    """Report strays."""
    findings = [stray._asdict() for stray in found]
    return Check(
        "stray_objects",
        "warning",
        counted(
            len(findings),
            "key below events/ is not that of an event",
            "keys below events/ are not those of events",
        ),
        "none",
        "No metric counts these objects. Each finding says what to do. A key that ends with a slash is a whole folder.",
        findings,
    )
