"""The account at the end: compares raw and warehouse with the acknowledged events, and runs `validate`."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from analysis.raw.partitions import hour_of
from chalicelib.contract import TABLE
from chalicelib.keys import PREFIX
from emulator.soak.commands import Findings, analysis, failed_checks
from emulator.soak.load import Acknowledged, digest
from emulator.soak.subject import Subject

__all__ = ["Account", "account"]

IDS = f"SELECT event_id::text FROM {TABLE}"  # noqa: S608  # a name of the contract
HOUR = timedelta(hours=1)


@dataclass
class Account:
    """Counts of objects and rows, and the event ids of every deviation.

    Attributes:
        objects: Number of raw objects.
        repeated_objects: Number of objects beyond the first one of their event.
        rows: Number of rows in the warehouse.
        not_in_raw: Acknowledged events without an object.
        altered: Acknowledged events whose object differs from the event as sent.
        not_in_warehouse: Stored or acknowledged events without a row.
        twice_in_warehouse: Events with more than one row.
        from_nowhere: Rows without an object.
        erased: Number of events that were erased during the soak.
        came_back: Erased events that have an object or a row.
        findings: Names of the checks of `validate` that failed.
        expected_findings: Names of failed checks that describe jumped clocks, and so are true.
    """

    objects: int = 0
    repeated_objects: int = 0
    rows: int = 0
    not_in_raw: list[str] = field(default_factory=list)
    altered: list[str] = field(default_factory=list)
    not_in_warehouse: list[str] = field(default_factory=list)
    twice_in_warehouse: list[str] = field(default_factory=list)
    from_nowhere: list[str] = field(default_factory=list)
    erased: int = 0
    came_back: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    expected_findings: list[str] = field(default_factory=list)

    @property
    def is_balanced(self) -> bool:
        """Whether there is no deviation and no finding."""
        lost = self.not_in_raw, self.altered, self.not_in_warehouse
        return not any((*lost, self.twice_in_warehouse, self.from_nowhere, self.came_back, self.findings))


def account(subject: Subject, acknowledged: Mapping[str, Acknowledged], start: datetime, end: datetime) -> Account:
    """Compare the acknowledged events with every object and every row, then run `validate`. Does not wait for rows.

    Args:
        subject: The stack under test.
        acknowledged: The acknowledged events, by event id.
        start: Start of the soak (UTC).
        end: End of the soak (UTC).
    """
    found = Account()
    of_key: dict[str, tuple[str, bytes]] = {}
    stored: Counter[str] = Counter()
    for key, event in _objects(subject.bucket):
        event.pop("_ingest")
        stored[event["eventId"]] += 1
        of_key[key] = event["eventId"], digest(event)
    found.objects, found.repeated_objects = len(of_key), len(of_key) - len(stored)
    for event_id, known in acknowledged.items():
        if known.key not in of_key:
            found.not_in_raw.append(event_id)
        elif of_key[known.key] != (event_id, known.digest):
            found.altered.append(event_id)
    with psycopg.connect(subject.stack.dw_url, autocommit=True) as connection:
        rows = Counter(event_id for (event_id,) in connection.execute(IDS))
    found.rows = rows.total()
    # An event can be stored without an acknowledgement if a connection broke; it has to become a row, too.
    found.not_in_warehouse = sorted((stored.keys() | acknowledged.keys()) - rows.keys())
    found.twice_in_warehouse = sorted(event_id for event_id, count in rows.items() if count > 1)
    found.from_nowhere = sorted(rows.keys() - stored.keys())
    found.erased, found.came_back = len(subject.erased), sorted(subject.erased & (stored.keys() | rows.keys()))
    hours = sorted({hour for hour in map(hour_of, of_key) if hour is not None})
    # The stack's clock may have been wrong.
    found.findings, found.expected_findings = _validate(subject, min([start, *hours]), max([end, *hours]))
    return found


def _objects(bucket: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in (bucket / PREFIX).rglob("*.json"):
        yield path.relative_to(bucket).as_posix(), json.loads(path.read_bytes())


def _validate(subject: Subject, start: datetime, end: datetime) -> Findings:
    """Run `validate` over the hours of both times, under a clock that is past the last time that the stack's showed."""
    span = start.replace(minute=0), (end + HOUR).replace(minute=0)
    start_text, end_text = (f"{hour:%Y-%m-%dT%H:00Z}" for hour in span)
    options = ["--start", start_text, "--end", end_text, "--settle", "0", "--json"]
    ahead = subject.clock.furthest + HOUR if subject.clock.furthest else None
    return failed_checks(subject, analysis(subject, "validate", *options, ahead=ahead))
