"""A double of the raw bucket that counts requests as S3 does: a LIST for each 1,000 objects, a GET for each object."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from chalicelib.errors import ObjectGone, StorageUnavailable
from chalicelib.keys import PREFIX
from chalicelib.storage import Listed, RawObject

__all__ = ["CountedStorage"]

PAGE = 1000


class CountedStorage:
    """Objects in memory, by key.

    `lists` counts LIST requests by prefix, `gets` the GETs of events, and `others` the GETs and PUTs of other objects.
    The keys in `denied` may not be read.
    """

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self.bodies: dict[str, RawObject] = {}
        self.denied: set[str] = set()
        self.lists: Counter[str] = Counter()
        self.gets: Counter[str] = Counter()
        self.others: Counter[str] = Counter()

    def forget_counts(self) -> None:
        """Begin to count anew."""
        for counts in (self.lists, self.gets, self.others):
            counts.clear()

    def put(self, bucket: str, key: str, body: bytes) -> None:
        """Store one object."""
        del bucket
        self.bodies[key] = RawObject(body, self._now().replace(microsecond=0))
        self.others[f"PUT {key}"] += not key.startswith(PREFIX)

    def get(self, bucket: str, key: str) -> RawObject:
        """Give one object."""
        counts, name = (self.gets, key) if key.startswith(PREFIX) else (self.others, f"GET {key}")
        counts[name] += 1
        if key in self.denied:
            raise StorageUnavailable(f"S3 did not give {key}: AccessDenied")
        if key not in self.bodies:
            raise ObjectGone(f"no object {key} in {bucket}")
        return self.bodies[key]

    def objects(self, bucket: str, prefix: str) -> Iterator[Listed]:
        """List the objects below a prefix."""
        del bucket
        keys = sorted(key for key in self.bodies if key.startswith(prefix))
        self.lists[prefix] += max(1, -(-len(keys) // PAGE))
        return iter([Listed(key, int(self.bodies[key].last_modified.timestamp())) for key in keys])

    def folders(self, bucket: str, prefix: str) -> list[str]:
        """List the prefixes of the next level."""
        del bucket
        self.lists[prefix] += 1
        below = {key.removeprefix(prefix).partition("/") for key in self.bodies if key.startswith(prefix)}
        return sorted({f"{prefix}{name}/" for name, slash, _ in below if slash})
