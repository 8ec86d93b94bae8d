"""Sends what waits in the browsers: one event of each at a time, in order, again and again until it is accepted."""

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

POLL = 0.1  # seconds after which a stop is noticed at the latest
LAST_DOUBLING = 5  # attempt after which the delay between two grows no more: some 4 s, so that recovery shows soon
LONGEST_RETRY_AFTER = 3600.0  # seconds that a collector may ask for, as in the publisher


class Delivery:
    """Only the thread that runs it may call it; it is that thread that counts, too."""

    def __init__(self, connections: Connections, report: ShoppersReport, on_accepted: OnAccepted | None = None) -> None:
        self._connections = connections
        self._report = report
        self._on_accepted = on_accepted
        self._retries: list[tuple[float, int, Browser]] = []  # a heap: when to try again
        self._order = count()

    def add(self, browser: Browser, event: Event) -> None:
        """An event has happened: send it as soon as those before it have arrived."""
        self._report.by_name[event["eventName"]].sent += 1
        if overflow := browser.keep(event):
            self._report.by_name[overflow["eventName"]].lost += 1
            self._report.problem = "too many events wait in a browser"
        if not browser.is_sending:
            self._send_first(browser)

    def work_until(self, moment: float, stop: threading.Event) -> bool:
        """Take answers and send again what is due until a moment of `time.monotonic`; False if stopped before."""
        while not stop.is_set():
            left = moment - time.monotonic()
            self._work(max(min(left, POLL), 0))
            if left <= 0:
                return True
        return False

    def drain(self, patience: float, stop: threading.Event) -> None:
        """Work until nothing waits, nothing was settled for `patience` seconds, or it is stopped."""
        deadline, waiting = time.monotonic() + patience, self._report.waiting
        while waiting and time.monotonic() < deadline and not stop.is_set():
            self._work(POLL)
            if self._report.waiting < waiting:
                deadline, waiting = time.monotonic() + patience, self._report.waiting

    def finish(self, seconds: float) -> None:
        """Work until nothing waits, but no longer than that; what waits then is lost."""
        deadline = time.monotonic() + seconds
        while self._report.waiting and time.monotonic() < deadline:
            self._work(POLL)
        for counts in self._report.by_name.values():
            counts.lost = counts.sent - counts.accepted - counts.refused

    def _work(self, seconds: float) -> None:
        """Wait so long for an answer at most, and take those that are there."""
        self._send_due()
        if self._retries:
            seconds = max(min(seconds, self._retries[0][0] - time.monotonic()), 0)
        answers = self._connections.answers
        try:
            self._take(*answers.get(timeout=seconds))
            for _ in range(answers.qsize()):  # no more: while answers keep coming, shoppers have to click, too
                self._take(*answers.get_nowait())
        except Empty:
            pass

    def _take(self, browser: Browser, answer: Response) -> None:
        name, status = browser.waiting[0]["eventName"], answer.status or 0
        if 200 <= status < 300:
            self._report.count_accepted(name)
            if self._on_accepted is not None:
                self._on_accepted(browser.waiting[0], answer)
        elif 400 <= status < 500 and not answer.is_retryable:
            browser.dropped["refused"] += 1
            self._report.count_refused(name, answer.reason)
        else:
            self._try_later(browser, answer)
            return
        browser.waiting.popleft()
        browser.failures = 0
        self._send_first(browser)

    def _send_first(self, browser: Browser) -> None:
        browser.is_sending = bool(browser.waiting)
        if browser.is_sending:
            self._connections.post(browser)

    def _try_later(self, browser: Browser, answer: Response) -> None:
        browser.failures += 1
        self._report.problem = answer.reason
        asked = min(answer.retry_after or 0, LONGEST_RETRY_AFTER)
        seconds = max(delay(min(browser.failures, LAST_DOUBLING), asked or None), asked)
        heapq.heappush(self._retries, (time.monotonic() + seconds, next(self._order), browser))

    def _send_due(self) -> None:
        while self._retries and self._retries[0][0] <= time.monotonic():
            self._connections.post(heapq.heappop(self._retries)[-1])
