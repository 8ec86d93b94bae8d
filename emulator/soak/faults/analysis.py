"""Analysis commands that run while the load goes on: each has to end with the right exit code."""

import json
import time
from contextlib import closing
from functools import partial

from command_line.errors import CommandError
from emulator.posting.poster import Poster
from emulator.servers.processes import wait_until
from emulator.shoppers.browser import Browser, Event
from emulator.shoppers.visit import Step
from emulator.soak.commands import analysis, failed_checks
from emulator.soak.load import SHOP_URL
from emulator.soak.subject import Subject

__all__ = ["backfill", "erase", "validate"]

SETTLE_SECONDS = 30
QUIET_SECONDS = 120
MOST_PENDING = 50
ACCEPT_SECONDS = 120
EVENTS = 20
# An event with a lower number may still wait in its browser. The account at the end counts every event.
UNDER_WAY = "lost_events"


def backfill(subject: Subject, _seconds: float) -> None:
    """Run `backfill` over the last days. Nothing has to be missing, but the projector inserts at the same time."""
    done = analysis(subject, "backfill", "--json")
    if done.returncode != 0:
        subject.problems.append(f"backfill ended with {done.returncode}: {done.stderr.strip()}")


def validate(subject: Subject, _seconds: float) -> None:
    """Run `validate` over the last days, when the backlog of the faults before is gone."""
    # Rows of older events come after those of new ones.
    wait_until(lambda: subject.failing == 0 and subject.pending < MOST_PENDING, QUIET_SECONDS)
    done = analysis(subject, "validate", "--settle", str(SETTLE_SECONDS), "--json")
    if wrong := [name for name in failed_checks(subject, done).wrong if name != UNDER_WAY]:
        subject.problems.append(f"validate found under load: {', '.join(wrong)}")


def erase(subject: Subject, seconds: float) -> None:
    """Send events of a client that nobody else knows, and erase this client: some of them may have no row yet."""
    session = Browser("erased").open_session()
    events = [session.event(Step("page_view", {}, 0, f"{SHOP_URL}/", "", "")) for _ in range(EVENTS)]
    with closing(Poster(subject.stack.endpoint, 1)) as poster:
        for event in events:
            if not wait_until(partial(_is_accepted, poster, event), ACCEPT_SECONDS):
                raise CommandError("ingest has accepted no event for two minutes, though no fault is injected")
            time.sleep(seconds / EVENTS)
    subject.erased |= {event["eventId"] for event in events}
    done = analysis(subject, "erase", "--client-id", session.browser.client_id, "--yes", "--json")
    if done.returncode != 0:
        subject.problems.append(f"erase ended with {done.returncode}: {done.stderr.strip() or _left(done.stdout)}")


def _is_accepted(poster: Poster, event: Event) -> bool:
    return poster.attempt(event).key is not None


def _left(stdout: str) -> str:
    return f"it left {json.loads(stdout)['left']}"
