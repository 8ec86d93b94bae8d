"""One event of the seed: its true payload, the payload that is posted, its times, and its raw object."""

from copy import deepcopy
from dataclasses import dataclass
from json import JSONEncoder
from random import Random
from typing import Any
from uuid import UUID

from chalicelib.envelope import envelope
from chalicelib.keys import object_key
from emulator.seed.clock import iso, moment
from emulator.seed.origins.origin import Origin

__all__ = ["Event", "random_uuid"]

_encode = JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode  # as JSON.stringify does


def random_uuid(random: Random) -> UUID:
    """Make a UUID, version 4, from the given generator."""
    return UUID(int=random.getrandbits(128), version=4)


@dataclass(eq=False, slots=True)
class Event:
    """One event. All times are as in `clock`.

    Attributes:
        payload: The true payload, from which the warehouse has to get its row.
        at: The true time of the event.
        received_at: The time of receipt.
        unique: The UUID in the key of its object.
        origin: Its user agent, and what its derived columns must be.
        sent: The payload that is posted, if a planted fault makes it differ from the true one.
        partition: A time in the hour of its partition, if that is not the hour of receipt.
    """

    payload: dict[str, Any]
    at: int
    received_at: int
    unique: UUID
    request_id: UUID
    source_ip: str
    origin: Origin
    sent: dict[str, Any] | None = None
    partition: int | None = None

    @property
    def stored_at(self) -> int:
        """A time in the hour of its partition."""
        return self.received_at if self.partition is None else self.partition

    @property
    def key(self) -> str:
        """The key of its object."""
        return object_key(moment(self.stored_at), self.unique)

    @property
    def body(self) -> bytes:
        """The bytes of its object, as ingest writes them."""
        sent = self.payload if self.sent is None else self.sent
        return envelope(
            _encode(sent).encode(),
            {
                "receivedAt": iso(self.received_at),
                "sourceIp": self.source_ip,
                "userAgent": self.origin.user_agent,
                "method": "POST",
                "path": "/clickstream",
                "requestId": str(self.request_id),
                "apiId": None,
                "stage": None,
                "traceId": None,
            },
        )

    def spell(self) -> dict[str, Any]:
        """Make the posted payload a copy of the true one, and return it, so that the caller can change it."""
        self.sent = deepcopy(self.payload)
        return self.sent

    def again(self, random: Random, received_at: int) -> "Event":
        """Return the same event, received once more as another object."""
        key, request = random_uuid(random), random_uuid(random)
        return Event(deepcopy(self.payload), self.at, received_at, key, request, self.source_ip, self.origin)
