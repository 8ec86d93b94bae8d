"""Benchmarks of the whole local stack: how long events take to become rows, and how quickly a backlog drains."""

import json
import shutil
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import psycopg

from benchmarks.figures import PER_SECOND, Case, Figures, waits
from benchmarks.reader import EVENTS, write_events
from chalicelib.contract import TABLE
from chalicelib.envelope import iso_milliseconds
from command_line.home import BUCKET, Home
from emulator.servers.ports import free_ports
from emulator.servers.postgres.server import Postgres
from emulator.servers.s3 import CACHE_SECONDS
from emulator.soak.subject import Subject

__all__ = ["ROUNDS", "drain", "freshness", "refused"]

ROUNDS = 1
CONNECTIONS = 16
PATIENCE_SECONDS = 300
MOST_SECONDS = 1.0  # target of the 95th percentile

RATES = (10, 50, 100, 200, 300)
# `chalice local` accepts about 260 events/s on two cores, so that events wait in the browser at a higher rate.
MOST_RATE = 200
SECONDS = 12.0
FRESHNESS = "freshness: seconds from sending an event to its row, at a steady rate for {:g} s"

BACKLOG = 25_000
LEAST_PER_SECOND = 500.0
FRESH_RATE = 5
DRAIN = "drain: objects of one hour that became rows per second, and the wait of new events meanwhile"

REFUSED = (0, 65)
HEALTHY_RATE = 10
CONSTRAINT = f"ALTER TABLE {TABLE} ADD CONSTRAINT no_refused CHECK (session_id <> 'refused')"
BESIDE = "refused: seconds from sending an event to its row, beside rows that a constraint of an analyst refuses"


def freshness(rounds: Iterable[object]) -> Figures:
    """Send events at each of RATES, once per item of `rounds`, and measure when their rows are there."""
    seconds: dict[int, list[float]] = {rate: [] for rate in RATES}
    for _ in rounds:
        with _stack() as stack:
            for rate in RATES:
                seconds[rate] += _freshness(stack, rate, SECONDS)
    cases = [
        Case(f"{rate} events/s", waits(found), {"p95": MOST_SECONDS} if rate <= MOST_RATE else {})
        for rate, found in seconds.items()
    ]
    return Figures("freshness", FRESHNESS.format(SECONDS), tuple(cases))


def drain(rounds: Iterable[object]) -> Figures:
    """Start a stack with BACKLOG objects, once per item of `rounds`, and send new events until all are rows."""
    cases = []
    for number, _ in enumerate(rounds, 1):
        with _home() as home:
            now = datetime.now(UTC)
            write_events(home.s3 / BUCKET, now, now, BACKLOG)
            with _started(home) as stack:
                began, before = time.perf_counter(), _rows(stack)
                fresh = _freshness(stack, FRESH_RATE, 2)
                while _rows(stack) < BACKLOG + len(fresh):
                    fresh += _freshness(stack, FRESH_RATE, 2)
                per_second = (_rows(stack) - before) / (time.perf_counter() - began)
        targets = {PER_SECOND: LEAST_PER_SECOND, "p95": MOST_SECONDS}
        cases.append(Case(f"{BACKLOG:,} objects, round {number}", {PER_SECOND: per_second, **waits(fresh)}, targets))
    return Figures("drain", DRAIN, tuple(cases))


def refused(rounds: Iterable[object]) -> Figures:
    """Send healthy events beside each of REFUSED events that a constraint refuses, once per item of `rounds`."""
    seconds: dict[int, list[float]] = {number: [] for number in REFUSED}
    for _ in rounds:
        with _stack() as stack:
            with psycopg.connect(stack.stack.dw_url, autocommit=True) as analyst:
                analyst.execute(CONSTRAINT.encode())
            sent = 0
            for number in REFUSED:
                _send(stack, FRESH_RATE * 10, range(number - sent), "refused")
                sent = number
                seconds[number] += _freshness(stack, HEALTHY_RATE, SECONDS)
    cases = [Case(f"beside {n} refused rows", waits(found), {"p95": MOST_SECONDS}) for n, found in seconds.items()]
    return Figures("refused", BESIDE, tuple(cases))


@contextmanager
def _stack() -> Iterator[Subject]:
    with _home() as home, _started(home) as stack:
        _freshness(stack, FRESH_RATE, 1)  # the first events load code and open connections
        yield stack


@contextmanager
def _home() -> Iterator[Home]:
    home = Home(Path(tempfile.mkdtemp(prefix="clickstream-")) / "home")
    home.path.parent.chmod(0o711)  # as root, PostgreSQL's own user has to come through
    home.create()
    try:
        yield home
    finally:
        Postgres(home).remove()
        shutil.rmtree(home.path.parent, ignore_errors=True)


@contextmanager
def _started(home: Home) -> Iterator[Subject]:
    subject = Subject(home, free_ports(3), s3_cache=f"{CACHE_SECONDS:g}")
    try:
        subject.start()
        yield subject
    finally:
        subject.stop()


def _freshness(stack: Subject, rate: float, seconds: float) -> list[float]:
    """Send events at a rate; return for each the seconds from when it was due to be sent until its row was there."""
    session = str(uuid4())
    events = range(max(2, round(rate * seconds)))
    _send(stack, rate, events, session)
    _ask(stack, f"wait?sessionId={session}&count={len(events)}&timeout={PATIENCE_SECONDS}")
    found = _ask(stack, f"events?sessionId={session}")["events"]
    if len(found) != len(events):
        raise RuntimeError(f"{len(found)} of {len(events)} events were found")
    return [(_time(trace["rowAt"]) - _time(trace["sentAt"])).total_seconds() for trace in found]


def _send(stack: Subject, rate: float, events: range, session: str) -> None:
    """Post so many events of one session over kept connections, each when it is due."""
    payload = json.loads((EVENTS / "page_view.json").read_bytes()) | {"sessionId": session}
    numbers, start, failures = count(), time.time() + 0.1, []

    def post() -> None:
        with closing(HTTPConnection(stack.stack.ingest_url.removeprefix("http://"), timeout=60)) as connection:
            while (number := next(numbers)) < len(events):
                due = start + number / rate
                time.sleep(max(0.0, due - time.time()))
                at = iso_milliseconds(datetime.fromtimestamp(due, UTC))
                body = json.dumps(payload | {"eventId": str(uuid4()), "eventTimestamp": at})
                connection.request("POST", "/clickstream", body, {"Content-Type": "application/json"})
                response = connection.getresponse()
                response.read()
                if response.status != 200:
                    failures.append(response.status)

    threads = [threading.Thread(target=post) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise RuntimeError(f"{len(failures)} events were not accepted: {set(failures)}")


def _rows(stack: Subject) -> int:
    with psycopg.connect(stack.stack.dw_url, autocommit=True) as connection:
        ((rows,),) = connection.execute(f"SELECT count(*) FROM {TABLE}".encode()).fetchall()  # noqa: S608  # a name of the contract
        return int(rows)


def _ask(stack: Subject, path: str) -> dict[str, Any]:
    response = httpx2.get(f"{stack.stack.web_url}/api/{path}", timeout=PATIENCE_SECONDS + 30, trust_env=False)
    content: dict[str, Any] = response.raise_for_status().json()
    return content


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
