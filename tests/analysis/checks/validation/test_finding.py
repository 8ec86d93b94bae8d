import pytest

from analysis.checks.validation.finding import counted
from analysis.checks.validation.visits import visit_checks
from tests.support.raw_objects import Objects


class TestCounted:
    @pytest.mark.parametrize(
        ("number", "sentence"),
        [(0, "0 events have no row"), (1, "1 event has no row"), (1234, "1,234 events have no row")],
    )
    def test_the_sentence_agrees_with_its_number(self, number: int, sentence: str) -> None:
        """One event has, none or several events have."""
        assert counted(number, "event has no row", "events have no row") == sentence

    @pytest.mark.parametrize("sessions", [0, 1, 2])
    def test_checks_use_it(self, sessions: int) -> None:
        """By the number of their findings."""
        objects = Objects()
        for number in range(max(sessions, 1)):
            objects.add(sessionId=f"s{number}")
            if number < sessions:
                objects.add(sessionId=f"s{number}", clientId="other")
        observed = next(check.observed for check in visit_checks(objects.events) if check.name == "broken_sessions")
        assert observed.startswith(
            f"{sessions} session{'' if sessions == 1 else 's'} break{'s' if sessions == 1 else ''} "
        )
