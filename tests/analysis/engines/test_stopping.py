import time
from collections.abc import Callable, Sequence
from contextvars import copy_context
from threading import Thread

import pytest

from analysis import Engine
from analysis.engines.stopping import Stop, Stopped, checked, stoppable
from tests.support.event_rows import Event, event

LONG = """
SELECT count(*) AS number
FROM generate_series(1, 1000000) AS a (n) INNER JOIN generate_series(1, 1000000) AS b (n) ON (a.n * b.n) % 7 = 3
"""


class TestStop:
    def test_a_query_ends_at_once(self, engine_of: Callable[[Sequence[Event]], Engine]) -> None:
        """Of both engines, in another thread than the one that asks for it."""
        engine, stop, errors = engine_of([event(0)]), Stop(), []

        def run() -> None:
            with stop.watched():
                try:
                    engine.query(LONG, {})
                except Stopped as error:
                    errors.append(error)

        thread = Thread(target=copy_context().run, args=(run,))
        thread.start()
        time.sleep(0.3)
        stop.request()
        thread.join(timeout=10)
        assert len(errors) == 1

    def test_none_begins_after_it(self, engine_of: Callable[[Sequence[Event]], Engine]) -> None:
        """Until then they are answered; a query of other work still is."""
        engine, stop = engine_of([event(0)]), Stop()
        with stop.watched():
            assert engine.query("SELECT 1 AS one", {}).item() == 1
            stop.request()
            with pytest.raises(Stopped):
                engine.query("SELECT 1 AS one", {})
        assert engine.query("SELECT 1 AS one", {}).item() == 1

    def test_an_error_of_the_query_stays_one(self) -> None:
        """Only a stop that was asked for becomes Stopped."""
        stop = Stop()
        with stop.watched(), pytest.raises(ZeroDivisionError), stoppable(lambda: None):
            raise ZeroDivisionError

    def test_reading_ends_between_two_parts(self) -> None:
        """A long read of raw comes in parts."""
        stop = Stop()
        with stop.watched():
            parts = checked(range(10))
            assert [next(parts) for _ in range(3)] == [0, 1, 2]
            stop.request()
            with pytest.raises(Stopped):
                next(parts)
        assert list(checked(range(3))) == [0, 1, 2]
