"""What a whole stack keeps of people outside of raw and warehouse."""

import json
from collections.abc import Callable
from uuid import uuid4

import httpx2
import psycopg
import pytest
from click.testing import CliRunner

from analysis.commands.main import main
from tests.support.stack_process import StackProcess, wait_for

pytestmark = pytest.mark.stack

EVENTS = 20
# Ingest's line and the projector's.
MOST_LOG_BYTES_PER_EVENT = 530


class TestErasedPerson:
    def test_nothing_of_them_is_left_in_memory_or_logs(self, new_stack: Callable[..., StackProcess]) -> None:
        """After `erase` beside a running stack; a refused row of theirs is in no log either."""
        stack = new_stack().start()
        client, user = f"client-{uuid4()}", f"{uuid4()}@shop.example"
        ids = [str(uuid4()) for _ in range(EVENTS)]
        before = sum(path.stat().st_size for path in stack.home.logs.iterdir())
        for event_id in ids:
            event = {"eventName": "click", "eventId": event_id, "clientId": client, "userId": user}
            assert stack.post(json.dumps(event)).status_code == 200
        stack.wait_for_rows(ids)
        grown = sum(path.stat().st_size for path in stack.home.logs.iterdir()) - before
        assert grown / EVENTS < MOST_LOG_BYTES_PER_EVENT

        def listed() -> str:
            return httpx2.get(f"{stack.stack.web_url}/api/events", params={"limit": 1000}).text

        assert client in listed()
        assert stack.post(json.dumps({"clientId": client, "userId": user}) + "?").status_code == 400
        httpx2.get(f"{stack.stack.ingest_url}/clickstream?user={user}")
        with psycopg.connect(stack.stack.dw_url, autocommit=True) as analyst:
            analyst.execute("ALTER TABLE clickstream_events ADD CHECK (event_name <> 'refused')")
        refused = {"eventName": "refused", "eventId": str(uuid4()), "clientId": client, "userId": user}
        assert stack.post(json.dumps(refused)).status_code == 200
        wait_for(lambda: "violates check constraint" in (stack.home.logs / "postgres.log").read_text())
        where = ["--source", str(stack.bucket), "--dw", stack.stack.dw_url]
        done = CliRunner().invoke(main, ["erase", "--client-id", client, "--user-id", user, "--yes", *where])
        assert done.exit_code == 0, done.output
        wait_for(lambda: client not in listed(), 10)
        assert user not in listed()
        for log in stack.home.logs.iterdir():
            text = log.read_text()
            assert client not in text, log
            assert user not in text, log
