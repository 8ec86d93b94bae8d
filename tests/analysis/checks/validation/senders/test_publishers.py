from analysis.checks.validation.content import content_checks
from analysis.checks.validation.senders.publishers import publisher_check
from analysis.checks.validation.visits import visit_checks
from tests.support.raw_objects import Objects

OURS = {"name": "@clickstream/publisher", "version": "0.1.0"}
ACME = {"name": "acme", "version": "2.0"}


def other_publisher(sessions: int) -> Objects:
    """Events of another publisher, which keeps the contract, beside ours."""
    objects = Objects()
    for session in range(sessions):
        for number, name in enumerate(("page_view", "page_view", "checkout_complete")):
            objects.add(
                eventName=name,
                publisher=ACME,
                clientId=f"c{session}",
                sessionId=f"s{session}",
                eventTimestamp=None,
                isFirstVisit=number == 0,
                tabId=None,
                seq=None,
                order={"total": 9} if name == "checkout_complete" else None,
            )
            objects.add(publisher=OURS)
    return objects


class TestPublisherCheck:
    def test_another_publisher_is_named_once(self) -> None:
        """With all that is different; no other check repeats it for each event or client."""
        events = other_publisher(7).events
        check = publisher_check(events)
        assert check.observed == "1 publisher is not like ours"
        assert [(finding["publisher"], finding["events"], finding["differences"]) for finding in check.findings] == [
            (
                "acme 2.0",
                21,
                "never sends eventTimestamp, order.id, tabId, seq; sends isFirstVisit with the first event only",
            )
        ]
        others = [*content_checks(events), *visit_checks(events)]
        assert [check.name for check in others if check.findings] == []

    def test_a_first_visit_that_is_said_once_and_then_left_out(self) -> None:
        """Is the same: the other events of the session do not say whether it is a first visit."""
        objects = Objects()
        for session in range(5):
            for number in range(3):
                objects.add(sessionId=f"s{session}", clientId=f"c{session}", isFirstVisit=True if not number else None)
        (finding,) = publisher_check(objects.events).findings
        assert (finding["publisher"], finding["differences"]) == (
            "without a name",
            "sends isFirstVisit with the first event only",
        )

    def test_a_few_events_are_a_slip(self) -> None:
        """Then the checks of members and of visits report them; the publisher is like ours."""
        events = other_publisher(2).events
        assert publisher_check(events).findings == []
        (missing,) = (check for check in content_checks(events) if check.name == "missing_fields")
        assert [(finding["field"], finding["events"]) for finding in missing.findings] == [
            ("eventTimestamp", 2),
            ("order.id", 2),
            ("eventTimestamp", 4),
        ]

    def test_our_publisher(self) -> None:
        """Has no finding, also where single events lack a member."""
        objects = Objects()
        for number in range(40):
            objects.add(pageUrl=None if number % 2 else "https://shop.example/")
        assert publisher_check(objects.events).findings == []
