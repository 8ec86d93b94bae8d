from pathlib import Path

import pytest

from emulator.traces import traces as module
from emulator.traces.traces import Traces
from tests.support.running import running, store

KEY = "events/2026/11/24/09/event-{}.json"


def states(traces: Traces) -> list[str]:
    return [trace.state for trace in traces.all()]


class TestTraces:
    @pytest.mark.parametrize(
        ("outcome", "state"),
        [
            ("projected", "row"),
            ("already_known", "duplicate"),
            ("rejected", "rejected"),
            ("gone", "gone"),
            ("failed", "failed"),
        ],
    )
    def test_what_the_projector_says_is_its_state(self, tmp_path: Path, outcome: str, state: str) -> None:
        """Only a row has the time of one."""
        stack = running(tmp_path)
        file = store(stack, KEY.format(1), "{}")
        stack.traces.delivered(file)
        stack.traces.projected(file, outcome, "why")
        (trace,) = stack.traces.all()
        assert (trace.state, trace.reason, trace.deliveries) == (state, "why", 1)
        assert (trace.row_at is not None) == (state == "row")
        assert trace.projected_at is not None

    def test_a_row_stays_a_row_however_often_it_is_delivered(self, tmp_path: Path) -> None:
        """Its times are those of the delivery that made it."""
        stack = running(tmp_path)
        file = store(stack, KEY.format(1), "{}")
        stack.traces.delivered(file)
        stack.traces.projected(file, "projected", None)
        (before,) = stack.traces.all()
        stack.traces.delivered(file)
        stack.traces.projected(file, "already_known", None)
        (after,) = stack.traces.all()
        assert (after.state, after.deliveries) == ("row", 2)
        assert (after.projected_at, after.row_at) == (before.projected_at, before.row_at)

    def test_an_object_that_is_touched_keeps_its_row(self, tmp_path: Path) -> None:
        """It is delivered again, and is no duplicate of itself."""
        stack = running(tmp_path)
        file = store(stack, KEY.format(1), '{"eventId": "e"}')
        stack.traces.projected(file, "projected", None)
        touched = file._replace(changed=file.changed + 1)
        stack.traces.stored(touched)
        stack.traces.projected(touched, "already_known", None)
        assert states(stack.traces) == ["row"]

    @pytest.mark.parametrize(("others", "state"), [(0, "row"), (1, "duplicate")])
    def test_a_row_whose_confirmation_was_lost_is_its_own(self, tmp_path: Path, others: int, state: str) -> None:
        """Known already at the second delivery, and no other object has it."""
        stack = running(tmp_path)
        for number in range(others):
            stack.traces.projected(store(stack, KEY.format(number), '{"eventId": "e"}'), "projected", None)
        file = store(stack, KEY.format(9), '{"eventId": "e"}')
        for outcome in ("failed", "already_known"):
            stack.traces.delivered(file)
            stack.traces.projected(file, outcome, None)
        (trace,) = [trace for trace in stack.traces.all() if trace.key == file.key]
        assert trace.state == state

    def test_what_failed_keeps_its_reason_while_it_waits(self, tmp_path: Path) -> None:
        """It is offered again every two seconds."""
        stack = running(tmp_path)
        file = store(stack, KEY.format(1), "{}")
        stack.traces.projected(file, "failed", "down")
        stack.traces.stored(file)
        assert [(trace.state, trace.reason) for trace in stack.traces.all()] == [("failed", "down")]

    def test_an_object_that_is_gone_leaves_no_trace(self, tmp_path: Path) -> None:
        """As after a reset."""
        stack = running(tmp_path)
        file = store(stack, KEY.format(1), "{}")
        (stack.bucket / file.key).unlink()
        stack.traces.reset()
        stack.traces.stored(file)
        stack.traces.delivered(file)
        stack.traces.projected(file, "gone", None)
        assert states(stack.traces) == []

    def test_changes_come_in_order(self, tmp_path: Path) -> None:
        """Each trace once, as it is now, after the revision asked for; the last ones if there are too many."""
        stack = running(tmp_path)
        files = [store(stack, KEY.format(number), "{}") for number in range(5)]
        revision = stack.traces.revision
        stack.traces.projected(files[3], "projected", None)
        stack.traces.projected(files[1], "projected", None)
        stack.traces.projected(files[1], "already_known", None)
        assert [trace.key for trace in stack.traces.changed_since(revision, 100)] == [files[3].key, files[1].key]
        assert [trace.key for trace in stack.traces.changed_since(0, 2)] == [files[3].key, files[1].key]
        assert stack.traces.changed_since(stack.traces.revision, 100) == []

    def test_the_oldest_are_forgotten(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Figures still count them; one that waits is traced and counted again when it is delivered."""
        monkeypatch.setattr(module, "MOST_TRACES", 2)
        stack = running(tmp_path)
        files = [store(stack, KEY.format(number), "{}") for number in range(3)]
        assert [trace.key for trace in stack.traces.all()] == [files[1].key, files[2].key]
        for file in files:
            stack.traces.delivered(file)
            stack.traces.projected(file, "projected", None)
        figures = stack.traces.figures()
        assert (figures["accepted"], figures["rows"], figures["waiting"]) == (3, 3, 0)

    def test_traces_of_one_event(self, tmp_path: Path) -> None:
        """An event that was sent twice has two objects."""
        stack = running(tmp_path)
        for number in range(3):
            store(stack, KEY.format(number), f'{{"eventId": "{number % 2}"}}')
        event_id = stack.traces.all()[0].event_id
        assert event_id is not None
        assert [trace.key for trace in stack.traces.of_event(event_id)] == [KEY.format(0), KEY.format(2)]

    def test_reset(self, tmp_path: Path) -> None:
        """Nothing is left, and another epoch begins."""
        stack = running(tmp_path)
        store(stack, KEY.format(1), "{}")
        epoch = stack.traces.epoch
        stack.traces.reset()
        assert states(stack.traces) == []
        assert stack.traces.epoch != epoch
        assert stack.traces.figures()["accepted"] == 0
