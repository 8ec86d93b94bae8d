"""Re-drives a failure queue: sends each message's event to the projector, and deletes the message if that works.

Only S3's direct trigger has a failure queue. Behind a queue, SQS itself moves its dead letters back.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from analysis.errors import AnalysisError

__all__ = ["Invoke", "Redriven", "queue_url", "redrive"]

# Takes a function's ARN and the event that it failed on. Raises AnalysisError if it fails again.
Invoke = Callable[[str, dict[str, Any]], object]

# The queue does not give out a failed message again within this time, so that this ends.
HIDDEN_SECONDS = 300
MESSAGES = 10
# Without a wait SQS asks only some of its servers, and may call a queue empty that is not.
LOOKING_SECONDS = 1


@dataclass
class Redriven:
    """How many messages were taken, how many events were projected, and the reason of each failure."""

    taken: int = 0
    done: int = 0
    failed: list[str] = field(default_factory=list)


def redrive(url: str, invoke: Invoke, function: str | None = None) -> Redriven:
    """Take every visible message of a queue, and invoke the function with its event.

    A message is deleted if that works; otherwise it becomes visible again after five minutes.

    Args:
        url: The queue's URL.
        invoke: What calls the function.
        function: The function to call. By default the one that failed.

    Raises:
        AnalysisError: The queue cannot be read, or it holds S3's notifications, which are left there.
    """
    sqs = _ask(lambda: boto3.client("sqs"))
    done = Redriven()
    while messages := _receive(sqs, url):
        if any(_is_notification(message["Body"]) for message in messages):
            _refuse_notifications(sqs, url, messages)
        for message in messages:
            done.taken += 1
            try:
                invoke(*_failed_invocation(message["Body"], function))
            except AnalysisError as error:
                done.failed.append(str(error))
                continue
            _delete(sqs, url, message)
            done.done += 1
    return done


def queue_url(name: str) -> str:
    """The URL of a queue, given its name or its URL. Raises AnalysisError if there is no such queue."""
    return name if "://" in name else str(_ask(lambda: boto3.client("sqs").get_queue_url(QueueName=name)["QueueUrl"]))


def _receive(sqs: Any, url: str) -> list[dict[str, Any]]:  # noqa: ANN401  # botocore makes its client classes at run time
    answer = _ask(
        lambda: sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=MESSAGES,
            VisibilityTimeout=HIDDEN_SECONDS,
            WaitTimeSeconds=LOOKING_SECONDS,
        )
    )
    found: list[dict[str, Any]] = answer.get("Messages", [])
    return found


def _delete(sqs: Any, url: str, message: dict[str, Any]) -> None:  # noqa: ANN401  # as above
    _ask(lambda: sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"]))


def _is_notification(body: str) -> bool:
    """Whether S3 has sent a message: to the queue between the bucket and the projector."""
    try:
        message = json.loads(body)
        return isinstance(message, dict) and (
            message.get("Event") == "s3:TestEvent" or message["Records"][0]["eventSource"] == "aws:s3"
        )
    except (ValueError, LookupError, TypeError):
        return False


def _refuse_notifications(sqs: Any, url: str, messages: list[dict[str, Any]]) -> NoReturn:  # noqa: ANN401  # as above
    """Put the messages back, and say what moves them."""
    entries = [
        {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
        for number, message in enumerate(messages)
    ]
    _ask(lambda: sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries))
    answer = _ask(lambda: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"]))
    raise AnalysisError(
        "the queue holds S3's notifications, so the stage has Trigger sqs, and redrive is for Trigger s3 only: "
        f"'aws sqs start-message-move-task --source-arn {answer['Attributes']['QueueArn']}' moves dead letters back to "
        "the projector's queue"
    )


def _failed_invocation(body: str, function: str | None) -> tuple[str, dict[str, Any]]:
    """Function and event of a record that Lambda has sent to an on-failure destination.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """
    try:
        record = json.loads(body)
        return function or record["requestContext"]["functionArn"], record["requestPayload"]
    except (ValueError, KeyError, TypeError):
        raise AnalysisError("a message does not describe a failed invocation: look at it, and delete it") from None


def _ask(question: Callable[[], Any]) -> Any:  # noqa: ANN401  # as above
    try:
        return question()
    except (BotoCoreError, ClientError) as error:
        reason = error.response["Error"]["Code"] if isinstance(error, ClientError) else error
        raise AnalysisError(f"AWS does not answer: {reason}") from error
