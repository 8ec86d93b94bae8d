import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from emulator.shoppers import browser as browser_module
from emulator.shoppers.browser import Browser, Session
from emulator.shoppers.connections import Connections
from emulator.shoppers.delivery import Delivery
from emulator.shoppers.report import ShoppersReport
from emulator.shoppers.visit import Step
from tests.support.collector import Collector, Event, Response

pytestmark = pytest.mark.slow

STEP = Step("home_view", {}, 0, "http://shop.test/", "", None)
NEVER = threading.Event()


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """Give a running collector, and shorten the delays."""
    monkeypatch.setattr("emulator.posting.retry.FIRST_DELAY", 0.001)
    collector = Collector()
    yield collector
    collector.stop()


@pytest.fixture
def report(collector: Collector) -> ShoppersReport:
    """Give an empty account."""
    return ShoppersReport(collector.url, seed=0, sessions=1)


@pytest.fixture
def delivery(collector: Collector, report: ShoppersReport) -> Iterator[Delivery]:
    """Give a delivery to the collector, over two connections."""
    with closing(Connections(collector.url, 2)) as connections:
        yield Delivery(connections, report)


def happen(delivery: Delivery, session: Session, count: int = 1) -> None:
    for _ in range(count):
        delivery.add(session.browser, session.event(STEP))


class TestDelivery:
    """What becomes of events that wait."""

    def test_order_is_kept(self, collector: Collector, delivery: Delivery, report: ShoppersReport) -> None:
        """One event of a browser at a time is under way, the oldest first."""
        happen(delivery, Browser("shopper-1").open_session(), 30)
        delivery.drain(30, NEVER)
        assert [event["seq"] for event in collector.accepted] == list(range(1, 31))
        assert (report.total("sent"), report.total("accepted"), report.waiting) == (30, 30, 0)

    @pytest.mark.parametrize("status", [0, 302, 408, 429, 500, 501, 503])
    def test_what_is_no_receipt_is_sent_again(
        self, collector: Collector, delivery: Delivery, report: ShoppersReport, status: int
    ) -> None:
        """The same event, as often as it takes, and those after it wait; the problem is known meanwhile only."""
        problems = []

        def script(_event: Event) -> Response:
            problems.append(report.problem)
            return Response(status if len(collector.received) < 10 else 200)

        collector.script = script
        happen(delivery, Browser("shopper-1").open_session(), 2)
        delivery.drain(30, NEVER)
        assert [event["seq"] for event in collector.received] == [1] * 10 + [2]
        assert len({event["eventId"] for event in collector.received}) == 2
        assert problems[1]
        assert (report.total("accepted"), report.total("refused"), report.problem) == (2, 0, None)

    @pytest.mark.parametrize("status", [400, 404, 413, 415])
    def test_refusal_is_final_and_the_next_event_says_so(
        self, collector: Collector, delivery: Delivery, report: ShoppersReport, status: int
    ) -> None:
        """It is counted in the browser and in the report, and not sent again."""
        collector.script = lambda event: Response(status if event["seq"] == 1 else 201)
        session = Browser("shopper-1").open_session()
        happen(delivery, session)
        delivery.drain(30, NEVER)
        happen(delivery, session)
        delivery.drain(30, NEVER)
        assert [event["dropped"]["refused"] for event in collector.received] == [0, 1]
        assert report.reasons == {f"{status} without a message": 1}
        assert (report.total("accepted"), report.total("refused"), report.exit_code) == (1, 1, 1)

    def test_retry_after_is_honoured_and_keeps_nobody_else(
        self, collector: Collector, delivery: Delivery, report: ShoppersReport
    ) -> None:
        """The browser that was asked to wait sends nothing; the events of others go on meanwhile."""
        asked, other = Browser("shopper-1"), Browser("shopper-2")
        collector.script = lambda event: (
            Response(503, {"Retry-After": "1800"}) if event["clientId"] == asked.client_id else Response()
        )
        happen(delivery, asked.open_session(), 5)
        happen(delivery, other.open_session(), 50)
        delivery.drain(0.3, NEVER)
        assert [event["clientId"] for event in collector.received].count(asked.client_id) == 1
        assert (report.total("accepted"), report.waiting) == (50, 5)

    def test_retry_after_ends(self, collector: Collector, delivery: Delivery, report: ShoppersReport) -> None:
        """After the seconds that it names, not before, the event is sent again."""
        collector.script = lambda _event: Response(503 if len(collector.received) == 1 else 200, {"Retry-After": "1"})
        happen(delivery, Browser("shopper-1").open_session())
        delivery.drain(30, NEVER)
        assert report.total("accepted") == 1
        assert collector.times[1] - collector.times[0] >= 1

    def test_overflow_is_lost(
        self, collector: Collector, delivery: Delivery, report: ShoppersReport, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What had to make room is counted, and the rest arrives."""
        monkeypatch.setattr(browser_module, "MOST_EVENTS", 10)
        collector.script = lambda _event: Response(200 if report.total("sent") == 15 else 503)
        session = Browser("shopper-1").open_session()
        happen(delivery, session, 15)
        delivery.drain(30, NEVER)
        assert [event["seq"] for event in collector.accepted] == [1, 7, 8, 9, 10, 11, 12, 13, 14, 15]
        assert collector.accepted[-1]["dropped"] == {"overflow": 4, "refused": 0, "withheld": 0}
        assert (report.total("lost"), report.exit_code) == (5, 1)

    def test_what_still_waits_in_the_end_is_lost(
        self, collector: Collector, delivery: Delivery, report: ShoppersReport
    ) -> None:
        """Nothing is left uncounted."""
        collector.answer_always(503)
        happen(delivery, Browser("shopper-1").open_session(), 3)
        delivery.finish(0.05)
        assert (report.total("lost"), report.waiting, report.by_name["home_view"].lost) == (3, 0, 3)

    def test_stop_ends_the_wait(self, collector: Collector, delivery: Delivery, report: ShoppersReport) -> None:
        """Neither the next moment nor what waits is waited for."""
        collector.answer_always(503, {"Retry-After": "3600"})
        stop = threading.Event()
        stop.set()
        happen(delivery, Browser("shopper-1").open_session())
        assert not delivery.work_until(float("inf"), stop)
        delivery.drain(float("inf"), stop)
        assert report.waiting == 1
