import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from uuid import UUID

from emulator.replay.output import as_json
from tests.support.replay_collector import HOUR, Collector, Failing, ReplayTest, line, run


class TestRows(ReplayTest):
    """Accepted events and their rows."""

    def test_rows_that_never_come_are_named(self, collector: Collector, log: Callable[..., Path]) -> None:
        """After the timeout without a new row, the missing ids are in the report."""
        collector.projects = False
        report, _ = run(collector, log(line(1), line(2)))
        assert (report.total("missing"), report.stored, report.exit_code) == (2, 2, 1)
        assert set(as_json(report)["first_missing_rows"]) == {event["eventId"] for event in collector.received}

    def test_late_rows_are_waited_for(self, collector: Collector, log: Callable[..., Path]) -> None:
        """As long as rows keep coming, the wait goes on past the timeout."""
        collector.projects = False

        class Slow:
            """A warehouse that shows one more row at each look, after some that show nothing."""

            looks = 0

            def known(self, ids: Sequence[UUID]) -> set[UUID]:
                self.looks += 1
                arrived = max(0, self.looks - 5)
                return {UUID(event["eventId"]) for event in collector.received[:arrived]} & set(ids)

        report, _ = run(collector, log(*map(line, range(30))), ends={"warehouse": Slow()}, timeout=0.1)
        assert (report.total("new"), report.exit_code) == (30, 0)


class TestObjects(ReplayTest):
    """Accepted events and their objects."""

    def test_objects_that_are_not_there_are_named(self, collector: Collector, log: Callable[..., Path]) -> None:
        """A key that was answered and is not in storage is a loss, even if the row is there."""

        class Empty:
            """A storage that keeps nothing."""

            def keys(self, prefix: str) -> Iterator[str]:
                return iter([f"{prefix}event-{uuid.uuid4()}.json", f"{prefix}.partial"])

        report, _ = run(collector, log(line(1)), ends={"storage": Empty()})
        assert (report.stored, report.missing_objects, report.exit_code) == (0, 1, 1)
        assert as_json(report)["first_missing_objects"] == list(collector.objects)

    def test_two_answers_with_one_key_are_one_object(self, collector: Collector, log: Callable[..., Path]) -> None:
        """An object that was overwritten is lost, though its key exists."""
        key = f"{HOUR}event-{uuid.uuid4()}.json"
        collector.script = lambda _event, _attempt: (200, {"success": True, "key": key}, {})
        report, _ = run(collector, log(line(1), line(2)))
        assert (report.stored, report.missing_objects, report.exit_code) == (1, 1, 1)

    def test_storage_that_fails_later_is_a_finding(self, collector: Collector, log: Callable[..., Path]) -> None:
        """Objects that could not be looked for are not called lost, but the run is not fine either."""
        report, _ = run(collector, log(line(1)), ends={"storage": Failing(collector, after=1)})
        assert report.problems == ["objects not checked: down"]
        assert (report.stored, report.exit_code) == (None, 1)
