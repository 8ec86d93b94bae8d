"""The last proof: the whole warehouse is deleted, and made again from raw."""

import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg

from chalicelib.contract import COLUMNS, EVENT_ID, EVENT_TIMESTAMP, TABLE
from chalicelib.flatten import Row, flatten
from chalicelib.warehouse.client import REJECTS
from command_line.errors import CommandError
from emulator.soak.subject import ROOT, Subject

__all__ = ["Rebuilt", "rebuild"]

NAMES = ", ".join(column.name for column in COLUMNS)
ROWS = f"SELECT {NAMES} FROM {TABLE}"  # noqa: S608  # names of the contract
DROP = f"DROP TABLE IF EXISTS {TABLE}, {REJECTS}"
REBUILD_SECONDS = 1800


@dataclass
class Rebuilt:
    """How many rows there are again, and event ids of what is wrong with them.

    `other_ids` were there before, or are now, but not both; `other_rows` are not what their event, or of an event that
    is in raw twice the first received, projects to.
    """

    rows: int = 0
    of_repeated_events: int = 0
    other_ids: list[str] = field(default_factory=list)
    other_rows: list[str] = field(default_factory=list)

    @property
    def is_same(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.other_ids or self.other_rows)


def rebuild(subject: Subject) -> Rebuilt:
    """Drop the tables, run `backfill --rebuild`, compare. Raises CommandError if that fails."""
    before = _rows(subject)
    with psycopg.connect(subject.stack.dw_url, autocommit=True) as connection:
        connection.execute(DROP)
    where = ["--source", str(subject.bucket), "--dw", subject.stack.dw_url]
    command = [sys.executable, "-m", "analysis", "backfill", "--rebuild", "--json", *where]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=REBUILD_SECONDS, check=False)
    if done.returncode != 0:
        raise CommandError(f"the warehouse was not rebuilt: {done.stderr.strip()}")
    after = _rows(subject)
    of_event = _projections(subject)
    rebuilt = Rebuilt(len(after), sum(len(projections) > 1 for projections in of_event.values()))
    rebuilt.other_ids = sorted(str(each) for each in before.keys() ^ after.keys())
    for event_id, row in after.items():
        first, *others = of_event.get(event_id, [(None, "", ())])
        # Of an event that is in raw twice, before it was the row of the first *projected*.
        if row != first[-1] or not (others or row == before.get(event_id)):
            rebuilt.other_rows.append(str(event_id))
    return rebuilt


def _rows(subject: Subject) -> dict[UUID, Row]:
    with psycopg.connect(subject.stack.dw_url) as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        return {row[EVENT_ID]: row for row in connection.execute(ROWS)}


def _projections(subject: Subject) -> dict[Any, list[tuple[Any, str, Row]]]:
    """By event id, each object's time of receipt, key and row, the first received first."""
    found: dict[Any, list[tuple[Any, str, Row]]] = {}
    for path in subject.bucket.rglob("*.json"):
        key = path.relative_to(subject.bucket).as_posix()
        row = flatten(path.read_bytes(), key, datetime.min.replace(tzinfo=UTC))
        found.setdefault(row[EVENT_ID], []).append((row[EVENT_TIMESTAMP], key, row))
    return {event_id: sorted(projections) for event_id, projections in found.items()}
