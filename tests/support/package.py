"""The publisher's package, built and packed once for all tests, which may run in several processes."""

import fcntl
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.stack_process import ROOT

__all__ = ["PUBLISHER", "build", "lock", "pack"]

PUBLISHER = ROOT / "publisher"
BUILD_SECONDS = 280


@contextmanager
def lock() -> Iterator[None]:
    """Let no other process build or install meanwhile."""
    with (PUBLISHER / "package.json").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def build() -> Path:
    """`make publisher`, which does nothing if it is built already; the file that a shop installs."""
    with lock():
        return pack()


def pack() -> Path:
    """The same, for a caller that holds the lock."""
    done = subprocess.run(
        ["make", "publisher"], cwd=ROOT, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    version = json.loads((PUBLISHER / "package.json").read_text())["version"]
    return PUBLISHER / f"clickstream-publisher-{version}.tgz"
