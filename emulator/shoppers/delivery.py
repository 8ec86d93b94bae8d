"""Sends the waiting events of the browsers: of each browser one at a time, in order, until it is accepted."""

import heapq
import threading
import time
from collections.abc import Callable
from itertools import count
from queue import Empty
from typing import TypeAlias

from emulator.posting.response import Response
from emulator.posting.retry import delay
from emulator.shoppers.browser import Browser, Event
from emulator.shoppers.connections import Connections
from emulator.shoppers.report import ShoppersReport

__all__ = ["Delivery", "OnAccepted"]

OnAccepted: TypeAlias = Callable[[Event, Response], None]

POLL = 0.1  # seconds until a stop is noticed, at the most
LAST_DOUBLING = 5  # after this attempt the delay stays at about 4 s, so that a recovery is noticed soon
LONGEST_RETRY_AFTER = 3600.0  # the most seconds that a collector may ask for, as in the publisher


class Delivery:
    """Sends events and counts their outcomes in `report`; only one thread may call it."""

    def __init__(self, connections: Connections, report: ShoppersReport, on_accepted: OnAccepted | None = None) -> None:
        self._connections = connections
        self._report = report
        self._on_accepted = on_accepted
        self._retries: list[tuple[float, int, Browser]] = []  # a heap by the time of the next attempt
        self._order = count()

    def add(self, browser: Browser, event: Event) -> None:
        """Add an event that has happened; it is sent after the earlier events of the browser."""
        self._report.by_name[event["eventName"]].sent += 1
        if overflow := browser.keep(event):
            self._report.by_name[overflow["eventName"]].lost += 1
            self._report.problem = "too many events wait in one browser"
        if not browser.is_sending:
            self._send_first(browser)

    def work_until(self, moment: float, stop: threading.Event) -> bool:
        """Handle responses and send retries until a time of `time.monotonic`; return False if stopped before."""
        while not stop.is_set():
            left = moment - time.monotonic()
            self._work(max(min(left, POLL), 0))
            if left <= 0:
                return True
        return False

    def drain(self, patience: float, stop: threading.Event) -> None:
        """Work until no event waits, no event was accepted or refused for `patience` seconds, or `stop` is set."""
        deadline, waiting = time.monotonic() + patience, self._report.waiting
        while waiting and time.monotonic() < deadline and not stop.is_set():
            self._work(POLL)
            if self._report.waiting < waiting:
                deadline, waiting = time.monotonic() + patience, self._report.waiting

    def finish(self, seconds: float) -> None:
        """Work until no event waits, for at most `seconds`; events that still wait then count as lost."""
        deadline = time.monotonic() + seconds
        while self._report.waiting and time.monotonic() < deadline:
            self._work(POLL)
        for counts in self._report.by_name.values():
            counts.lost = counts.sent - counts.accepted - counts.refused

    def _work(self, seconds: float) -> None:
        """Send the retries that are due, wait at most `seconds` for a response, and handle all that have come."""
        self._send_due()
        if self._retries:
            seconds = max(min(seconds, self._retries[0][0] - time.monotonic()), 0)
        responses = self._connections.responses
        try:
            self._handle(*responses.get(timeout=seconds))
            for _ in range(responses.qsize()):  # not until it is empty, since shoppers have to click in between
                self._handle(*responses.get_nowait())
        except Empty:
            pass

    def _handle(self, browser: Browser, response: Response) -> None:
        name, status = browser.waiting[0]["eventName"], response.status or 0
        if 200 <= status < 300:
            self._report.count_accepted(name)
            if self._on_accepted is not None:
                self._on_accepted(browser.waiting[0], response)
        elif 400 <= status < 500 and not response.is_retryable:
            browser.dropped["refused"] += 1
            self._report.count_refused(name, response.reason)
        else:
            self._try_later(browser, response)
            return
        browser.waiting.popleft()
        browser.failures = 0
        self._send_first(browser)

    def _send_first(self, browser: Browser) -> None:
        browser.is_sending = bool(browser.waiting)
        if browser.is_sending:
            self._connections.post(browser)

    def _try_later(self, browser: Browser, response: Response) -> None:
        browser.failures += 1
        self._report.problem = response.reason
        asked = min(response.retry_after or 0, LONGEST_RETRY_AFTER)
        seconds = max(delay(min(browser.failures, LAST_DOUBLING), asked or None), asked)
        heapq.heappush(self._retries, (time.monotonic() + seconds, next(self._order), browser))

    def _send_due(self) -> None:
        while self._retries and self._retries[0][0] <= time.monotonic():
            self._connections.post(heapq.heappop(self._retries)[-1])
