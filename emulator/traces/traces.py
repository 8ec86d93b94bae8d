"""Keeps the last 50,000 traces of a stack in memory, for the API and the pipeline view."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import uuid4

from analysis.raw.tombstones import Tombstones
from emulator.traces.figures import Figures
from emulator.traces.trace import WAITING, Trace, refused_trace, stored_trace
from emulator.triggers.notification import File

__all__ = ["MOST_TRACES", "Traces"]

MOST_TRACES = 50_000
FIRST_REPEATED = 2
STATES = {"projected": "row", "already_known": "duplicate"}  # other outcomes are states of the same name


class Traces:
    """The traces of each object below the directory `bucket`, and of each refused request; threads may share it.

    `epoch` changes with each reset. Within an epoch, each change of a trace gets the next `revision`.
    """

    def __init__(self, bucket: Path) -> None:
        self._bucket = bucket
        self._lock = Lock()
        self._erased: Tombstones | None = None
        self.reset()

    def reset(self) -> None:
        """Forget all traces, and begin a new epoch."""
        with self._lock:
            self.epoch = uuid4().hex
            self.revision = 0
            self._traces: OrderedDict[str, Trace] = OrderedDict()  # the last change is last
            self._figures = Figures()

    def forget(self, erased: Tombstones | None) -> None:
        """Drop all traces of these people, and note none of their ids from now on.

        A new epoch begins if a trace is dropped. Figures still count the traces that have ended. `erased` replaces the
        tombstones of the last call.
        """
        with self._lock:
            if erased == self._erased:
                return
            self._erased = erased
            forgotten = [trace for trace in self._traces.values() if self._is_erased(trace)]
            for trace in forgotten:
                self._drop(trace)
            if forgotten:
                self.epoch = uuid4().hex  # so that open pages forget them, too

    # These four methods are called by `Deliveries` and `Refusals`.

    def stored(self, file: File) -> None:
        """Note that an object is stored, and will be delivered."""
        known = self._traces.get(file.key)
        # A failed delivery is offered again and again.
        if known is not None and known.state == "failed":
            return
        trace = stored_trace(self._bucket, file)
        # An object that is touched, or put once more, keeps its row.
        has_row = known is not None and trace is not None and (known.state, known.event_id) == ("row", trace.event_id)
        if trace is not None and not has_row:
            self._keep(trace)

    def delivered(self, file: File) -> None:
        """Note that the projector gets the object now."""
        if file.key not in self._traces:  # it was forgotten meanwhile
            self.stored(file)
        now = time.time()

        def change(trace: Trace) -> Trace:
            at = trace.projected_at if trace.state == "row" else now  # the time of the delivery that made the row
            return replace(trace, projected_at=at, deliveries=trace.deliveries + 1)

        self._change(file.key, change)

    def projected(self, file: File, outcome: str, reason: str | None) -> None:
        """Note the projector's outcome for an object, or `failed`, and the reason."""
        now = time.time()
        state = STATES.get(outcome, outcome)
        if state == "duplicate" and self._is_own_row(file.key):
            state = "row"

        def change(trace: Trace) -> Trace:
            if trace.state == "row":  # later deliveries change nothing
                return trace
            return replace(trace, state=state, reason=reason, row_at=now if state == "row" else None)

        self._change(file.key, change)

    def refused(self, status: int, reason: str) -> None:
        """Note that ingest refused a request."""
        self._keep(refused_trace(status, reason, time.time()))

    # The remaining public methods read the traces.

    def all(self) -> list[Trace]:
        """Return every trace, the least recently changed first."""
        with self._lock:
            return list(self._traces.values())

    def get(self, trace_id: str) -> Trace | None:
        """Return the trace of this object key or refusal id; None if there is none."""
        return self._traces.get(trace_id)

    def of_event(self, event_id: str) -> list[Trace]:
        """Return every trace of one event id."""
        return [trace for trace in self.all() if trace.event_id == event_id]

    def changed_since(self, revision: int, most: int) -> list[Trace]:
        """Return the last `most` traces that changed after a revision, the oldest change first."""
        with self._lock:
            changed = takewhile(lambda trace: trace.revision > revision, reversed(self._traces.values()))
            return [trace for trace, _ in zip(changed, range(most), strict=False)][::-1]

    def figures(self) -> dict[str, Any]:
        """Return counts, rate and percentiles as JSON; see `Figures`."""
        with self._lock:
            return self._figures.as_json()

    def _is_own_row(self, key: str) -> bool:
        """Return whether an earlier delivery of this object, and no other object, made the row of its event id."""
        trace = self._traces.get(key)
        if trace is None or trace.event_id is None or trace.deliveries < FIRST_REPEATED:
            return False
        return not any(other.state == "row" for other in self.of_event(trace.event_id))

    def _keep(self, trace: Trace) -> None:
        with self._lock:
            self._put(trace.without_person() if self._is_erased(trace) else trace)
            while len(self._traces) > MOST_TRACES:
                self._drop(next(iter(self._traces.values())))

    def _drop(self, trace: Trace) -> None:
        del self._traces[trace.id]
        if trace.state in WAITING:  # its delivery will count it again
            self._figures.count(trace, None)

    def _is_erased(self, trace: Trace) -> bool:
        ids = {"client_id": trace.client_id, "user_id": trace.user_id}
        return self._erased is not None and self._erased.names(ids)

    def _change(self, trace_id: str, change: Callable[[Trace], Trace]) -> None:
        with self._lock:
            trace = self._traces.get(trace_id)
            if trace is not None:
                self._put(change(trace))

    def _put(self, trace: Trace) -> None:
        self.revision += 1
        self._figures.count(self._traces.get(trace.id), trace)
        self._traces[trace.id] = replace(trace, revision=self.revision)
        self._traces.move_to_end(trace.id)
