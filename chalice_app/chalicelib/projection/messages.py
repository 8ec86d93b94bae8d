"""The projector behind a queue: the messages of an SQS event, each of which holds one of S3's notifications."""

import json
from collections.abc import Mapping
from typing import Any

from chalicelib import log
from chalicelib.errors import ClickstreamError, InvalidNotification
from chalicelib.projection.batch import Getting, Loading, Named, attempt, project
from chalicelib.projection.projector import objects

__all__ = ["BatchResponse", "handle", "is_batch"]

TEST_EVENT = "s3:TestEvent"  # S3 sends one when somebody sets the bucket's notifications
NOT_READABLE = (ValueError, LookupError, TypeError, AttributeError, RecursionError)


class BatchResponse(dict[str, list[dict[str, str]]]):
    """What Lambda expects of a function with `ReportBatchItemFailures`: the messages to deliver again.

    Attributes:
        outcomes: The outcome of each object, as `batch.project` gives it, for callers in the same process. It is
            no part of the JSON.
    """

    def __init__(self, failures: list[str], outcomes: list[dict[str, Any]]) -> None:
        super().__init__(batchItemFailures=[{"itemIdentifier": message_id} for message_id in failures])
        self.outcomes = outcomes


def is_batch(event: Mapping[str, Any]) -> bool:
    """Whether an event is one of SQS."""
    return any(record.get("eventSource") == "aws:sqs" for record in event.get("Records", ()))


def handle(event: Mapping[str, Any], storage: Getting, warehouse: Loading, price_decimals: int = 0) -> BatchResponse:
    """Project the objects of all messages together, and log one outcome per object. It is safe to repeat.

    Args:
        event: The SQS event.
        storage: Gives the raw objects.
        warehouse: Takes rows and rejects.
        price_decimals: `PRICE_DECIMALS` of the warehouse.

    Returns:
        Which messages have to be delivered again: an object of theirs failed, or they are not S3's.
    """
    named: list[Named] = []
    places: list[tuple[str, range]] = []  # of each message, its id and where its objects are in `named`
    failures = []
    for record in event["Records"]:
        found = attempt(_objects, record["body"])
        if isinstance(found, ClickstreamError):
            failures.append(record["messageId"])
            kind = type(found).__name__
            log.write("projector", "failed", level="ERROR", message=record["messageId"], error=str(found), kind=kind)
            continue
        places.append((record["messageId"], range(len(named), len(named) + len(found))))
        named += found
    outcomes = project(named, storage, warehouse, price_decimals).outcomes
    failures += [message_id for message_id, place in places if any(outcomes[n]["outcome"] == "failed" for n in place)]
    return BatchResponse(failures, outcomes)


def _objects(body: str) -> list[Named]:
    """Read the objects that one message names. Raises InvalidNotification."""
    try:
        notification = json.loads(body)
        if notification.get("Event") == TEST_EVENT:
            return []
        notification["Records"]  # without it, `objects` would find none
        return list(objects(notification))
    except NOT_READABLE as error:
        raise InvalidNotification(f"the message is not one of S3's notifications ({type(error).__name__})") from error
