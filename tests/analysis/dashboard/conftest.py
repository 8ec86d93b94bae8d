"""A seeded week of a shop, and the exact figures that the seed knows of it, also under filters."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from analysis.dashboard.events import Place
from emulator.seed.answers.acquisition import session_groups
from emulator.seed.answers.events import Events
from emulator.seed.answers.overview import visitor_type
from emulator.seed.answers.table import Table
from emulator.seed.clock import milliseconds
from emulator.seed.record import Record
from emulator.seed.shards import read_records, shards, write_shard
from emulator.seed.store import Store

START, END = datetime(2026, 11, 13, tzinfo=UTC), datetime(2026, 11, 20, tzinfo=UTC)
NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
WEEK = Store(seed=5, days=7, shoppers=120, end=milliseconds(END), is_clean=False, only=None)

MONEY = ("revenue",)  # which answers have as text
Chosen = Mapping[str, Sequence[str]]
OF_EVENTS: Mapping[str, Callable[[Record], str | None]] = {
    "visitor": visitor_type,
    "device": lambda record: record.origin.device if record.origin else None,
    "browser": lambda record: record.origin.browser if record.origin else None,
    "country": lambda record: record.origin.country if record.origin else None,
}
OF_SESSIONS = {"channel": "channel", "campaign": "campaign", "landing": "landing_page"}
OF_PRODUCTS: Mapping[str, Callable[[Record], str | None]] = {
    "category": lambda record: record.category,
    "brand": lambda record: record.brand,
    "product": lambda record: record.product_id,
}


class Seeded(NamedTuple):
    """A history: its bucket, and the records that its generator knows."""

    bucket: Path
    records: Sequence[Record]

    @property
    def place(self) -> Place:
        """The place that a dashboard shows."""
        return Place(self.bucket, None, lake=False)

    def events(self, filters: Chosen, zone: str = "UTC", login_state: str | None = None) -> Events:
        """The events of the whole history that filters leave."""
        every = Events(self.records, None, zone)
        kept = every.all
        for name, values in filters.items():
            if name in OF_EVENTS:
                kept = [record for record in kept if (OF_EVENTS[name](record) or "unknown") in values]
                continue
            if name in OF_SESSIONS:
                groups = session_groups(every, OF_SESSIONS[name])
                sessions = {session for session, group in groups.items() if group in values}
            else:
                sessions = {record.session_id or "" for record in every.all if OF_PRODUCTS[name](record) in values}
            kept = [record for record in kept if record.session_id in sessions]
        return Events(kept, login_state, zone)

    def answer(
        self,
        metric: Callable[..., Table],
        filters: Chosen | None = None,
        zone: str = "UTC",
        login_state: str | None = None,
        **arguments: Any,
    ) -> list[dict[str, Any]]:
        """The rows that a metric must give over the whole history."""
        columns, rows = metric(self.events(filters or {}, zone, login_state), **arguments)
        return [
            {
                name: Decimal(value) if name in MONEY and value is not None else value
                for name, value in zip(columns, row, strict=True)
            }
            for row in rows
        ]


def plain(rows: Sequence[Mapping[str, object]]) -> list[dict[str, Any]]:
    """Rows of a frame as the answers have them; amounts of money are numbers in both."""
    return [{name: _plain(value) for name, value in row.items()} for row in rows]


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Decimal(value) if isinstance(value, Decimal) else value


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Seeded:
    """Give a week of a shop, with faults."""
    folder = tmp_path_factory.mktemp("dashboard")
    bucket = folder / "bucket"
    bucket.mkdir()
    parts = shards(WEEK, bucket, folder)
    for part in parts:
        write_shard(part)
    return Seeded(bucket, list(read_records([part.records for part in parts])))
