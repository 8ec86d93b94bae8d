from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.replay_collector import Collector, ReplayTest, accepted, line, run


class TestPoster(ReplayTest):
    """What becomes of answers other than success."""

    def test_refusal_is_final_and_its_message_is_counted(self, collector: Collector, log: Callable[..., Path]) -> None:
        """A 400 is not tried again; reasons are counted as the server words them."""
        collector.script = lambda event, attempt: (
            (400, {"success": False, "message": "not\nwelcome\x1b"}, {})
            if event["product"]["id"] in "12"
            else accepted(event, attempt)
        )
        report, _ = run(collector, log(line(1), line(2), line(3)))
        assert report.reasons == {"400 not welcome\\x1b": 2}
        assert (report.total("refused"), report.total("accepted"), report.exit_code) == (2, 1, 1)
        assert set(collector.attempts.values()) == {1}

    @pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
    def test_busy_is_tried_again(self, collector: Collector, log: Callable[..., Path], status: int) -> None:
        """A server that asks for time gets it, and the event is accepted once."""
        collector.script = lambda event, attempt: (
            (status, {"message": "busy"}, {"Retry-After": "0"}) if attempt < 3 else accepted(event, attempt)
        )
        report, _ = run(collector, log(line(1)))
        assert (report.total("posted"), report.total("accepted"), report.exit_code) == (1, 1, 0)
        assert list(collector.attempts.values()) == [3]

    def test_lost_connection_is_tried_again(self, collector: Collector, log: Callable[..., Path]) -> None:
        """A server that hangs up gets the event again."""
        collector.script = lambda event, attempt: accepted(event, attempt) if attempt == 2 else None
        report, _ = run(collector, log(line(1)))
        assert (report.total("accepted"), report.exit_code) == (1, 0)

    def test_attempts_are_bounded(self, collector: Collector, log: Callable[..., Path]) -> None:
        """A server that stays busy, or never answers, refuses in the end."""
        collector.script = lambda event, _attempt: (
            (503, None, {"Retry-After": "0"}) if event["product"]["id"] == "1" else None
        )
        report, _ = run(collector, log(line(1), line(2)))
        assert report.reasons == {"503 without a message": 1, "no answer: RemoteProtocolError": 1}
        assert set(collector.attempts.values()) == {6}
        assert report.exit_code == 1

    @pytest.mark.parametrize("body", [None, {}, {"success": True}, {"success": True, "key": "elsewhere/x.json"}])
    def test_success_without_an_object_is_no_success(
        self, collector: Collector, log: Callable[..., Path], body: dict[str, Any] | None
    ) -> None:
        """A 200 that names no object cannot be checked, so it counts as refused."""
        collector.script = lambda _event, _attempt: (200, body, {})
        report, _ = run(collector, log(line(1)), ends={"warehouse": None})
        assert report.reasons == {"200 without the key of an object": 1}
