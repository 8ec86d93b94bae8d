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
    "altered_rows",
    "stray_objects",
    "objects_without_receipt",
    "other_publishers",
    "impossible_prices",
    "bots",
    "one_hit_clients",
)

# A finding of these checks is about all events that have these members in common. It has the time of the first of them,
# and their number.
GROUPED_BY = {
    "unknown_event_names": ("event_name",),
    "unknown_fields": ("field",),
    "rounded_prices": ("member",),
    "missing_fields": ("event_name", "field"),
    "lost_values": ("event_name", "column", "member", "reason"),
}


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
        for check, names in GROUPED_BY.items():
            checks[check] = _counted(checks[check], names)
        return {check: sorted(found, key=json.dumps) for check, found in checks.items()}


def _counted(found: list[Finding], names: tuple[str, ...]) -> list[Finding]:
    counted: dict[tuple[str, ...], Finding] = {}
    for finding in found:
        known = counted.setdefault(tuple(finding[name] for name in names), {**finding, "events": 0})
        known["first_seen"] = min(known["first_seen"], finding["first_seen"])
        known["events"] += 1
    return list(counted.values())
