import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest

from chalicelib.flatten import flatten
from chalicelib.warehouse.client import Warehouse
from emulator.api import wait as module
from emulator.api.app import web_app
from emulator.api.arrivals import Arrivals
from emulator.api.running import Running
from emulator.stack.beginning import Beginning
from tests.support.running import client, running, store

pytestmark = pytest.mark.slow

HOUR = datetime(2026, 11, 25, 9, tzinfo=UTC)


@pytest.fixture
def stack(tmp_path: Path, warehouse_url: str) -> Running:
    """Give a stack with a real, empty warehouse, started at midnight."""
    return replace(running(tmp_path, warehouse_url), beginning=Beginning(HOUR - timedelta(hours=9)))


@pytest.fixture
def warehouse(stack: Running) -> Iterator[Warehouse]:
    """Give that warehouse."""
    warehouse = Warehouse(stack.stack.dw_url)
    yield warehouse
    warehouse.close()


def insert(
    warehouse: Warehouse, name: str, number: int = 0, minutes: int = 0, session: str = "s", at: datetime = HOUR
) -> None:
    """One event as a row, received that many minutes after nine, or after `at`."""
    body = f'{{"eventName":"{name}","eventId":"{name}{number}","sessionId":"{session}"}}'
    warehouse.insert(flatten(body.encode(), "events/x.json", at + timedelta(minutes=minutes)))


def project(stack: Running, warehouse: Warehouse, name: str, session: str, number: int = 0) -> None:
    """One event through the stack's own projector: the traces are told."""
    body = f'{{"eventName":"{name}","eventId":"{name}{number}","sessionId":"{session}"}}'
    file = store(stack, f"events/{name}{number}.json", body)
    warehouse.insert(flatten(body.encode(), file.key, datetime.now(UTC)))
    stack.traces.projected(file, "projected", None)


def wait(stack: Running, query: str) -> tuple[int, dict[str, Any]]:
    answer = client(stack).get(f"/api/wait?{query}")
    return answer.status_code, answer.json()


