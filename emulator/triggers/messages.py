"""The trigger by SQS: genuine SQS events for the projector, with the notification of one object in each message."""

import hashlib
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from chalicelib.errors import ProjectionFailed
from emulator.servers.environment import REGION

__all__ = ["batch_of", "through_queue"]

QUEUE_ARN = f"arn:aws:sqs:{REGION}:000000000000:clickstream-local-notifications"


def through_queue(project: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], list[dict[str, Any]]]:
    """Return a projector of S3 notifications that passes them on in SQS events.

    Args:
        project: The projector with `TRIGGER=sqs`.

    Returns:
        A function that takes an S3 notification, and returns the outcome of every object in it. It raises
        ProjectionFailed if the projector names messages in `batchItemFailures`.
    """

    def project_batch(notification: dict[str, Any]) -> list[dict[str, Any]]:
        batch = batch_of(notification)
        response = project(batch)
        failed = {each["itemIdentifier"] for each in response["batchItemFailures"]}
        outcomes: list[dict[str, Any]] = list(response.outcomes)
        if failed:
            raise ProjectionFailed(f"{len(failed)} of {len(outcomes)} messages failed", outcomes)
        return outcomes

    return project_batch


def batch_of(notification: dict[str, Any]) -> dict[str, Any]:
    """Return an SQS event as Lambda makes it, with one message for each record of an S3 notification."""
    return {"Records": [_message(json.dumps({"Records": [record]})) for record in notification["Records"]]}


def _message(body: str) -> dict[str, Any]:
    return {
        "messageId": str(uuid4()),
        "receiptHandle": str(uuid4()),
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": QUEUE_ARN,
        "awsRegion": REGION,
    }
