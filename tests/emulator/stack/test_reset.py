from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import psycopg
import pytest

from analysis.raw.sample import MARKER, Sample, read_sample
from chalicelib.flatten import flatten
from chalicelib.warehouse.client import Warehouse
from chalicelib.warehouse.horizon import record_horizon, recorded_horizon
from command_line.errors import CommandError
from command_line.home import Stack
from emulator.api.running import Running
from emulator.stack.faults import FaultSwitches
from emulator.stack.reset import Reset
from emulator.triggers.watch import Triggers
from tests.support.running import running, store

KEY = "events/2026/11/24/09/event-1.json"


class Doubles:
    """Triggers and switches that note, in order, what a reset does."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    @contextmanager
    def held(self) -> Iterator[None]:
        self.steps.append("hold")
        yield
        self.steps.append("release")

    def all_off(self) -> None:
        self.steps.append("faults off")

    def forget_shoppers(self) -> None:
        self.steps.append("shoppers go")


@pytest.fixture
def filled(tmp_path: Path, warehouse_url: str) -> Running:
    """Give a stack with an object, a row and a reject."""
    stack = running(tmp_path, warehouse_url)
    store(stack, KEY, '{"eventId": "e"}')
    warehouse = Warehouse(warehouse_url)
    warehouse.insert(flatten(b"{}", KEY, datetime.now(UTC)))
    warehouse.reject("b", "k", "r")
    warehouse.close()
    return stack


def reset_of(stack: Running, doubles: Doubles, described: Stack | None = None) -> Reset:
    triggers, switches = cast("Triggers", doubles), cast("FaultSwitches", doubles)
    lake = stack.bucket.parent / "lake"
    return Reset(
        described or stack.stack, stack.bucket, triggers, stack.traces, switches, doubles.forget_shoppers, lake
    )


def counts(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        return [
            connection.execute(query).fetchone()[0]  # type: ignore[index]  # a count always has a row
            for query in ("SELECT count(*) FROM clickstream_events", "SELECT count(*) FROM clickstream_rejects")
        ]


class TestReset:
    def test_a_sample_is_forgotten(self, filled: Running) -> None:
        """Its marker goes with its events: what comes then is real."""
        now = datetime.now(UTC)
        (filled.bucket / MARKER).write_bytes(Sample(now, now, now).as_bytes())
        reset_of(filled, Doubles())()
        assert read_sample(filled.bucket) is None

    def test_nothing_is_left(self, filled: Running) -> None:
        """Neither objects, rows, rejects, traces nor the lake; directories stay, since the S3 server knows them."""
        doubles = Doubles()
        lake = filled.bucket.parent / "lake"
        (lake / "hours").mkdir(parents=True)
        reset = reset_of(filled, doubles)
        assert reset.at is None
        reset()
        assert not (filled.bucket / KEY).exists()
        assert (filled.bucket / KEY).parent.is_dir()
        assert not lake.exists()
        assert counts(filled.stack.dw_url) == [0, 0]
        assert filled.traces.all() == []
        assert doubles.steps == ["shoppers go", "faults off", "hold", "release"]
        assert reset.at is not None

    def test_the_horizon_is_forgotten(self, filled: Running) -> None:
        """What comes then may be of any day."""
        with psycopg.connect(filled.stack.dw_url) as connection:
            record_horizon(connection, datetime.now(UTC), move_back=False)
            connection.commit()
            reset_of(filled, Doubles())()
            assert recorded_horizon(connection) is None

    def test_an_empty_warehouse(self, tmp_path: Path, warehouse_url: str) -> None:
        """Has no tables yet, and gets none."""
        stack = running(tmp_path, warehouse_url)
        reset_of(stack, Doubles())()
        with pytest.raises(psycopg.errors.UndefinedTable):
            counts(warehouse_url)

    def test_a_warehouse_that_is_not_ours(self, filled: Running) -> None:
        """Is left as it is."""
        reset_of(filled, Doubles(), replace(filled.stack, is_own_dw=False))()
        assert counts(filled.stack.dw_url) == [1, 1]
        assert not (filled.bucket / KEY).exists()

    def test_a_warehouse_that_is_away(self, tmp_path: Path) -> None:
        """Is said, and nothing is deleted or counted from then on."""
        stack = running(tmp_path)
        store(stack, KEY, "{}")
        reset = reset_of(stack, Doubles())
        with pytest.raises(CommandError, match="nothing was deleted, since the warehouse was not emptied"):
            reset()
        assert (stack.bucket / KEY).exists()
        assert len(stack.traces.all()) == 1
        assert reset.at is None
