"""The Chromium that the tests drive: Debian's, headless, and silent unless a page asks for something."""

import shutil

import pytest

__all__ = ["FLAGS", "program"]

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Not a loopback name, so that the browser treats http://shop.test as insecure.
    "--host-resolver-rules=MAP shop.test 127.0.0.1",
]


def program() -> str:
    """Where it is. Fails the test, in one line, if it is nowhere."""
    found = shutil.which("chromium")
    if found is None:
        pytest.fail("the browser tests need chromium: 'apt-get install -y chromium'", pytrace=False)
    return found
