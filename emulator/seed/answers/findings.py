"""The findings that validation must make: each planted fault, under the name of every check that finds it."""

import json
from collections import defaultdict
from typing import Any

__all__ = ["CHECKS", "Finding", "Findings"]

Finding = dict[str, Any]

CHECKS = (
    "missing_rows",
    "rows_without_object",
    "rejects",
    "repeated_event_ids",
    "missing_event_ids",
    "event_ids_that_are_no_uuid",
    "missing_fields",
    "unknown_event_names",
    "unknown_fields",
    "lost_values",
    "clock_skew",
    "late_events",
    "moved_days",
    "lost_events",
    "counted_drops",
    "repeated_seqs",
    "broken_sessions",
    "first_visit_contradictions",
    "discounts_above_price",
    "wrong_partitions",
    "raw_and_warehouse_differ",
    "rounded_prices",
    "other_price_decimals",
)

# The findings of these checks are names, each with the time of its first event and the number of its events.
BY_NAME = {"unknown_event_names": "event_name", "unknown_fields": "field", "rounded_prices": "member"}


class Findings:
    """Findings by check; the findings of many shoppers can be merged."""

    def __init__(self) -> None:
        self._found: dict[str, list[Finding]] = defaultdict(list)

    def add(self, check: str, **finding: Any) -> None:  # noqa: ANN401  # JSON
        """Add a finding of a check."""
        self._found[check].append(finding)

    def merge(self, other: "Findings") -> None:
        """Add the findings of others."""
        for check, found in other._found.items():  # noqa: SLF001  # of its own class
            self._found[check] += found

    def by_check(self) -> dict[str, list[Finding]]:
        """Return the findings of every check in a fixed order; a list may be empty."""
        checks = {check: list(self._found[check]) for check in CHECKS}
        for check, name in BY_NAME.items():
            checks[check] = _counted(checks[check], name)
        return {check: sorted(found, key=json.dumps) for check, found in checks.items()}


def _counted(found: list[Finding], name: str) -> list[Finding]:
    counted: dict[str, Finding] = {}
    for finding in found:
        known = counted.setdefault(finding[name], {**finding, "events": 0})
        known["first_seen"] = min(known["first_seen"], finding["first_seen"])
        known["events"] += 1
    return list(counted.values())
