"""A running stack for tests of its API: real traces over a directory, and doubles of what starts and stops servers."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from starlette.testclient import TestClient

from command_line.home import BUCKET
from emulator.api.app import web_app
from emulator.api.running import Running
from emulator.api.shoppers import ShopperRun
from emulator.stack.beginning import Beginning
from emulator.stack.faults import Faults, FaultSwitches
from emulator.stack.reset import Reset
from emulator.traces.traces import Traces
from emulator.triggers.notification import File
from tests.support.stack_process import NO_STACK

__all__ = ["Switches", "client", "running", "store"]


class Switches:
    """Fault switches that only remember."""

    def __init__(self) -> None:
        self.current = Faults()

    def switch(self, **wanted: bool) -> Faults:
        self.current = replace(self.current, **wanted)
        return self.current


@dataclass
class Shoppers:
    """Shoppers that only remember."""

    started: list[tuple[int, float]] = field(default_factory=list)
    stopped: int = 0

    def start(self, sessions: int, rate: float) -> None:
        self.started.append((sessions, rate))

    def stop(self) -> None:
        self.stopped += 1

    def status(self) -> dict[str, Any]:
        return {"running": len(self.started) > self.stopped}


@dataclass
class Resets:
    """A reset that only remembers."""

    at: Beginning | None = None
    count: int = 0

    def __call__(self) -> None:
        self.count += 1


def running(folder: Path, dw_url: str = NO_STACK.dw_url) -> Running:
    """A stack whose bucket is below `folder`."""
    bucket = folder / BUCKET
    bucket.mkdir(parents=True, exist_ok=True)
    return Running(
        stack=replace(NO_STACK, dw_url=dw_url),
        bucket=bucket,
        traces=Traces(bucket),
        faults=cast("FaultSwitches", Switches()),
        shoppers=cast("ShopperRun", Shoppers()),
        reset=cast("Reset", Resets()),
        health=lambda: {"healthy": True, "parts": {}},
        beginning=Beginning(datetime.now(UTC)),
    )


def client(stack: Running, host: str = "127.0.0.1", *, is_headless: bool = False) -> TestClient:
    """A client of its web server."""
    return TestClient(web_app(stack, is_headless=is_headless), base_url=f"http://{host}:8080")


def store(stack: Running, key: str, body: str | bytes) -> File:
    """An object in the bucket, of which the traces are told."""
    path = stack.bucket / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body if isinstance(body, bytes) else body.encode())
    status = path.stat()
    file = File(key, status.st_size, status.st_ctime_ns)
    stack.traces.stored(file)
    return file
