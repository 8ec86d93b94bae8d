"""The account at the end: compares raw and warehouse with the acknowledged events, and runs `validate`."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from chalicelib.contract import TABLE
from command_line.home import BUCKET
from emulator.soak.load import Acknowledged, digest
from emulator.soak.subject import ROOT, Subject

__all__ = ["Account", "account"]

IDS = f"SELECT event_id::text FROM {TABLE}"  # noqa: S608  # a name of the contract
VALIDATE_SECONDS = 1800


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
        findings: Names of the checks of `validate` that failed.
    """

    objects: int = 0
    repeated_objects: int = 0
    rows: int = 0
    not_in_raw: list[str] = field(default_factory=list)
    altered: list[str] = field(default_factory=list)
    not_in_warehouse: list[str] = field(default_factory=list)
    twice_in_warehouse: list[str] = field(default_factory=list)
    from_nowhere: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    @property
    def is_balanced(self) -> bool:
        """Whether there is no deviation and no finding."""
        wrong = (self.not_in_raw, self.altered, self.not_in_warehouse, self.twice_in_warehouse, self.from_nowhere)
        return not any(wrong) and not self.findings


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
    found.findings = _validate(subject, start, end)
    return found


def _objects(bucket: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in bucket.rglob("*.json"):
        yield path.relative_to(bucket).as_posix(), json.loads(path.read_bytes())


def _validate(subject: Subject, start: datetime, end: datetime) -> list[str]:
    """Run `python -m analysis validate` as an analyst would, and return the names of the failed checks."""
    hours = (start.replace(minute=0), (end + timedelta(hours=1)).replace(minute=0))
    span = [f"{hour:%Y-%m-%dT%H:00Z}" for hour in hours]
    where = ["--source", str(subject.home.s3 / BUCKET), "--dw", subject.stack.dw_url]
    command = [
        sys.executable,
        "-m",
        "analysis",
        "validate",
        *where,
        "--start",
        span[0],
        "--end",
        span[1],
        "--settle",
        "0",
        "--json",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=VALIDATE_SECONDS, check=False)
    if done.returncode not in (0, 1):
        return [done.stderr.strip() or f"validate ended with {done.returncode}"]
    return [check["name"] for check in json.loads(done.stdout)["checks"] if not check["passed"]]
