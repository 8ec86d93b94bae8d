"""Runs one stack on one home: checks, starts every part, supervises them, and stops every part at the end."""

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from analysis.errors import AnalysisError
from analysis.raw.sample import read_sample
from chalicelib.errors import SettingsError
from chalicelib.settings import price_decimals
from command_line.errors import CommandError
from command_line.home import BUCKET, Home, Stack
from command_line.printable import printable_lines
from emulator.api.running import Running
from emulator.api.server import Page
from emulator.api.shoppers import ShopperRun
from emulator.servers.environment import forget_postgres_variables, lambda_environment
from emulator.servers.ingest import IngestServer
from emulator.servers.lambdas import load_projector
from emulator.servers.logs import Logs
from emulator.servers.part import Part
from emulator.servers.ports import require_free
from emulator.servers.postgres.server import Postgres
from emulator.servers.processes import stop_orphan
from emulator.servers.s3 import CACHE_SECONDS, S3Server
from emulator.servers.warehouse import ExternalWarehouse, WarehouseServer
from emulator.stack.beginning import Beginning
from emulator.stack.faults import FaultSwitches
from emulator.stack.reset import Reset
from emulator.stack.supervisor import Supervisor, handlers_kept, ignore_signals, interruptible
from emulator.traces.erasures import Erasures
from emulator.traces.refusals import Refusals
from emulator.traces.traces import Traces
from emulator.triggers.messages import through_queue
from emulator.triggers.projected import known_files
from emulator.triggers.reconciler import Reconciler
from emulator.triggers.watch import Triggers

__all__ = ["Options", "stop_orphans", "up"]


@dataclass(frozen=True)
class Options:
    """How to run a stack.

    Attributes:
        web_port: Port of the page and the API on 127.0.0.1.
        ingest_port: Port of the ingest server on 127.0.0.1.
        s3_port: Port of the S3 server on 127.0.0.1.
        dw_url: libpq URL of another PostgreSQL to use as the warehouse; None: the embedded one.
        is_headless: Whether to serve the API without the page.
        s3_cache_seconds: How long the S3 server may not see files that were written straight to disk.
        trigger: What calls the projector: `s3`, with S3's own events, or `sqs`, with SQS events that hold these.
    """

    web_port: int
    ingest_port: int
    s3_port: int
    dw_url: str | None
    is_headless: bool = False
    s3_cache_seconds: float = CACHE_SECONDS
    trigger: str = "s3"


def up(home: Home, options: Options) -> None:
    """Run the whole stack until Ctrl-C, SIGTERM or SIGHUP, then stop every part. After `nohup`, SIGHUP is ignored.

    Raises:
        CommandError: A part cannot be started or kept running. All parts are stopped then, too.
    """
    home.create()
    with home.held(), handlers_kept():
        # With --headless, standard output has only the line that a program waits for.
        say = partial(_say, sys.stderr if options.is_headless else sys.stdout)
        supervisor = Supervisor(say)
        try:
            with interruptible():
                stack = _start(home, options, supervisor, say)
                if options.is_headless:
                    _say(sys.stdout, _ready(stack))
                else:
                    say(_places(stack, home))
                supervisor.run()
        finally:
            ignore_signals()
            if supervisor.parts:
                say("stopping …")
            supervisor.stop()


def stop_orphans(home: Home) -> None:
    """Stop the ingest and S3 servers that a killed stack left behind; `Postgres.start` does it for PostgreSQL."""
    for part in (IngestServer.name, S3Server.name):
        stop_orphan(home.record_of(part))


def _start(home: Home, options: Options, supervisor: Supervisor, say: Callable[[str], None]) -> Stack:
    bucket = home.s3 / BUCKET
    if options.dw_url is not None and _sample(bucket):
        raise CommandError(
            f"{bucket} includes a sample, which must not reach another warehouse: start without --dw, "
            "delete the sample with 'python -m emulator reset', or name another --home"
        )
    decimals = _price_decimals()
    stop_orphans(home)
    require_free({"--web-port": options.web_port, "--ingest-port": options.ingest_port, "--s3-port": options.s3_port})
    dw_url = _start_warehouse(home, options, decimals, supervisor, say)
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
        price_decimals=decimals,
    )
    home.write_stack(stack)
    supervisor.add(S3Server(home, stack, options.s3_cache_seconds), must_answer=True)
    project = load_projector(lambda_environment(stack, options.trigger), home.logs / "projector.log")
    if options.trigger == "sqs":
        project = through_queue(project)
    traces = Traces(bucket)
    supervisor.add(Logs(home.logs))
    supervisor.add(Erasures(bucket, traces))
    triggers = Triggers(bucket, project, partial(known_files, bucket, dw_url), traces)
    supervisor.add(triggers)
    supervisor.add(Reconciler(stack, triggers.projected))
    ingest = IngestServer(home, stack)
    supervisor.add(ingest, must_answer=True)
    supervisor.add(Refusals(ingest.log, traces))
    faults = FaultSwitches(supervisor, triggers, is_own_dw=stack.is_own_dw)
    shoppers = ShopperRun(stack)
    running = Running(
        stack=stack,
        bucket=bucket,
        traces=traces,
        faults=faults,
        shoppers=shoppers,
        reset=Reset(stack, bucket, triggers, traces, faults, shoppers.forget, home.lake),
        health=partial(_health, supervisor, stack, bucket),
        beginning=Beginning.now(dw_url),
    )
    supervisor.add(Page(options.web_port, running, is_headless=options.is_headless))
    return stack


