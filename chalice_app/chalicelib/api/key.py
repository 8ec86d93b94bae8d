"""Checks the optional API key. The Lambda knows only digests, so its configuration gives no key away."""

from collections.abc import Collection
from hashlib import sha256

__all__ = ["is_known"]


def is_known(key: str | None, digests: Collection[str]) -> bool:
    """Whether the SHA-256 of `key` is one of `digests` (lower-case hex).

    Digests are compared, because the time of their comparison tells an attacker nothing about the key.
    """
    return key is not None and sha256(key.encode("utf-8", "surrogatepass")).hexdigest() in digests
