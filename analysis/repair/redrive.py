"""Re-drives a failure queue: each message's event goes to the projector, and the message goes once that has worked."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from analysis.errors import AnalysisError

__all__ = ["Invoke", "Redriven", "invoke_function", "queue_url", "redrive"]

# Of a function's ARN, the event that it failed on: raises AnalysisError if it fails again.
Invoke = Callable[[str, dict[str, Any]], None]

# A message that failed is not given out again within this time, so that the queue comes to an end.
HIDDEN_SECONDS = 300
MESSAGES = 10
# Without a wait SQS asks only some of its servers, and says of a queue that it is empty although it is not.
LOOKING_SECONDS = 1
# A function may take its whole timeout; to call it again meanwhile would not be quicker.
PATIENT = Config(read_timeout=180, retries={"total_max_attempts": 1})


@dataclass
class Redriven:
    """How many messages were taken, how many events went through, and why others did not."""

    taken: int = 0
    done: int = 0
    failed: list[str] = field(default_factory=list)


def redrive(url: str, invoke: Invoke, function: str | None = None) -> Redriven:
    """Take every message that is visible; one whose event is projected is deleted, any other comes back later.

    The function is the one that failed, unless another is named. Raises AnalysisError if the queue cannot be read.
    """
    sqs = boto3.client("sqs")
    done = Redriven()
    while messages := _receive(sqs, url):
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
    """The URL of a queue, which may be named by it already. Raises AnalysisError if there is none."""
    return name if "://" in name else str(_ask(lambda: boto3.client("sqs").get_queue_url(QueueName=name)["QueueUrl"]))


def invoke_function(function: str, event: dict[str, Any]) -> None:
    """Call a Lambda function, and wait for its answer. Raises AnalysisError if it fails."""
    client = boto3.client("lambda", config=PATIENT)
    answer = _ask(lambda: client.invoke(FunctionName=function, Payload=json.dumps(event).encode()))
    if answer.get("FunctionError"):
        said = json.loads(answer["Payload"].read() or "{}")
        raise AnalysisError(f"{function}: {said.get('errorMessage', answer['FunctionError'])}")


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


def _failed_invocation(body: str, function: str | None) -> tuple[str, dict[str, Any]]:
    """Function and event of a record that Lambda has sent to an on-failure destination.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """
    try:
        record = json.loads(body)
        return function or record["requestContext"]["functionArn"], record["requestPayload"]
    except (ValueError, KeyError, TypeError):
        raise AnalysisError("a message is no record of a failed invocation: look at it, and delete it") from None


def _ask(question: Callable[[], Any]) -> Any:  # noqa: ANN401  # as above
    try:
        return question()
    except (BotoCoreError, ClientError) as error:
        reason = error.response["Error"]["Code"] if isinstance(error, ClientError) else error
        raise AnalysisError(f"AWS does not answer: {reason}") from error
