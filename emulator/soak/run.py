"""One soak from beginning to end: load, faults one after the other, calm, and the account."""

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
from emulator.soak.faults import FAULTS
from emulator.soak.load import Load, probe_event
from emulator.soak.rebuild import Rebuilt, rebuild
from emulator.soak.subject import Subject
from emulator.triggers.projected import known_events
from emulator.triggers.watch import SWEEP_SECONDS

__all__ = ["Plan", "Soak", "soak"]

FAULT_SECONDS = (1.0, 4.0)
CALM_SECONDS = 600.0
RECOVERY_SECONDS = 600.0


@dataclass(frozen=True)
class Plan:
    """At least so many events, `rate` a second, and so many faults, of these kinds; a seed repeats the choice."""

    events: int
    rate: float
    faults: int
    seed: int
    kinds: Sequence[str] = tuple(FAULTS)

    def order(self) -> Iterator[tuple[str, float]]:
        """Kinds of faults and their seconds: each kind once in any order, then again, until there are enough."""
        random = Random(self.seed)  # noqa: S311  # guards nothing
        kinds: list[str] = []
        for _ in range(self.faults):
            if not kinds:
                kinds = random.sample(self.kinds, len(self.kinds))
            yield kinds.pop(), random.uniform(*FAULT_SECONDS)


@dataclass
class Soak:
    """What was done and found; `recoveries` are seconds, by fault, until an event sent after it was a row."""

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
    account: Account = field(default_factory=Account)
    rebuilt: Rebuilt = field(default_factory=Rebuilt)

    @property
    def faults(self) -> int:
        """How many there were."""
        return sum(map(len, self.recoveries.values()))

    @property
    def median_recovery(self) -> float:
        """Seconds, over all faults."""
        return median([each for found in self.recoveries.values() for each in found] or [0.0])

    @property
    def longest_recovery(self) -> float:
        """Seconds, over all faults."""
        return max([each for found in self.recoveries.values() for each in found] or [0.0])

    @property
    def is_passed(self) -> bool:
        """Whether nothing was lost, refused, altered or doubled, and the warehouse could be made again."""
        is_whole = not (self.refused or self.lost_in_browsers)
        return is_whole and self.account.is_balanced and self.rebuilt.is_same and not self.interrupted


def soak(subject: Subject, plan: Plan, stop: threading.Event, say: Callable[[str, int, int], None]) -> Soak:
    """Run the plan on a stack that runs; `say` takes what goes on, events acknowledged and faults, again and again.

    Setting `stop` ends load and faults, and the account is made of what there is. Raises CommandError if the stack
    does not recover.
    """
    result = Soak(plan.seed)
    began, start = time.monotonic(), datetime.now(UTC)
    load = Load(subject.stack.endpoint, plan.events, plan.rate, plan.seed)
    with ThreadPoolExecutor(1) as thread:
        clicking = thread.submit(load.run, stop)
        try:
            _break(subject, plan, load, result, stop, say)
        except BaseException:
            stop.set()
            raise
        finally:
            load.may_end.set()
        report = _wait(clicking, load, result, say)
    result.seconds, calm = time.monotonic() - began, time.monotonic()
    result.sent, result.refused = report.total("sent") + result.faults, report.total("refused")
    result.lost_in_browsers, result.interrupted = report.total("lost"), report.interrupted
    result.acknowledged, result.starts = len(load.acknowledged), subject.starts
    say("waiting for calm", result.acknowledged, result.faults)
    subject.recover()
    wait_until(lambda: _is_calm(subject, result.acknowledged), CALM_SECONDS)
    result.calm_seconds = time.monotonic() - calm
    say("comparing raw and warehouse with what was acknowledged", result.acknowledged, result.faults)
    result.account = account(subject, load.acknowledged, start, datetime.now(UTC))
    say("rebuilding the warehouse from raw", result.acknowledged, result.faults)
    result.rebuilt = rebuild(subject)
    return result


def _break(
    subject: Subject,
    plan: Plan,
    load: Load,
    result: Soak,
    stop: threading.Event,
    say: Callable[[str, int, int], None],
) -> None:
    """One fault after the other, evenly over the time that the events take."""
    began, pause = time.monotonic(), plan.events / plan.rate / (plan.faults + 1)
    for number, (kind, seconds) in enumerate(plan.order(), 1):
        while (left := began + number * pause - time.monotonic()) > 0 and not stop.wait(min(left, 0.5)):
            say("all is well", len(load.acknowledged), result.faults)
        if stop.is_set():
            return
        say(kind, len(load.acknowledged), result.faults)
        FAULTS[kind](subject, seconds)
        over = time.monotonic()
        subject.recover()
        _probe(subject, load)
        result.recoveries.setdefault(kind, []).append(round(time.monotonic() - over, 3))


def _probe(subject: Subject, load: Load) -> None:
    """Send an event of our own until it is acknowledged, and wait for its row."""
    event = probe_event()
    with closing(Poster(subject.stack.endpoint, 1)) as poster:

        def is_acknowledged() -> bool:
            answer = poster.attempt(event)
            if answer.key is not None:
                load.remember(event, answer)
            return answer.key is not None

        if not wait_until(is_acknowledged, RECOVERY_SECONDS):
            raise CommandError("ingest does not recover: it has accepted nothing for ten minutes")
    if not wait_until(lambda: _has_row(subject, UUID(event["eventId"])), RECOVERY_SECONDS):
        raise CommandError(f"the projector does not recover: event {event['eventId']} is still no row")


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
    """Whether there are rows enough, and no object waits for the projector, nor did two sweeps before."""
    with psycopg.connect(subject.stack.dw_url, autocommit=True, connect_timeout=5) as connection:
        rows = connection.execute(f"SELECT count(*) FROM {TABLE}".encode()).fetchone()  # noqa: S608  # our own name
    if rows is None or rows[0] < acknowledged or subject.pending:
        return False
    time.sleep(2 * SWEEP_SECONDS)
    return not subject.pending
