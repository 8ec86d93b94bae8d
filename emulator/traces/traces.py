"""The traces of a stack: kept in memory, the last 50,000 that changed, for the API and the pipeline view."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import uuid4

from emulator.traces.figures import Figures
from emulator.traces.trace import WAITING, Trace, refused_trace, stored_trace
from emulator.triggers.notification import File

__all__ = ["MOST_TRACES", "Traces"]

MOST_TRACES = 50_000
FIRST_REPEATED = 2
STATES = {"projected": "row", "already_known": "duplicate"}  # other outcomes are states of the same name


class Traces:
    """What became of each object below `bucket`, and of each refused request; threads may share it.

    `epoch` names the time between two resets; within it, each change has a `revision` higher than all before.
    """

    def __init__(self, bucket: Path) -> None:
        self._bucket = bucket
        self._lock = Lock()
        self.reset()

    def reset(self) -> None:
        """Forget all of them."""
        with self._lock:
            self.epoch = uuid4().hex
            self.revision = 0
            self._traces: OrderedDict[str, Trace] = OrderedDict()  # the last change is last
            self._figures = Figures()

    # What happens, as `Deliveries` and the log of refusals tell it.

    def stored(self, file: File) -> None:
        """An object is there, and will be delivered."""
        known = self._traces.get(file.key)
        # One that failed is offered again and again.
        if known is not None and known.state == "failed":
            return
        trace = stored_trace(self._bucket, file)
        # An object that is touched, or put once more, keeps the row that it has.
        has_row = known is not None and trace is not None and (known.state, known.event_id) == ("row", trace.event_id)
        if trace is not None and not has_row:
            self._keep(trace)

    def delivered(self, file: File) -> None:
        """The projector is given the object now."""
        if file.key not in self._traces:  # forgotten since
            self.stored(file)
        now = time.time()

        def change(trace: Trace) -> Trace:
            at = trace.projected_at if trace.state == "row" else now  # that of the delivery that made the row
            return replace(trace, projected_at=at, deliveries=trace.deliveries + 1)

        self._change(file.key, change)

    def projected(self, file: File, outcome: str, reason: str | None) -> None:
        """What the projector made of it: one of its outcomes, or `failed`."""
        now = time.time()
        state = STATES.get(outcome, outcome)
        if state == "duplicate" and self._is_own_row(file.key):
            state = "row"

        def change(trace: Trace) -> Trace:
            if trace.state == "row":  # however often it is delivered
                return trace
            return replace(trace, state=state, reason=reason, row_at=now if state == "row" else None)

        self._change(file.key, change)

    def refused(self, status: int, reason: str) -> None:
        """Ingest answered a request with no 2xx."""
        self._keep(refused_trace(status, reason, time.time()))

    # What is known.

    def all(self) -> list[Trace]:
        """Every trace, the least recently changed first."""
        with self._lock:
            return list(self._traces.values())

    def get(self, trace_id: str) -> Trace | None:
        """The trace of an object key, or of a refusal."""
        return self._traces.get(trace_id)

    def of_event(self, event_id: str) -> list[Trace]:
        """Every trace of one event id."""
        return [trace for trace in self.all() if trace.event_id == event_id]

    def changed_since(self, revision: int, most: int) -> list[Trace]:
        """The last traces, at most `most`, that changed since that revision; the oldest change first."""
        with self._lock:
            changed = takewhile(lambda trace: trace.revision > revision, reversed(self._traces.values()))
            return [trace for trace, _ in zip(changed, range(most), strict=False)][::-1]

    def figures(self) -> dict[str, Any]:
        """Counts, rate and percentiles."""
        with self._lock:
            return self._figures.as_json()

    def _is_own_row(self, key: str) -> bool:
        """Whether the row of an object that was delivered before is its own: that of no other one."""
        trace = self._traces.get(key)
        if trace is None or trace.event_id is None or trace.deliveries < FIRST_REPEATED:
            return False
        return not any(other.state == "row" for other in self.of_event(trace.event_id))

    def _keep(self, trace: Trace) -> None:
        with self._lock:
            self._put(trace)
            while len(self._traces) > MOST_TRACES:
                _, forgotten = self._traces.popitem(last=False)
                if forgotten.state in WAITING:  # it will be counted again when it is delivered
                    self._figures.count(forgotten, None)

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
