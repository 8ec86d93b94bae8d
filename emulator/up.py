"""`up`: one stack on one home, from the first check to the last part stopped."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from emulator.home import BUCKET, Home, Stack
from emulator.known import known_files
from emulator.lambdas import load_projector
from emulator.page import Page
from emulator.parts import ExternalWarehouse, IngestServer, S3Server, WarehouseServer, lambda_environment
from emulator.ports import require_free
from emulator.postgres import Postgres
from emulator.processes import stop_orphan
from emulator.stack import Supervisor, ignore_signals, interruptible
from emulator.triggers import Triggers

__all__ = ["Options", "up"]


@dataclass(frozen=True)
class Options:
    """Ports on 127.0.0.1, and the URL of another PostgreSQL to use as the warehouse."""

    web_port: int
    ingest_port: int
    s3_port: int
    dw_url: str | None


def up(home: Home, options: Options, console: Console) -> None:
    """Run the whole stack until Ctrl-C, SIGTERM or SIGHUP; every part is stopped however it ends.

    Raises EmulatorError, after stopping everything, if a part cannot be started or kept running.
    """
    home.create()
    with home.held():
        supervisor = Supervisor(lambda line: console.print(Text(line)))
        try:
            with interruptible():
                stack = _start(home, options, supervisor, console)
                _print_places(stack, home, console)
                supervisor.run()
        finally:
            ignore_signals()
            console.print("stopping …")
            supervisor.stop()


def _start(home: Home, options: Options, supervisor: Supervisor, console: Console) -> Stack:
    for part in ("ingest", "s3"):
        stop_orphan(home.record_of(part))
    require_free(options.web_port, "--web-port")
    require_free(options.ingest_port, "--ingest-port")
    require_free(options.s3_port, "--s3-port")
    dw_url = _start_warehouse(home, options, supervisor, console)
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


def _start_warehouse(home: Home, options: Options, supervisor: Supervisor, console: Console) -> str:
    if options.dw_url is not None:
        supervisor.add(ExternalWarehouse(options.dw_url))
        return options.dw_url
    postgres = Postgres(home)
    supervisor.add(WarehouseServer(postgres))
    if postgres.notice:
        console.print(Text(postgres.notice))
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
    parts: dict[str, dict[str, Any]] = {}
    for part in list(supervisor.parts):
        problem = part.check() if part.is_alive else "is not running"
        parts[part.name] = {"state": "down" if problem else "ok", "where": places[part.name], "detail": problem}
        if isinstance(part, Triggers):
            parts[part.name]["pending"] = part.pending
    return {"healthy": all(part["state"] == "ok" for part in parts.values()), "parts": parts}


def _print_places(stack: Stack, home: Home, console: Console) -> None:
    table = Table(show_header=False, box=None, padding=(0, 2))
    rows = {
        "page": stack.web_url,
        "ingest": f"POST {stack.endpoint}",
        "S3": f"{stack.s3_url}/{stack.bucket}",
        "warehouse": stack.public_dw_url,
        "raw files": str(home.s3 / stack.bucket),
        "logs": str(home.logs),
        "environment": 'eval "$(python -m emulator env)"',
    }
    for name, place in rows.items():
        table.add_row(name, Text(place, overflow="fold"))
    console.print("[bold green]The stack is up.[/] Ctrl-C stops all of it.")
    console.print(table)
