import json
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

from emulator.shoppers.browser import MOST_EVENTS, Browser
from emulator.shoppers.visit import Step
from tests.support.stack_process import ROOT

EVENT = ROOT / "publisher" / "src" / "event.js"


def step(tab: int = 0, user_id: str | None = None) -> Step:
    return Step("share_click", {"channel": "zalo"}, tab, "http://shop.test/cart", "http://shop.test/", user_id)


class TestSession:
    """The events of one visit."""

    def test_event_has_every_member_of_the_publisher(self) -> None:
        """The members of BaseEvent, all of them, and then those of the payload."""
        definition = re.search(r"@typedef \{object\} BaseEvent\n(.*?)\*/", EVENT.read_text(), re.DOTALL)
        assert definition is not None
        members = re.findall(r"@property \{.*?\} (\w+)", definition[1])
        event = Browser("shopper-1").open_session().event(step())
        assert sorted(event) == sorted([*members, "channel"])
        assert list(event)[-1] == "channel"

    def test_anonymous_event(self) -> None:
        """Types and values of a visitor who did not sign in, as they go over the wire."""
        before = datetime.now(UTC) - timedelta(milliseconds=1)  # the event's time is cut to milliseconds
        event = json.loads(json.dumps(Browser("shopper-1").open_session().event(step())))
        package = json.loads((ROOT / "publisher" / "package.json").read_text())
        ids = [UUID(event.pop(name)) for name in ("eventId", "clientId", "sessionId", "tabId")]
        assert [identifier.version for identifier in ids] == [4, 4, 4, 4]
        time = event.pop("eventTimestamp")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time)
        assert before <= datetime.fromisoformat(time) <= datetime.now(UTC)
        assert event == {
            "eventName": "share_click",
            "pageUrl": "http://shop.test/cart",
            "referrer": "http://shop.test/",
            "userId": None,
            "userLoginState": "anonymous",
            "identitySource": None,
            "isFirstVisit": True,
            "seq": 1,
            "dropped": {"overflow": 0, "refused": 0, "withheld": 0},
            "publisher": {"name": "@clickstream/publisher", "version": package["version"]},
            "context": {"timeZone": "Asia/Ho_Chi_Minh", "language": "vi-VN"},
            "channel": "zalo",
        }

    def test_signed_in_event(self) -> None:
        """Who it is, and who says so."""
        event = Browser("shopper-1").open_session().event(step(user_id="shopper-1"))
        assert (event["userId"], event["userLoginState"], event["identitySource"]) == ("shopper-1", "logged_in", "demo")

    def test_tabs_count_for_themselves(self) -> None:
        """Two tabs of one session have ids and sequences of their own."""
        session = Browser("shopper-1").open_session()
        events = [session.event(step(tab)) for tab in (0, 1, 0, 1, 1)]
        assert [event["seq"] for event in events] == [1, 1, 2, 2, 3]
        assert len({event["tabId"] for event in events}) == 2
        assert len({event["sessionId"] for event in events}) == 1
        assert len({event["eventId"] for event in events}) == 5

    def test_second_visit_is_of_the_same_client(self) -> None:
        """A returning browser keeps its client id; session and tab are new, and it is no first visit."""
        browser = Browser("shopper-1")
        first, second = (browser.open_session().event(step()) for _ in range(2))
        assert (first["isFirstVisit"], second["isFirstVisit"]) == (True, False)
        assert first["clientId"] == second["clientId"]
        assert first["sessionId"] != second["sessionId"]
        assert first["tabId"] != second["tabId"]


class TestKeep:
    """Events that wait."""

    def test_oldest_makes_room(self) -> None:
        """One more than fits drops the oldest, and the next event says so."""
        browser = Browser("shopper-1")
        session = browser.open_session()
        dropped = [browser.keep(session.event(step())) for _ in range(MOST_EVENTS + 1)]
        assert dropped[:-1] == [None] * MOST_EVENTS
        assert dropped[-1] is not None
        assert dropped[-1]["seq"] == 1
        assert [event["seq"] for event in browser.waiting] == list(range(2, MOST_EVENTS + 2))
        assert session.event(step())["dropped"] == {"overflow": 1, "refused": 0, "withheld": 0}

    def test_event_under_way_is_not_dropped(self) -> None:
        """It may arrive yet; the one after it goes."""
        browser = Browser("shopper-1", is_sending=True)
        session = browser.open_session()
        dropped = [browser.keep(session.event(step())) for _ in range(MOST_EVENTS + 1)][-1]
        assert dropped is not None
        assert dropped["seq"] == 2
        assert browser.waiting[0]["seq"] == 1
