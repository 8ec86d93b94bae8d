"""Runs one soak: load, faults one after the other, a wait until no event waits, the account, and the rebuild."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from statistics import median
from uuid import UUID

import psycopg

from chalicelib.contract import TABLE
from command_line.errors import CommandError
from emulator.posting.poster import Poster
from emulator.servers.processes import wait_until
from emulator.shoppers.report import ShoppersReport
from emulator.soak.account import Account, account
from emulator.soak.faults import FAULTS, OF_WAREHOUSE
from emulator.soak.load import Load, probe_event
from emulator.soak.rebuild import Rebuilt, rebuild
from emulator.soak.subject import Subject
from emulator.soak.waits import OF_REFUSED, Wait, Waits
from emulator.triggers.projected import known_events
from emulator.triggers.sweep import SWEEP_SECONDS

__all__ = ["Plan", "Soak", "soak"]

FAULT_SECONDS = (1.0, 4.0)
CALM_SECONDS = 600.0
RECOVERY_SECONDS = 600.0
SETTLE_SECONDS = 10.0  # when all rows are there, until the next look has seen them


@dataclass(frozen=True)
class Plan:
    """The plan of a soak.

    Attributes:
        events: Events to send, at least.
        rate: Events per second.
        faults: Number of faults to inject.
        seed: The same seed gives the same visits and the same faults.
        kinds: Names of the faults to choose from.
    """

    events: int
    rate: float
    faults: int
    seed: int
    kinds: Sequence[str] = tuple(FAULTS)

    def order(self) -> Iterator[tuple[str, float]]:
        """Yield the faults and their durations in seconds: each kind once in random order, then all of them again."""
        random = Random(self.seed)  # noqa: S311  # a simulation needs no secure randomness
        kinds: list[str] = []
        for _ in range(self.faults):
            if not kinds:
                kinds = random.sample(self.kinds, len(self.kinds))
            yield kinds.pop(), random.uniform(*FAULT_SECONDS)


@dataclass
class Soak:
    """The result of a soak.

    Attributes:
        refused: Events that the collector refused.
        lost_in_browsers: Events that were never accepted.
        seconds: Duration of the load.
        calm_seconds: Duration of the wait after the load until no event waited any more.
        starts: How often the whole stack was started.
        recoveries: Seconds from the end of each fault until a new event was a row, by fault.
        waits: How long acknowledged events took to become rows, by fault.
        problems: What went wrong while a fault was injected, in words.
    """

    seed: int
    sent: int = 0
    acknowledged: int = 0
    refused: int = 0
    lost_in_browsers: int = 0
    seconds: float = 0.0
    calm_seconds: float = 0.0
    starts: int = 0
    interrupted: bool = False
    recoveries: dict[str, list[float]] = field(default_factory=dict)
    waits: dict[str, Wait] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    account: Account = field(default_factory=Account)
    rebuilt: Rebuilt = field(default_factory=Rebuilt)

    @property
    def faults(self) -> int:
        """The number of injected faults."""
        return sum(map(len, self.recoveries.values()))

    @property
    def median_recovery(self) -> float:
        """Median of the recoveries after all faults, in seconds."""
        return median([each for found in self.recoveries.values() for each in found] or [0.0])

    @property
    def longest_recovery(self) -> float:
        """Longest of the recoveries after all faults, in seconds."""
        return max([each for found in self.recoveries.values() for each in found] or [0.0])

    @property
    def longest_wait(self) -> float:
        """Longest wait of an acknowledged event for its row, in seconds."""
        return max([wait.longest for wait in self.waits.values()], default=0.0)

    @property
    def longest_healthy_wait(self) -> float:
        """The same, of the events that did not wait for a warehouse which was itself the fault."""
        return max(
            [wait.longest for kind, wait in self.waits.items() if kind not in (*OF_WAREHOUSE, OF_REFUSED)], default=0.0
        )

    @property
    def is_passed(self) -> bool:
        """Whether no event was lost, refused, altered or doubled, no fault met a problem, and the rebuild is right."""
        is_whole = not (self.refused or self.lost_in_browsers or self.problems)
        return is_whole and self.account.is_balanced and self.rebuilt.is_same and not self.interrupted


def soak(subject: Subject, plan: Plan, stop: threading.Event, say: Callable[[str, int, int], None]) -> Soak:
    """Run the plan on a running stack.

    Args:
        subject: The stack under test.
        plan: Events and faults.
        stop: Ends load and faults when it is set; the account then covers what was done until then.
        say: Is called again and again with the current step, the acknowledged events and the injected faults.

    Raises:
        CommandError: The stack does not recover.
    """
    result = Soak(plan.seed)
    began, start = time.monotonic(), datetime.now(UTC)
    waits = Waits(subject)
    load = Load(
        subject.stack.endpoint, plan.events, plan.rate, plan.seed, clock=subject.clock.of, on_accepted=waits.note
    )
    with waits.running():
        report = _click_and_break(subject, plan, load, waits, result, stop, say)
        result.seconds, calm = time.monotonic() - began, time.monotonic()
        result.acknowledged, result.starts = len(load.acknowledged), subject.starts
        say("waiting until no event waits", result.acknowledged, result.faults)
        subject.recover()
        wait_until(lambda: _is_calm(subject, result.acknowledged), CALM_SECONDS)
        waits.settle(SETTLE_SECONDS)
    result.waits, result.problems = waits.by_kind(), subject.problems
    result.sent, result.refused = report.total("sent") + result.faults, report.total("refused")
    result.lost_in_browsers, result.interrupted = report.total("lost"), report.interrupted
    result.calm_seconds = time.monotonic() - calm
    say("comparing raw and warehouse with the acknowledged events", result.acknowledged, result.faults)
    result.account = account(subject, load.acknowledged, start, datetime.now(UTC))
    say("rebuilding the warehouse from raw", result.acknowledged, result.faults)
    result.rebuilt = rebuild(subject)
    return result


def _click_and_break(
    subject: Subject,
    plan: Plan,
    load: Load,
    waits: Waits,
    result: Soak,
    stop: threading.Event,
    say: Callable[[str, int, int], None],
) -> ShoppersReport:
    """Inject the faults while the shoppers click, and wait until every event is acknowledged."""
    with ThreadPoolExecutor(1) as thread:
        clicking = thread.submit(load.run, stop)
        try:
            _break(subject, plan, load, waits, result, stop, say)
        except BaseException:
            stop.set()
            raise
        finally:
            load.may_end.set()
        return _wait(clicking, load, result, say)


def _break(
    subject: Subject,
    plan: Plan,
    load: Load,
    waits: Waits,
    result: Soak,
    stop: threading.Event,
    say: Callable[[str, int, int], None],
) -> None:
    """Inject one fault after the other, evenly spread over the time of the load."""
    began, pause = time.monotonic(), plan.events / plan.rate / (plan.faults + 1)
    for number, (kind, seconds) in enumerate(plan.order(), 1):
        while (left := began + number * pause - time.monotonic()) > 0 and not stop.wait(min(left, 0.5)):
            say("no fault now", len(load.acknowledged), result.faults)
        if stop.is_set():
            return
        say(kind, len(load.acknowledged), result.faults)
        with waits.during(kind):
            FAULTS[kind](subject, seconds)
            over = time.monotonic()
            subject.recover()
            _probe(subject, load)
        result.recoveries.setdefault(kind, []).append(round(time.monotonic() - over, 3))


def _probe(subject: Subject, load: Load) -> None:
    """Send a new event until it is acknowledged, and wait for its row."""
    event = probe_event()
    with closing(Poster(subject.stack.endpoint, 1)) as poster:

        def is_acknowledged() -> bool:
            response = poster.attempt(event)
            if response.key is not None:
                load.remember(event, response)
            return response.key is not None

        if not wait_until(is_acknowledged, RECOVERY_SECONDS):
            raise CommandError("ingest does not recover: it has accepted no event for ten minutes")
    if not wait_until(lambda: _has_row(subject, UUID(event["eventId"])), RECOVERY_SECONDS):
        raise CommandError(f"the projector does not recover: event {event['eventId']} has no row after ten minutes")


def _has_row(subject: Subject, event_id: UUID) -> bool:
    try:
        with psycopg.connect(subject.stack.dw_url, autocommit=True, connect_timeout=5) as connection:
            return bool(known_events(connection, [event_id]))
    except psycopg.Error:
        return False


def _wait(
    clicking: "Future[ShoppersReport]", load: Load, result: Soak, say: Callable[[str, int, int], None]
) -> ShoppersReport:
    while not wait_until(clicking.done, 0.5):
        say(f"no more faults; {load.waiting:,} events wait", len(load.acknowledged), result.faults)
    return clicking.result()


def _is_calm(subject: Subject, acknowledged: int) -> bool:
    """Return whether every acknowledged event has a row, and no object waits, now and after two more sweeps."""
    with psycopg.connect(subject.stack.dw_url, autocommit=True, connect_timeout=5) as connection:
        rows = connection.execute(f"SELECT count(*) FROM {TABLE}".encode()).fetchone()  # noqa: S608  # our own name
    if rows is None or rows[0] < acknowledged or subject.pending:
        return False
    time.sleep(2 * SWEEP_SECONDS)
    return not subject.pending
