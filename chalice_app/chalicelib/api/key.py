"""The optional API key: the function knows only digests, so that nobody learns a key from its configuration."""

from collections.abc import Collection
from hashlib import sha256

__all__ = ["is_known"]


def is_known(key: str | None, digests: Collection[str]) -> bool:
    """Whether the SHA-256 of `key` is one of `digests` (lower-case hex).

    Compared by digest, whose first wrong character tells an attacker nothing about the key.
    """
    return key is not None and sha256(key.encode("utf-8", "surrogatepass")).hexdigest() in digests
