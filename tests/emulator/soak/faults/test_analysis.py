"""Analysis commands that run while the stack does."""

import psycopg
import pytest

from chalicelib.keys import PREFIX
from emulator.soak.faults import Fault
from emulator.soak.faults.analysis import EVENTS, backfill, erase, validate
from emulator.soak.subject import Subject

pytestmark = pytest.mark.slow


def ids_in_raw(subject: Subject) -> str:
    return "".join(path.read_text() for path in (subject.bucket / PREFIX).rglob("*.json"))


class TestErase:
    def test_the_events_of_the_client_are_nowhere(self, subject: Subject) -> None:
        """They were sent by the fault itself."""
        before = len(subject.erased)
        erase(subject, 0.5)
        assert subject.problems == []
        assert len(subject.erased) == before + EVENTS
        raw = ids_in_raw(subject)
        assert not any(event_id in raw for event_id in subject.erased)
        with psycopg.connect(subject.stack.dw_url) as connection:
            rows = {str(event_id) for (event_id,) in connection.execute("SELECT event_id FROM clickstream_events")}
        assert not rows & subject.erased


class TestBackfillAndValidate:
    @pytest.mark.parametrize("run", [backfill, validate])
    def test_it_ends_as_it_should(self, subject: Subject, run: Fault) -> None:
        """On a stack in which nothing is wrong."""
        run(subject, 1.0)
        assert subject.problems == []

    def test_another_exit_code_is_a_problem(self, nothing: Subject) -> None:
        """Here the warehouse does not answer."""
        backfill(nothing, 1.0)
        (problem,) = nothing.problems
        assert problem.startswith("backfill ended with 2: Error: ")