def _price_decimals() -> int:
    """Read the setting of the projector. Raises CommandError."""
    try:
        return price_decimals()
    except SettingsError as error:
        raise CommandError(str(error)) from None


def _start_warehouse(
    home: Home, options: Options, decimals: int, supervisor: Supervisor, say: Callable[[str], None]
) -> str:
    if options.dw_url is not None:
        supervisor.add(ExternalWarehouse(options.dw_url, decimals))
        return options.dw_url
    forget_postgres_variables()
    postgres = Postgres(home)
    if os.environ.get("DW_URL") not in (None, "", postgres.url):
        say("DW_URL is not used: the warehouse is this home's own; another one needs --dw")
    # Without a warehouse, ingest still accepts events, and they wait in raw.
    supervisor.add(WarehouseServer(postgres, decimals), is_vital=False, must_answer=True)
    if postgres.notice:
        say(postgres.notice)
    return postgres.url


def _health(supervisor: Supervisor, stack: Stack, bucket: Path) -> dict[str, Any]:
    """Return the state of each part (`ok` or `down`), its address and its problem, and the bucket's sample."""
    places = {
        "warehouse": stack.public_dw_url,
        "s3": f"{stack.s3_url}/{stack.bucket}",
        "projector": "for every object below events/",
        "reconciler": "clickstream_hours",
        "ingest": stack.endpoint,
        "page": stack.web_url,
    }
    running = [part for part in supervisor.parts if part.name in places]
    # In parallel, since the check of a part that hangs takes seconds.
    with ThreadPoolExecutor(len(running) or 1) as pool:
        problems = pool.map(partial(_problem, supervisor), running)
    parts: dict[str, dict[str, Any]] = {}
    for part, problem in zip(running, problems, strict=True):
        parts[part.name] = {"state": "down" if problem else "ok", "where": places[part.name], "detail": problem}
        if isinstance(part, Triggers):
            parts[part.name] |= {"pending": part.pending, "failing": part.failing}
        if isinstance(part, Reconciler) and problem is None:
            parts[part.name] |= {"detail": part.said}
    is_healthy = all(part["state"] == "ok" for part in parts.values())
    return {"healthy": is_healthy, "sample": _sample(bucket), "parts": parts}


def _sample(bucket: Path) -> str | None:
    """Say which sample the bucket includes, if any; of a damaged marker, what is wrong with it."""
    try:
        sample = read_sample(bucket)
    except AnalysisError as error:
        return str(error)
    return None if sample is None else str(sample)


def _problem(supervisor: Supervisor, part: Part) -> str | None:
    return supervisor.problem(part) or part.check()


def _ready(stack: Stack) -> str:
    """Return the line that tells a program that everything runs, and at which addresses."""
    places = {"endpoint": stack.endpoint, "api": f"{stack.web_url}/api", "s3": stack.s3_url, "dw": stack.public_dw_url}
    return " ".join(["ready", *(f"{name}={place}" for name, place in places.items())])


def _places(stack: Stack, home: Home) -> str:
    """Return the lines that tell the user that everything runs, and at which addresses."""
    places = {
        "page": stack.web_url,
        "pipeline": f"{stack.web_url}/pipeline",
        "dashboard": f"{stack.web_url}/dashboard/",
        "ingest": f"POST {stack.endpoint}",
        "S3": f"{stack.s3_url}/{stack.bucket}",
        "warehouse": f"{stack.public_dw_url} ({'of this home' if stack.is_own_dw else 'given by --dw'})",
        "raw files": home.s3 / stack.bucket,
        "logs": home.logs,
        "environment": 'eval "$(python -m emulator env)"',
    }
    if sample := _sample(home.s3 / stack.bucket):
        places["events"] = f"include {sample}"
    lines = [f"  {name:<12} {place}" for name, place in places.items()]
    return "\n".join(["", "The stack is up. Press Ctrl-C to stop it.", *lines])


def _say(stream: TextIO, line: str) -> None:
    """Print a line, and ignore a closed terminal or one that lacks a letter, so that the parts can still be stopped."""
    with suppress(OSError, ValueError):
        encoding = stream.encoding or "utf-8"
        print(printable_lines(line).encode(encoding, "replace").decode(encoding), file=stream, flush=True)
