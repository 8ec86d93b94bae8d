"""A raw bucket in memory, a real warehouse and a clock that a test sets, for the tests of the reconciler."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg

from chalicelib.envelope import iso_milliseconds
from chalicelib.keys import object_key
from chalicelib.projection import projector
from chalicelib.projection.reconciler.reading import Place
from chalicelib.projection.reconciler.run import Reconciled, reconcile
from chalicelib.warehouse.client import Warehouse
from chalicelib.warehouse.schema import SCHEMA
from command_line.home import BUCKET
from emulator.triggers.notification import object_created
from tests.support.counted_storage import CountedStorage

__all__ = ["NOON", "Reconciling"]

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


class Reconciling:
    """Everything that the reconciler needs, and what a test looks at afterwards."""

    def __init__(self, url: str) -> None:
        self.now = NOON + timedelta(minutes=30)
        self.url = url
        self.storage = CountedStorage(lambda: self.now)
        self.warehouse = Warehouse(url)
        self.settle = timedelta(minutes=10)
        self.has_time: Callable[[], bool] = lambda: True

    def close(self) -> None:
        """Close the connection."""
        self.warehouse.close()

    def upgrade(self) -> None:
        """Make the tables, as their owner."""
        with psycopg.connect(self.url) as connection:
            SCHEMA.upgrade(connection)

    def wait(self, **time: float) -> None:
        """Let time pass."""
        self.now += timedelta(**time)

    def put(
        self,
        received_at: datetime | None = None,
        *,
        hour: datetime | None = None,
        event_id: UUID | None = None,
        body: bytes | None = None,
        **members: Any,
    ) -> str:
        """Store an event, by default received now and in its own hour; give its key. There is no row of it yet."""
        at = received_at or self.now
        event = {"eventId": str(event_id or uuid4()), "eventName": "click", **members}
        event["_ingest"] = {"receivedAt": iso_milliseconds(at)}
        key = object_key(hour or at, uuid4())
        self.storage.put(BUCKET, key, json.dumps(event).encode() if body is None else body)
        return key

    def project(self, *keys: str) -> None:
        """Project objects as the trigger does."""
        event = {"Records": [record for key in keys for record in object_created(BUCKET, key, 1)["Records"]]}
        projector.handle(event, self.storage, self.warehouse)
        self.storage.forget_counts()

    def run(self) -> Reconciled:
        """Reconcile once; only requests of this run are counted."""
        self.storage.forget_counts()
        # The double has the methods of RawStorage that are needed.
        place = Place(BUCKET, self.storage, self.warehouse, 0, self.settle, self.has_time, lambda: self.now)  # type: ignore[arg-type]
        return reconcile(place)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the database itself."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(query.encode()).fetchall()

    def change(self, statement: str) -> None:
        """Change the database, as somebody else."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self.ask("SELECT count(*) FROM clickstream_events")[0][0])

    def hour(self, hour: datetime = NOON) -> dict[str, Any]:
        """What `clickstream_hours` says of an hour, without digest and time."""
        names = ("objects", "rows", "rejects", "repeats", "erased", "before_horizon", "complete")
        found = self.ask(f"SELECT {', '.join(names)} FROM clickstream_hours WHERE hour = '{hour.isoformat()}'")
        return dict(zip(names, found[0], strict=True))
