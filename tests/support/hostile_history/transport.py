"""How events come to the bucket: at once, late, out of order, twice; and the objects that they become."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from uuid import UUID

from tests.support.hostile_history.shoppers import STARTS, Happened, shoppers
from tests.support.hostile_history.values import as_json

__all__ = ["Stored", "hostile_history", "write"]

MILLISECOND = timedelta(milliseconds=1)
# How much later the same event comes again: in its hour, on the next day, within a day and beyond it.
REPEATS = (0, 0.2, 1, 1800, 3 * 3600, 20 * 3600, 86399.999, 86400, 86400.001, 30 * 3600, 3 * 86400)


@dataclass(frozen=True)
class Stored:
    """One object of the bucket, and when it was received."""

    key: str
    body: bytes
    received: datetime


def hostile_history(seed: int) -> list[Stored]:
    """The objects of one history, in the order of receipt, then of their keys."""
    random = Random(seed)
    happened = shoppers(random, STARTS[seed % len(STARTS)])
    return sorted(_objects(random, happened), key=lambda stored: (stored.received, stored.key))


def write(bucket: Path, objects: Iterable[Stored]) -> None:
    """Write objects into a bucket's directory."""
    for stored in objects:
        path = bucket / stored.key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(stored.body)


def _objects(random: Random, happened: list[Happened]) -> Iterable[Stored]:
    for event in happened:
        received = _received(random, event)
        yield _stored(random, event, received)
        while random.random() < 0.09:
            again = random.choice((received + timedelta(seconds=random.choice(REPEATS)), _after_midnight(received)))
            yield _stored(random, event, again)


def _received(random: Random, event: Happened) -> datetime:
    """When an event comes. What waited comes in one burst, in any order, often in one millisecond."""
    if event.returns is not None:
        time = event.returns + random.randrange(4) * MILLISECOND
    else:
        # Whole tenths of a second make many ties, in a tab and between clients.
        time = event.time + timedelta(milliseconds=random.choice((20, 35, 100, 200, random.randrange(20, 900))))
        kind = random.random()
        if kind < 0.3:
            time = time.replace(microsecond=time.microsecond // 100_000 * 100_000)
        elif kind < 0.45:
            # A proxy of a company forwards in batches: events of several clients have one time.
            time = time.replace(hour=time.hour // 6 * 6, minute=0, second=0, microsecond=0) + timedelta(hours=6)
    return max(time, event.time).replace(microsecond=time.microsecond // 1000 * 1000)


def _after_midnight(time: datetime) -> datetime:
    return time.replace(hour=0, minute=0, second=10, microsecond=0) + timedelta(days=1)


def _stored(random: Random, event: Happened, received: datetime) -> Stored:
    ingest = {
        "receivedAt": received.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "sourceIp": "203.0.113.9",
        "userAgent": event.user_agent,
        "method": "POST",
        "path": "/clickstream",
        **dict.fromkeys(("requestId", "apiId", "stage", "traceId")),
    }
    sent = as_json(event.payload)
    key = f"events/{received:%Y/%m/%d/%H}/event-{UUID(int=random.getrandbits(128), version=4)}.json"
    return Stored(key, f'{sent[:-1]},"_ingest":{json.dumps(ingest)}}}'.encode(), received)
