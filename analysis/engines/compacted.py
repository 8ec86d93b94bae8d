"""The engine over a raw bucket whose hours are in the lake, all or some of them: the rest is read from raw."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

import polars as pl

from analysis.engines.raw import NO_TABLES
from analysis.engines.span import SpanEvents
from analysis.lake.derived import SOURCES
from analysis.lake.reading.compacted import Compacted
from analysis.lake.reading.scans import Damage
from analysis.lake.reading.window import Window
from analysis.raw.source import Source
from analysis.rows.bots import USER_AGENT
from analysis.rows.projection import Corrupt
from analysis.rows.reader import read_in_parts
from analysis.rows.selection import ORDER, Clock, Selection
from analysis.rows.taken import Taken

__all__ = ["CompactedEvents"]

Answer = TypeVar("Answer")


class CompactedEvents:
    """The events of one range, of the clock `received`, each once. Threads may share one object.

    If a file of the lake turns out to be damaged, its hours are read from raw, and the query runs again.
    """

    clock: Clock = "received"
    has_orders = True

    def __init__(
        self,
        compacted: Compacted,
        source: Source,
        selection: Selection,
        price_decimals: int,
        taken: Taken | None = None,
        *,
        bots: bool,
        derived: bool = False,
        load: bool = False,
    ) -> None:
        """Read the range.

        Args:
            compacted: The lake.
            source: The open bucket.
            selection: The range.
            price_decimals: How many decimals the prices keep.
            taken: Hours that were read from raw before, which are needed here only.
            bots: Keep the events of bots.
            derived: Have the derived columns.
            load: Copy the events into a temporary file first, as in `SpanEvents`.
        """
        self._compacted, self._source, self._selection = compacted, source, selection
        self._bots, self._load = bots, load
        self.has_derived = derived
        self.price_decimals = price_decimals
        self.corrupt: list[Corrupt] = []
        self.window, self._events = self._read(taken)

    @property
    def count(self) -> int:
        """How many events there are."""
        return self._current(lambda events: events.count)

    @property
    def orders_before(self) -> pl.DataFrame:
        """The events before the range that may have placed an order."""
        return self._current(lambda events: events.orders_before)

    def frame(self) -> pl.DataFrame:
        """Give the events, with the contract's columns and `order`, in the order of receipt."""
        return self._current(lambda events: events.frame())

    def query(self, sql: str, parameters: Mapping[str, object], tables: Mapping[str, str] = NO_TABLES) -> pl.DataFrame:
        """Run one query, as `RawEvents` does."""
        return self._current(lambda events: events.query(sql, parameters, tables))

    def _current(self, ask: Callable[[SpanEvents], Answer]) -> Answer:
        while True:
            try:
                return ask(self._events)
            except Damage:
                self.window, self._events = self._read()

    def _read(self, taken: Taken | None = None) -> tuple[Window, SpanEvents]:
        while True:
            window = self._compacted.window_of(self._selection)
            corrupt: list[Corrupt] = []
            fields = (ORDER, *(SOURCES if self.has_derived else (USER_AGENT,)))
            rest = read_in_parts(self._source, self._selection, fields, corrupt, self.price_decimals, window, taken)
            watched = partial(self._compacted.watching, window.tasks)
            try:
                events = SpanEvents(
                    window.relation,
                    self._selection,
                    self.price_decimals,
                    watched,
                    rest,
                    bots=self._bots,
                    is_in_order=window.is_in_order,
                    derived=self.has_derived,
                    load=self._load,
                )
            except Damage:
                continue
            self.corrupt = corrupt
            return window, events
