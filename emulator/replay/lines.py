"""Posts the lines of a log, some at a time, and counts what becomes of each."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from uuid import UUID

from command_line.errors import CommandError
from emulator.posting.poster import Poster
from emulator.posting.response import Response
from emulator.posting.retry import ATTEMPTS, delay
from emulator.replay.bar import Bar
from emulator.replay.events import Event, Malformed
from emulator.replay.report import ReplayReport
from emulator.replay.warehouse import Warehouse

__all__ = ["Posting"]

CHUNK = 500  # lines that are read, looked up in the warehouse and posted together
MAX_UNANSWERED = 20  # events in a row without any answer, all attempts made, after which the endpoint is given up


class Posting:
    """The first part of a replay; only the thread that calls `post_all` counts."""

    def __init__(
        self, report: ReplayReport, poster: Poster, warehouse: Warehouse | None, bar: Bar, stop: threading.Event
    ) -> None:
        self._report = report
        self._poster = poster
        self._warehouse = warehouse
        self._bar = bar
        self._stop = stop
        self._unanswered = 0

    @property
    def is_over(self) -> bool:
        """Whether the rest of the lines is not to be posted."""
        return self._stop.is_set() or bool(self._report.problems)

    def post_all(self, lines: Iterator[Event | Malformed], concurrency: int) -> None:
        """Post the lines; an endpoint or a warehouse that stays away ends this, and is a problem in the report."""
        started = time.monotonic()
        with ThreadPoolExecutor(concurrency) as pool:
            try:
                while not self.is_over and (chunk := list(islice(lines, CHUNK))):
                    self._post_chunk(chunk, pool)
            except CommandError as error:  # without the warehouse, new rows could not be told from known ones
                self._report.problems.append(f"posting stopped after line {self._report.lines + 1}: {error.message}")
        self._report.posting_seconds = time.monotonic() - started
        if not self.is_over:
            self._bar.fill()

    def _post_chunk(self, chunk: Sequence[Event | Malformed], pool: ThreadPoolExecutor) -> None:
        events = [line for line in chunk if isinstance(line, Event)]
        # The oldest rows that are still missing are asked for too, so that few have to be remembered.
        known = self._known([*(event.event_id for event in events), *islice(self._report.missing_rows, CHUNK)])
        self._report.count_arrived(known)
        answers = pool.map(self._post, events)
        for line in chunk:
            if isinstance(line, Malformed):
                self._report.count_malformed(line)
            elif answer := next(answers):
                self._count(line, answer, known=line.event_id in known)
            else:
                continue  # not posted, since posting was over by then
            self._bar.advance(line)

    def _post(self, event: Event) -> Response | None:
        return None if self.is_over else self._poster.post(event.payload)

    def _count(self, event: Event, answer: Response, *, known: bool) -> None:
        if answer.key is None:
            self._report.count_refused(event, answer.reason)
        else:
            self._report.count_accepted(event, answer.key, answer.seconds, known=known)
        self._unanswered = 0 if answer.status else self._unanswered + 1
        if self._unanswered == MAX_UNANSWERED:
            self._report.problems.append(f"posting stopped: {MAX_UNANSWERED} events in a row got no answer")

    def _known(self, ids: Sequence[UUID]) -> set[UUID]:
        """Those of the ids that have a row; a warehouse that is started again in the meantime is waited for."""
        if self._warehouse is None:
            return set()
        for attempt in range(1, ATTEMPTS):
            try:
                return self._warehouse.known(ids)
            except CommandError:
                self._stop.wait(delay(attempt))
        return self._warehouse.known(ids)
