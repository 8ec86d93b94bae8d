"""The hashes of a lock: what is downloaded for Lambda has to be what was locked."""

import re
from hashlib import sha256
from pathlib import Path

from infra.package.target import PackageError

__all__ = ["LOCK", "Lock"]

LOCK = "requirements.lock"
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})\b")


class Lock:
    """The `requirements.lock` beside a project's `requirements.txt`; one that is not there allows anything."""

    def __init__(self, project: Path) -> None:
        path = project / LOCK
        self.is_there = path.is_file()
        self._hashes = frozenset(HASH.findall(path.read_text())) if self.is_there else frozenset()

    def verify(self, directory: Path) -> None:
        """Raise PackageError for a file in `directory` that was not locked."""
        for path in sorted(directory.iterdir()) if self.is_there else ():
            if sha256(path.read_bytes()).hexdigest() not in self._hashes:
                raise PackageError(f"{path.name} is not what {LOCK} names: if it is what you want, run 'make lock'")
