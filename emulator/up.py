"""`up`: one stack on one home, from the first check to the last part stopped."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from emulator.environment import lambda_environment
from emulator.home import BUCKET, Home, Stack
from emulator.ingest_server import IngestServer
from emulator.known import known_files
from emulator.lambdas import load_projector
from emulator.page import Page
from emulator.ports import require_free
from emulator.postgres import Postgres
from emulator.processes import stop_orphan
from emulator.s3_server import S3Server
from emulator.supervisor import Supervisor, ignore_signals, interruptible
from emulator.triggers import Triggers
from emulator.warehouses import ExternalWarehouse, WarehouseServer

__all__ = ["Options", "stop_orphans", "up"]


@dataclass(frozen=True)
class Options:
    """Ports on 127.0.0.1, and the URL of another PostgreSQL to use as the warehouse."""

    web_port: int
    ingest_port: int
    s3_port: int
    dw_url: str | None


def up(home: Home, options: Options) -> None:
    """Run the whole stack until Ctrl-C, SIGTERM or SIGHUP; every part is stopped however it ends.

    Raises EmulatorError, after stopping everything, if a part cannot be started or kept running.
    """
    home.create()
    with home.held():
        supervisor = Supervisor(_say)
        try:
            with interruptible():
                stack = _start(home, options, supervisor)
                _say(_places(stack, home))
                supervisor.run()
        finally:
            ignore_signals()
            _say("stopping …")
            supervisor.stop()


def stop_orphans(home: Home) -> None:
    """Stop the servers that a killed stack left behind; PostgreSQL looks after its own."""
    for part in (IngestServer.name, S3Server.name):
        stop_orphan(home.record_of(part))


def _start(home: Home, options: Options, supervisor: Supervisor) -> Stack:
    stop_orphans(home)
    require_free({"--web-port": options.web_port, "--ingest-port": options.ingest_port, "--s3-port": options.s3_port})
    dw_url = _start_warehouse(home, options, supervisor)
    access_key, secret_key = home.key_pair()
    stack = Stack(
        web_url=f"http://127.0.0.1:{options.web_port}",
        ingest_url=f"http://127.0.0.1:{options.ingest_port}",
        s3_url=f"http://127.0.0.1:{options.s3_port}",
        dw_url=dw_url,
        is_own_dw=options.dw_url is None,
        bucket=BUCKET,
        access_key=access_key,
        secret_key=secret_key,
    )
    home.write_stack(stack)
    supervisor.add(S3Server(home, stack))
    project = load_projector(lambda_environment(stack), home.logs / "projector.log")
    bucket = home.s3 / BUCKET
    triggers = Triggers(bucket, project, partial(known_files, bucket, dw_url))
    supervisor.add(triggers)
    supervisor.add(IngestServer(home, stack))
    supervisor.add(Page(options.web_port, partial(_health, supervisor, stack)))
    return stack


def _start_warehouse(home: Home, options: Options, supervisor: Supervisor) -> str:
    if options.dw_url is not None:
        supervisor.add(ExternalWarehouse(options.dw_url))
        return options.dw_url
    # The user's own PGHOSTADDR or PGSERVICE would win over the URL of the embedded server.
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]
    postgres = Postgres(home)
    supervisor.add(WarehouseServer(postgres))
    if postgres.notice:
        _say(postgres.notice)
    return postgres.url


def _health(supervisor: Supervisor, stack: Stack) -> dict[str, Any]:
    """The state of each part: `ok` or `down`, where it is, and what is wrong."""
    places = {
        "warehouse": stack.public_dw_url,
        "s3": f"{stack.s3_url}/{stack.bucket}",
        "projector": "on every object below events/",
        "ingest": stack.endpoint,
        "page": stack.web_url,
    }
    running = list(supervisor.parts)
    # All at once: a part that hangs takes its seconds to say so.
    with ThreadPoolExecutor(len(running)) as pool:
        problems = pool.map(lambda part: part.check() if part.is_alive else "is not running", running)
    parts: dict[str, dict[str, Any]] = {}
    for part, problem in zip(running, problems, strict=True):
        parts[part.name] = {"state": "down" if problem else "ok", "where": places[part.name], "detail": problem}
        if isinstance(part, Triggers):
            parts[part.name]["pending"] = part.pending
    return {"healthy": all(part["state"] == "ok" for part in parts.values()), "parts": parts}


def _places(stack: Stack, home: Home) -> str:
    """What the user needs to know once everything runs."""
    places = {
        "page": stack.web_url,
        "ingest": f"POST {stack.endpoint}",
        "S3": f"{stack.s3_url}/{stack.bucket}",
        "warehouse": stack.public_dw_url,
        "raw files": home.s3 / stack.bucket,
        "logs": home.logs,
        "environment": 'eval "$(python -m emulator env)"',
    }
    lines = [f"  {name:<12} {place}" for name, place in places.items()]
    return "\n".join(["", "The stack is up. Ctrl-C stops all of it.", *lines])


def _say(line: str) -> None:
    """Print a line; a terminal that is closed, or lacks a letter, must not keep the parts from being stopped."""
    with suppress(OSError, ValueError):
        encoding = sys.stdout.encoding or "utf-8"
        print(line.encode(encoding, "replace").decode(encoding), flush=True)
