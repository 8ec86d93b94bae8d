import pytest

from analysis.checks.validation.visits import visit_checks
from tests.support.raw_objects import Objects


def found(objects: Objects, name: str) -> list[dict[str, object]]:
    return objects.findings(visit_checks(objects.events), name)


class TestVisitChecks:
    def test_a_gap_of_more_than_half_an_hour(self) -> None:
        """By the browser's clock: an event that came late is none."""
        objects = Objects()
        for sent in (0, 1800, 3601):
            objects.add(received=4000, sent=sent, isFirstVisit=False)
        for received, sent in ((1, 1), (3000, 2)):
            objects.add(received=received, sent=sent, sessionId="late", isFirstVisit=False)
        assert found(objects, "broken_sessions") == [
            {"session_id": "s", "reason": "gap", "gap": 1801.0, "clients": None}
        ]

    def test_a_session_of_two_clients(self) -> None:
        """Is no session."""
        objects = Objects()
        objects.add()
        objects.add(clientId="other")
        assert found(objects, "broken_sessions") == [
            {"session_id": "s", "reason": "clients", "gap": None, "clients": 2}
        ]

    @pytest.mark.parametrize(
        ("visits", "is_contradiction"),
        [
            ([("a", True), ("a", True), ("b", False)], False),
            ([("a", False), ("b", False)], False),
            ([("a", True), ("b", True)], True),
            ([("a", True), ("a", False)], True),
            ([("a", False), ("b", True)], True),
        ],
    )
    def test_first_visits(self, visits: list[tuple[str, bool]], is_contradiction: bool) -> None:  # noqa: FBT001
        """A client has one, or none in the span, and it is its first session."""
        objects = Objects()
        for session, is_first in visits:
            objects.add(sessionId=session, isFirstVisit=is_first)
        clients = [item["client_id"] for item in found(objects, "first_visit_contradictions")]
        assert clients == ["c"] * is_contradiction
