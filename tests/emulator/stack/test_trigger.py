"""A stack whose projector gets SQS events: the same rows as with S3's own, and what fails comes again alone."""

import json
from collections.abc import Iterator
from uuid import uuid4

import httpx2
import psycopg
import pytest

from tests.support.stack_process import StackProcess, emulator, wait_for

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackProcess]:
    """Give a stack with the trigger of a stage that has a queue."""
    stack = StackProcess(tmp_path_factory.mktemp("sqs") / "home", "--trigger", "sqs").start()
    yield stack
    stack.clean_up()


class TestSqs:
    def test_events_become_rows_and_others_rejects(self, up: StackProcess) -> None:
        """The page shows the way of each, as with the other trigger."""
        event_id = str(uuid4())
        up.post(json.dumps({"eventId": event_id, "eventName": "click"}))
        up.wait_for_rows([event_id])
        stray = up.bucket / "events" / "2026" / "11" / "24" / "09" / "event-array.json"
        stray.parent.mkdir(parents=True, exist_ok=True)
        stray.write_text("[]")
        wait_for(lambda: up.ask("SELECT reason FROM clickstream_rejects"))
        assert up.ask("SELECT reason FROM clickstream_rejects") == [("the body is an array: send one JSON object",)]
        detail = httpx2.get(f"{up.stack.web_url}/api/events/{event_id}", timeout=10).json()
        assert detail["row"]["event_name"] == "click"

    def test_a_refused_row_comes_again_and_delays_nobody(self, up: StackProcess) -> None:
        """Until its constraint is gone."""
        ids = [str(uuid4()) for _ in range(6)]
        with psycopg.connect(up.stack.dw_url, autocommit=True) as analyst:
            up.post("{}")
            wait_for(lambda: up.ask("SELECT FROM clickstream_events"))
            analyst.execute("ALTER TABLE clickstream_events ADD CONSTRAINT no_bad CHECK (event_name <> 'bad')")
            for number, event_id in enumerate(ids):
                up.post(json.dumps({"eventId": event_id, "eventName": "bad" if number == 2 else "good"}))
            up.wait_for_rows(ids[:2] + ids[3:])
            assert ids[2] not in up.event_ids()
            analyst.execute("ALTER TABLE clickstream_events DROP CONSTRAINT no_bad")
        up.wait_for_rows(ids, seconds=90)

    def test_another_trigger_is_refused(self, up: StackProcess) -> None:
        """With exit code 2, and the ones that there are."""
        done = emulator("up", *up.options, "--trigger", "sns")
        assert done.returncode == 2
        assert "'s3', 'sqs'" in done.stderr
