"""Verifies downloaded files by the hashes in a project's requirements.lock."""

import re
from hashlib import sha256
from pathlib import Path

from infra.package.target import PackageError

__all__ = ["LOCK", "Lock"]

LOCK = "requirements.lock"
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})\b")


class Lock:
    """The `requirements.lock` beside a project's `requirements.txt`; without the file, everything is allowed."""

    def __init__(self, project: Path) -> None:
        path = project / LOCK
        self.is_there = path.is_file()
        self._hashes = frozenset(HASH.findall(path.read_text())) if self.is_there else frozenset()

    def verify(self, directory: Path) -> None:
        """Raise PackageError if the lock does not hold the hash of a file in `directory`."""
        for path in sorted(directory.iterdir()) if self.is_there else ():
            if sha256(path.read_bytes()).hexdigest() not in self._hashes:
                raise PackageError(f"{path.name} is not what {LOCK} names: if you trust it, run 'make lock'")
