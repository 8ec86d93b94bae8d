import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import psycopg
import pytest
from click.testing import CliRunner, Result

from analysis.commands.main import main
from analysis.errors import AnalysisError
from analysis.repair.operations import invoke_function
from analysis.repair.redrive import queue_url, redrive
from chalicelib.errors import ProjectionFailed
from chalicelib.projection import projector
from chalicelib.storage import RawStorage
from chalicelib.warehouse.client import Warehouse
from command_line.home import BUCKET
from emulator.triggers.notification import object_created

pytestmark = pytest.mark.slow

QUEUE = "clickstream-dev-failures"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:clickstream-dev-projector:$LATEST"


class Queue:
    """A failure queue of a pretend AWS."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.url = client.create_queue(QueueName=QUEUE)["QueueUrl"]

    def put(self, event: dict[str, Any]) -> None:
        """As Lambda puts it there, once it has given up."""
        record = {
            "version": "1.0",
            "timestamp": "2026-11-25T10:00:00.000Z",
            "requestContext": {
                "requestId": "e4b46cbf-b738-xmpl-8880-a18cdf61200e",
                "functionArn": FUNCTION,
                "condition": "RetriesExhausted",
                "approximateInvokeCount": 3,
            },
            "requestPayload": event,
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "responsePayload": {"errorMessage": "the warehouse failed", "errorType": "ProjectionFailed"},
        }
        self.client.send_message(QueueUrl=self.url, MessageBody=json.dumps(record))

    @property
    def left(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(map(int, counts.values()))


@pytest.fixture
def queue(aws: Any) -> Queue:
    """Give an empty queue."""
    del aws
    return Queue(boto3.client("sqs"))


@pytest.fixture
def projecting(aws: Any, warehouse_url: str) -> Iterator[Callable[[str, dict[str, Any]], None]]:
    """Give what calls the real projector, on a real PostgreSQL, in the place of a function in Lambda."""
    warehouse = Warehouse(warehouse_url)

    def invoke(function: str, event: dict[str, Any]) -> None:
        assert function == FUNCTION
        try:
            projector.handle(event, RawStorage(aws), warehouse)
        except ProjectionFailed as error:
            raise AnalysisError(str(error)) from error

    yield invoke
    warehouse.close()


def stored(client: Any, number: int) -> dict[str, Any]:
    """Store one event; give the event that S3 made of it."""
    key = f"events/2026/11/25/10/event-{number}.json"
    client.put_object(Bucket=BUCKET, Key=key, Body=json.dumps({"eventName": f"event {number:02}"}).encode())
    return object_created(BUCKET, key, 1)


class TestRedrive:
    def test_what_was_given_up_becomes_rows(
        self, queue: Queue, aws: Any, warehouse_url: str, projecting: Callable[[str, dict[str, Any]], None]
    ) -> None:
        """All of it, however many messages; one that is there twice changes nothing, and none is left."""
        events = [stored(aws, number) for number in range(25)]
        for event in [*events, events[0]]:
            queue.put(event)
        done = redrive(queue.url, projecting)
        assert (done.taken, done.done, done.failed) == (26, 26, [])
        assert queue.left == 0
        with psycopg.connect(warehouse_url) as connection:
            names = connection.execute("SELECT event_name FROM clickstream_events ORDER BY 1").fetchall()
        assert names == [(f"event {number:02}",) for number in range(25)]

    @pytest.mark.parametrize("test_event", [False, True])
    def test_notifications_of_s3_are_left_to_sqs(self, queue: Queue, test_event: bool) -> None:  # noqa: FBT001
        """They are of a stage with a queue: the command says what moves them, and each can be moved at once."""
        body = {"Event": "s3:TestEvent"} if test_event else object_created(BUCKET, "events/2026/11/25/10/e.json", 1)
        for _ in range(3):
            queue.client.send_message(QueueUrl=queue.url, MessageBody=json.dumps(body))

        def invoke(_function: str, _event: dict[str, Any]) -> None:
            raise AssertionError("nothing is called")

        text = f"'aws sqs start-message-move-task --source-arn arn:aws:sqs:us-east-1:123456789012:{QUEUE}' moves"
        with pytest.raises(AnalysisError, match=text):
            redrive(queue.url, invoke)
        assert len(queue.client.receive_message(QueueUrl=queue.url, MaxNumberOfMessages=10)["Messages"]) == 3

    def test_what_fails_again_stays_in_the_queue(self, queue: Queue, aws: Any) -> None:
        """And the others go through."""
        good, bad = stored(aws, 1), stored(aws, 2)
        for event in (bad, good):
            queue.put(event)

        def invoke(_function: str, event: dict[str, Any]) -> None:
            if event == bad:
                raise AnalysisError("the warehouse failed")

        done = redrive(queue.url, invoke)
        assert (done.taken, done.done, done.failed) == (2, 1, ["the warehouse failed"])
        assert queue.left == 1

    @pytest.mark.parametrize("body", ["no JSON", "[]", "{}", '{"requestContext": {}}'])
    def test_a_message_that_is_something_else_is_said(self, body: str, queue: Queue) -> None:
        """Nothing is called, and it stays."""
        queue.client.send_message(QueueUrl=queue.url, MessageBody=body)
        done = redrive(queue.url, lambda *_: pytest.fail("called"))
        assert done.failed == ["a message does not describe a failed invocation: look at it, and delete it"]
        assert queue.left == 1

    def test_another_function_can_be_named(self, queue: Queue) -> None:
        """As after a stage was renamed."""
        queue.put({})
        called = []
        redrive(queue.url, lambda function, _event: called.append(function), "another")
        assert called == ["another"]


class TestQueueUrl:
    def test_a_name_is_looked_up_and_a_url_is_taken(self, queue: Queue) -> None:
        """One that is not there is an error."""
        assert queue_url(QUEUE) == queue_url(queue.url) == queue.url
        with pytest.raises(AnalysisError, match=r"AWS does not answer: .*NonExistentQueue"):
            queue_url("nowhere")


class TestInvoke:
    def test_a_function_that_is_not_there_is_an_error(self, aws: Any) -> None:
        """Named by AWS's own code."""
        del aws
        with pytest.raises(AnalysisError, match="AWS refuses nowhere: ResourceNotFoundException"):
            invoke_function("nowhere", {})

    @pytest.mark.parametrize(
        ("answer", "problem"),
        [
            ({"FunctionError": "Unhandled", "Payload": b'{"errorMessage": "2 objects"}'}, "f: 2 objects"),
            ({"FunctionError": "Unhandled", "Payload": b""}, "f: Unhandled"),
            ({"Payload": b"[]"}, None),
        ],
    )
    def test_a_failure_is_told_from_an_answer(
        self, answer: dict[str, Any], problem: str | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Lambda answers 200 to both."""

        class Payload:
            def read(self) -> bytes:
                body: bytes = answer["Payload"]
                return body

        class Client:
            def invoke(self, **_: Any) -> dict[str, Any]:
                return answer | {"Payload": Payload()}

        monkeypatch.setattr(boto3, "client", lambda _name, **_: Client())
        if problem is None:
            invoke_function("f", {})
        else:
            with pytest.raises(AnalysisError, match=f"^{problem}$"):
                invoke_function("f", {})


class TestCommand:
    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(main, ["redrive", "--queue", QUEUE, *arguments])

    def test_it_says_what_became_of_them(self, queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
        """Exit code 1 if one failed, with each reason once."""
        monkeypatch.setattr("analysis.repair.operations.invoke_function", lambda *_: None)
        queue.put({})
        done = self.run()
        assert (done.exit_code, done.stdout) == (0, "1 messages: 1 were projected, 0 failed.\n")
        for body in ("x", "y"):
            queue.client.send_message(QueueUrl=queue.url, MessageBody=body)
        done = self.run()
        assert done.exit_code == 1
        assert "2 times: a message does not describe" in done.stderr
        assert json.loads(self.run("--json").stdout) == {"taken": 0, "done": 0, "failed": []}
