"""The last check: deletes the whole warehouse, rebuilds it from raw, and compares it with the one before."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg

from chalicelib.contract import COLUMNS, EVENT_ID, EVENT_TIMESTAMP, TABLE
from chalicelib.flatten import Row, flatten
from chalicelib.keys import PREFIX
from chalicelib.settings import price_decimals
from chalicelib.warehouse.tables import REJECTS
from command_line.errors import CommandError
from emulator.soak.commands import analysis
from emulator.soak.subject import Subject

__all__ = ["Rebuilt", "rebuild"]

NAMES = ", ".join(column.name for column in COLUMNS)
ROWS = f"SELECT {NAMES} FROM {TABLE}"  # noqa: S608  # names of the contract
DROP = f"DROP TABLE IF EXISTS {TABLE}, {REJECTS}"


@dataclass
class Rebuilt:
    """The rebuilt warehouse, compared with the one before.

    Attributes:
        rows: Number of rows after the rebuild.
        of_repeated_events: Number of events that are in more than one raw object.
        other_ids: Event ids that have a row only before or only after the rebuild.
        other_rows: Event ids whose row is not the projection of the first received object.
    """

    rows: int = 0
    of_repeated_events: int = 0
    other_ids: list[str] = field(default_factory=list)
    other_rows: list[str] = field(default_factory=list)

    @property
    def is_same(self) -> bool:
        """Whether the rebuilt warehouse is right."""
        return not (self.other_ids or self.other_rows)


def rebuild(subject: Subject) -> Rebuilt:
    """Drop the tables, run `backfill --rebuild`, and compare. Raises CommandError if `backfill` fails."""
    before = _rows(subject)
    with psycopg.connect(subject.stack.dw_url, autocommit=True) as connection:
        connection.execute(DROP)
    done = analysis(subject, "backfill", "--rebuild", "--json")
    if done.returncode != 0:
        raise CommandError(f"the warehouse was not rebuilt: {done.stderr.strip()}")
    after = _rows(subject)
    of_event = _projections(subject)
    rebuilt = Rebuilt(len(after), sum(len(projections) > 1 for projections in of_event.values()))
    rebuilt.other_ids = sorted(str(each) for each in before.keys() ^ after.keys())
    for event_id, row in after.items():
        first, *others = of_event.get(event_id, [(None, "", ())])
        # Before the rebuild, an event that is in raw twice had the row of the first *projected* object.
        if row != first[-1] or not (others or row == before.get(event_id)):
            rebuilt.other_rows.append(str(event_id))
    return rebuilt


def _rows(subject: Subject) -> dict[UUID, Row]:
    with psycopg.connect(subject.stack.dw_url) as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        return {row[EVENT_ID]: row for row in connection.execute(ROWS)}


def _projections(subject: Subject) -> dict[Any, list[tuple[Any, str, Row]]]:
    """Return time of receipt, key and row of each object, by event id; the first received comes first."""
    found: dict[Any, list[tuple[Any, str, Row]]] = {}
    for path in (subject.bucket / PREFIX).rglob("*.json"):
        key = path.relative_to(subject.bucket).as_posix()
        row = flatten(path.read_bytes(), key, datetime.min.replace(tzinfo=UTC), price_decimals())
        found.setdefault(row[EVENT_ID], []).append((row[EVENT_TIMESTAMP], key, row))
    return {event_id: sorted(projections) for event_id, projections in found.items()}
