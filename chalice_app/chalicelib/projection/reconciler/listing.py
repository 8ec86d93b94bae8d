"""One hour's objects as S3 lists them, and a digest by which an unchanged listing is known again."""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import NamedTuple

from chalicelib.keys import SUFFIX
from chalicelib.storage import Listed

__all__ = ["Listing", "listing_of"]


class Listing(NamedTuple):
    """The objects of one hour that the S3 trigger would take, in the order of their keys."""

    objects: Sequence[Listed]

    def digest(self, until: float = float("inf")) -> str:
        """Give a digest of keys and times of the objects that were stored until a time (seconds since 1970, UTC).

        An object that comes, goes or is overwritten changes it.
        """
        digest = blake2b(digest_size=16)
        for each in self.objects:
            if each.stored <= until:
                digest.update(f"{each.key} {each.stored}\n".encode())
        return digest.hexdigest()

    def until(self, time: float) -> int:
        """Count the objects that were stored until a time."""
        return sum(each.stored <= time for each in self.objects)


def listing_of(listed: Iterable[Listed]) -> Listing:
    """Keep the objects of which S3 sends notifications."""
    return Listing([each for each in listed if each.key.endswith(SUFFIX)])