class TestWait:
    def test_events_that_are_there(self, stack: Running, warehouse: Warehouse) -> None:
        """It answers at once, with their rows, the newest first."""
        for number in range(3):
            insert(warehouse, "click", number, number)
        status, answer = wait(stack, "eventName=click&count=3")
        assert (status, answer["success"], answer["count"], answer["wanted"]) == (200, True, 3, 3)
        assert [row["event_timestamp"] for row in answer["events"]] == [
            "2026-11-25T09:02:00.000Z", "2026-11-25T09:01:00.000Z", "2026-11-25T09:00:00.000Z"
        ]  # fmt: skip

    def test_an_event_that_comes(self, stack: Running, warehouse: Warehouse) -> None:
        """It waits for it, also for the table."""
        threading.Timer(0.3, insert, [warehouse, "click"]).start()
        status, answer = wait(stack, "eventName=click&timeout=20")
        assert (status, answer["count"]) == (200, 1)

    def test_an_event_that_the_stack_projects(
        self, stack: Running, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Is noticed at once; the warehouse need not be asked again and again."""
        monkeypatch.setattr("emulator.api.arrivals.LOOK_SECONDS", 3600)
        monkeypatch.setattr("emulator.api.arrivals.MOST_LOOK_SECONDS", 3600)
        threading.Timer(0.3, project, [stack, warehouse, "click", "s"]).start()
        status, answer = wait(stack, "eventName=click&sessionId=s&timeout=20")
        assert (status, answer["count"]) == (200, 1)

    def test_waiting_costs_the_warehouse_nothing(
        self, stack: Running, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Fifty requests wait, while other events come: each asks at its beginning and its end, one at a time."""
        asked: list[int] = []
        running_now: list[int] = []
        count = Arrivals.count

        def counted(arrivals: Arrivals) -> int:
            running_now.append(1)
            asked.append(len(running_now))
            try:
                return count(arrivals)
            finally:
                running_now.pop()

        monkeypatch.setattr(Arrivals, "count", counted)
        app = web_app(stack)

        async def wait_all() -> list[int]:
            transport = httpx2.ASGITransport(app)
            async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080", timeout=60) as asking:
                waits = [asking.get(f"/api/wait?sessionId=none-{number}&timeout=3") for number in range(50)]
                return [answer.status_code for answer in await asyncio.gather(*waits, meanwhile())][:50]

        async def meanwhile() -> httpx2.Response:
            for number in range(100):
                await asyncio.to_thread(project, stack, warehouse, "click", "other", number)
            return httpx2.Response(200)

        assert asyncio.run(wait_all()) == [408] * 50
        assert max(asked) == 1
        assert len(asked) <= 2 * 50

    def test_too_few_when_time_is_up(self, stack: Running, warehouse: Warehouse) -> None:
        """408, with the events that did come, and how many of each name."""
        insert(warehouse, "click")
        insert(warehouse, "page_view")
        status, answer = wait(stack, "eventName=click&count=2&timeout=0")
        assert (status, answer["success"], answer["count"]) == (408, False, 1)
        assert answer["message"] == "1 of 2 click events reached the warehouse within 0 s"
        assert [row["event_name"] for row in answer["events"]] == ["click"]
        assert answer["arrived"] == {"click": 1, "page_view": 1}

    def test_columns_of_analysts(self, stack: Running, warehouse: Warehouse) -> None:
        """They are left out, in the detail of an event too: JSON has no number or date like theirs."""
        insert(warehouse, "click")
        before = wait(stack, "timeout=0")[1]["events"]
        with psycopg.connect(stack.stack.dw_url, autocommit=True) as connection:
            connection.execute(
                "ALTER TABLE clickstream_events ADD margin NUMERIC DEFAULT 1.5, ADD day DATE DEFAULT now()"
            )
            connection.execute("ALTER TABLE clickstream_events ADD until TIMESTAMPTZ DEFAULT 'infinity'")
        assert wait(stack, "timeout=0")[1]["events"] == before
        answer = client(stack).get(f"/api/events/{before[0]['event_id']}")
        assert (answer.status_code, answer.json()["row"]) == (200, before[0])

    def test_filters(self, stack: Running, warehouse: Warehouse) -> None:
        """All of them must hold; without any, every event counts."""
        for number, session in enumerate("aab"):
            insert(warehouse, "click", number, session=session)
        insert(warehouse, "page_view", session="a")
        assert wait(stack, "sessionId=a&eventName=click&timeout=0&count=2")[0] == 200
        assert wait(stack, "sessionId=a&eventName=click&timeout=0&count=3")[0] == 408
        assert wait(stack, "count=4&timeout=0")[0] == 200

    def test_since(self, stack: Running, warehouse: Warehouse) -> None:
        """Those received at that time or later."""
        for minutes in range(3):
            insert(warehouse, "click", minutes, minutes)
        status, answer = wait(stack, "since=2026-11-25T09:01:00Z&count=2&timeout=0")
        assert (status, answer["count"], answer["since"]) == (200, 2, "2026-11-25T09:01:00.000Z")
        assert wait(stack, "since=2026-11-25T09:01:00Z&count=3&timeout=0")[0] == 408

    def test_since_the_last_reset(self, stack: Running, warehouse: Warehouse) -> None:
        """Which is the default, or else the start of the stack: a test does not wait for rows of earlier runs."""
        insert(warehouse, "click", 0, -10 * 60)
        insert(warehouse, "click", 1, 0)
        insert(warehouse, "click", 2, 2)
        assert wait(stack, "timeout=0")[1]["count"] == 2
        stack.reset.at = Beginning(HOUR + timedelta(minutes=1))
        assert wait(stack, "timeout=0")[1]["count"] == 1

    def test_a_clock_that_was_set_back_after_the_start(self, stack: Running, warehouse: Warehouse) -> None:
        """Events that come then count, though they bear times before the start; rows of an earlier run do not."""
        now = datetime.now(UTC)
        insert(warehouse, "click", 0, at=now - timedelta(minutes=1))
        insert(warehouse, "click", 1, at=now + timedelta(minutes=30))
        noted = Beginning.now(stack.stack.dw_url)
        stack = replace(stack, beginning=replace(noted, at=noted.at + timedelta(hours=1)))
        assert wait(stack, "timeout=0")[1]["count"] == 0
        insert(warehouse, "click", 2, at=datetime.now(UTC))
        status, answer = wait(stack, "eventName=click&timeout=0")
        assert (status, answer["count"], answer["arrived"]) == (200, 1, {"click": 1})
        assert answer["since"] <= answer["events"][0]["event_timestamp"]

    def test_a_clock_that_was_set_forward_after_the_start(self, stack: Running, warehouse: Warehouse) -> None:
        """Events of before and after count."""
        noted = Beginning.now(stack.stack.dw_url)
        stack = replace(stack, beginning=replace(noted, at=noted.at - timedelta(hours=1)))
        insert(warehouse, "click", 0, at=noted.at - timedelta(minutes=59))
        insert(warehouse, "click", 1, at=datetime.now(UTC))
        assert wait(stack, "timeout=0")[1]["count"] == 2

    def test_a_time_that_is_asked_for(self, stack: Running, warehouse: Warehouse) -> None:
        """Counts whatever bears it or a later one, whichever run it is of."""
        insert(warehouse, "click", 0)
        stack = replace(stack, beginning=Beginning.now(stack.stack.dw_url))
        assert wait(stack, "timeout=0")[1]["count"] == 0
        assert wait(stack, "since=2026-11-25T09:00:00Z&timeout=0")[1]["count"] == 1

    def test_a_warehouse_that_is_away(self, tmp_path: Path) -> None:
        """Is waited for too, and named."""
        status, answer = wait(running(tmp_path), "timeout=0")
        assert status == 408
        assert answer["problem"].startswith("the warehouse does not answer: ")

    def test_a_stack_that_stops(self, stack: Running) -> None:
        """Keeps nobody waiting."""
        threading.Timer(0.2, stack.stopping.set).start()
        assert wait(stack, "timeout=60")[0] == 503

    def test_a_table_that_is_locked(self, stack: Running, warehouse: Warehouse) -> None:
        """Is not waited for beyond a moment."""
        insert(warehouse, "click")
        with psycopg.connect(stack.stack.dw_url) as connection:
            connection.execute("LOCK TABLE clickstream_events IN ACCESS EXCLUSIVE MODE")
            status, answer = wait(stack, "timeout=0")
        assert status == 408
        assert "statement timeout" in answer["problem"]

    def test_too_many_who_wait(self, stack: Running, monkeypatch: pytest.MonkeyPatch) -> None:
        """Are told to come back, so that the warehouse's connections are not used up."""
        monkeypatch.setattr(module, "MOST_WAITING", 0)
        assert wait(stack, "timeout=0")[0] == 503

    def test_a_warehouse_that_hangs_holds_up_no_other_request(
        self, stack: Running, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As many as may wait do wait, each for an answer of the warehouse; another request gets its response."""
        is_back = threading.Event()
        begun: list[object] = []
        monkeypatch.setattr(Arrivals, "count", lambda _: is_back.wait(10) and 1)
        monkeypatch.setattr(module, "check_query", lambda query, _: begun.append(query))
        with client(stack) as http, ThreadPoolExecutor(module.MOST_WAITING) as pool:
            waits = [pool.submit(http.get, "/api/wait?timeout=0") for _ in range(module.MOST_WAITING)]
            while len(begun) < module.MOST_WAITING:
                time.sleep(0.01)
            assert http.get("/api/faults").status_code == 200
            assert not any(each.done() for each in waits)
            is_back.set()
            assert {each.result().status_code for each in waits} == {200}

    @pytest.mark.parametrize(
        "query",
        [
            "eventName=%00",
            "count=1&count=2",
            "count=0",
            "count=x",
            "timeout=-1",
            "timeout=601",
            "since=x",
            "event=click",
        ],
    )
    def test_wrong_parameters(self, stack: Running, query: str) -> None:
        """Are said, not waited for."""
        assert wait(stack, query)[0] == 400
