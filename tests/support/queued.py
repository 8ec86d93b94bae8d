"""Raw objects in memory, and the events of SQS and S3 that name them."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from chalicelib.errors import ObjectGone
from chalicelib.storage import RawObject
from command_line.home import BUCKET
from emulator.triggers.notification import object_created

__all__ = ["NOW", "PREFIX", "Memory", "batch", "message", "named_by"]

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
PREFIX = "events/2026/11/24/09/"


class Memory:
    """A storage of objects by the names of their keys."""

    def __init__(self, bodies: Mapping[str, str | bytes]) -> None:
        self._bodies = {f"{PREFIX}{name}.json": body for name, body in bodies.items()}

    def get(self, bucket: str, key: str) -> RawObject:
        """Read one object, which is as old as all others."""
        if key not in self._bodies:
            raise ObjectGone(f"no object {key} in {bucket}")
        body = self._bodies[key]
        return RawObject(body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass"), NOW)


def named_by(*names: str) -> dict[str, Any]:
    """One S3 notification with a record for each name of a key."""
    created = [object_created(BUCKET, f"{PREFIX}{name}.json", 1) for name in names]
    return {"Records": [record for event in created for record in event["Records"]]}


def message(message_id: str, body: str) -> dict[str, Any]:
    """One record of an SQS event, as Lambda gives it to a function."""
    return {
        "messageId": message_id,
        "receiptHandle": f"handle-of-{message_id}",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1795510800000"},
        "messageAttributes": {},
        "md5OfBody": "0" * 32,
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:clickstream-dev-notifications",
        "awsRegion": "us-east-1",
    }


def batch(names: Iterable[str]) -> dict[str, Any]:
    """An SQS event with one message for each name of a key; the message's id is its number."""
    bodies = [json.dumps(named_by(name)) for name in names]
    return {"Records": [message(str(number), body) for number, body in enumerate(bodies)]}
