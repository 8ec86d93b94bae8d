import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.replay_collector import Collector, Failing, ReplayTest, Reply, accepted, line, run

pytestmark = pytest.mark.slow


class TestPosting(ReplayTest):
    """How lines are posted, and what ends it."""

    def test_events_in_flight_are_bounded(self, collector: Collector, log: Callable[..., Path]) -> None:
        """No more than `concurrency` requests are under way at a time, over several chunks."""
        report, _ = run(collector, log(*map(line, range(1100))), concurrency=3)
        assert report.total("new") == 1100
        assert 1 <= collector.most_in_flight <= 3

    def test_endpoint_that_stays_away_ends_posting(self, collector: Collector, log: Callable[..., Path]) -> None:
        """After 20 events in a row without any answer the rest is not tried; what was accepted is still checked."""
        collector.script = lambda event, attempt: accepted(event, attempt) if len(collector.attempts) <= 3 else None
        report, _ = run(collector, log(*map(line, range(400))), concurrency=1)
        assert (report.total("accepted"), report.total("new"), report.stored) == (3, 3, 3)
        assert 20 <= report.total("refused") <= 22
        assert report.lines == len(collector.attempts)
        assert report.problems == ["posting stopped: 20 events in a row got no response"]
        assert report.exit_code == 1

    def test_endpoint_that_answers_now_and_then_is_not_given_up(
        self, collector: Collector, log: Callable[..., Path]
    ) -> None:
        """Any answer in between, even a refusal, starts the count anew."""
        collector.script = lambda event, _attempt: None if int(event["product"]["id"]) % 10 else (400, {}, {})
        report, _ = run(collector, log(*map(line, range(40))))
        assert (report.total("refused"), report.problems) == (40, [])

    def test_warehouse_that_fails_later_is_a_finding(self, collector: Collector, log: Callable[..., Path]) -> None:
        """Posting stops, since new rows could no longer be told from known ones, and the report says so."""
        report, _ = run(collector, log(*map(line, range(600))), ends={"warehouse": Failing(collector, after=2)})
        assert report.total("accepted") == 500
        assert report.problems == ["posting stopped after line 501: down", "down"]
        assert report.exit_code == 1

    def test_warehouse_that_comes_back_is_waited_for(self, collector: Collector, log: Callable[..., Path]) -> None:
        """A warehouse that is started again between two chunks costs nothing but time."""
        report, _ = run(
            collector, log(*map(line, range(600))), ends={"warehouse": Failing(collector, after=2, until=5)}
        )
        assert (report.total("new"), report.problems, report.exit_code) == (600, [], 0)


class TestStop(ReplayTest):
    """A run that is stopped."""

    def test_stop_ends_posting_and_keeps_the_account(self, collector: Collector, log: Callable[..., Path]) -> None:
        """Nothing more is posted, what was done is counted, and the exit code is 130."""
        stop = threading.Event()

        def script(event: dict[str, Any], attempt: int) -> Reply:
            if len(collector.received) >= 20:  # two threads may pass 20 at once
                stop.set()
            return accepted(event, attempt)

        collector.script = script
        report, output = run(collector, log(*map(line, range(1000))), concurrency=2, stop=stop, timeout=60)
        assert 20 <= report.total("accepted") <= 24
        assert (report.interrupted, report.exit_code) == (True, 130)
        assert "100%" not in output.splitlines()[0]
        assert report.total("accepted") == report.stored == len(collector.received)

    def test_stop_ends_a_retry_that_waits(self, collector: Collector, log: Callable[..., Path]) -> None:
        """A long Retry-After does not hold up Ctrl-C."""
        stop = threading.Event()

        def script(_event: dict[str, Any], _attempt: int) -> Reply:
            threading.Timer(0.1, stop.set).start()  # when the answer has arrived, and is being waited on
            return 503, {"message": "busy"}, {"Retry-After": "20"}

        collector.script = script
        report, _ = run(collector, log(line(1)), stop=stop)
        assert report.reasons == {"503 busy": 1}
        assert report.posting_seconds < 5
