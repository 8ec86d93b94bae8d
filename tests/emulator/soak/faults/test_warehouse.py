"""Faults of the warehouse's other users: the constraint of an analyst."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread

import psycopg
import pytest

from chalicelib.errors import RowRefused
from chalicelib.flatten import flatten
from chalicelib.warehouse.client import Warehouse
from chalicelib.warehouse.schema import SCHEMA
from command_line.home import Home
from emulator.soak.faults import FAULTS
from emulator.soak.subject import Subject
from tests.support.raw_objects import STORED, Objects
from tests.support.stack_process import NO_STACK, wait_for

CONSTRAINTS = "SELECT count(*) FROM pg_constraint WHERE conname = 'soak_refuses_a_tenth'"


class TestRefuseRows:
    @pytest.fixture
    def warehouse(self, warehouse_url: str) -> Iterator[Warehouse]:
        """Give a warehouse that has its tables."""
        with psycopg.connect(warehouse_url) as connection:
            SCHEMA.upgrade(connection)
        warehouse = Warehouse(warehouse_url)
        yield warehouse
        warehouse.close()

    @pytest.fixture
    def fault(self, warehouse_url: str, tmp_path: Path) -> Thread:
        """Give the fault on this warehouse, not yet begun."""
        home = Home(tmp_path / "home")
        home.create()
        home.write_stack(replace(NO_STACK, dw_url=warehouse_url))
        return Thread(target=FAULTS["rows refused"], args=(Subject(home, (1, 2, 3)), 2.0))

    def test_a_tenth_is_refused_and_taken_afterwards(
        self, warehouse: Warehouse, warehouse_url: str, fault: Thread
    ) -> None:
        """By the last byte of the event id: 25 of 255 is refused, 26 is taken. A row that was there before stays."""
        objects = Objects()
        ids = [f"00000000-0000-4000-8000-{number:010}{byte}" for number, byte in enumerate(("00", "19", "1a", "ff"))]
        keys = [objects.add(eventId=event_id) for event_id in ids]
        before, refused, *taken = (flatten(objects.bodies[key], key, STORED) for key in keys)
        assert warehouse.insert(before)
        fault.start()
        with psycopg.connect(warehouse_url, autocommit=True) as connection:
            wait_for(lambda: connection.execute(CONSTRAINTS).fetchone() == (1,))
            with pytest.raises(RowRefused, match="soak_refuses_a_tenth"):
                warehouse.insert(refused)
            assert warehouse.insert_all(taken) == ["projected"] * 2
            fault.join()
            assert connection.execute(CONSTRAINTS).fetchone() == (0,)
        assert warehouse.insert(refused)
