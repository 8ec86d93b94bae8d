import threading
from collections.abc import Iterator

import pytest

from command_line.errors import CommandError
from emulator.servers.ports import free_ports
from emulator.shoppers.catalogue import read_catalogue
from emulator.shoppers.report import ShoppersReport
from emulator.shoppers.run import Progress, Shoppers
from tests.support.collector import Collector, Event, Response
from tests.support.shop import assert_gapless
from tests.support.stack_process import wait_for

pytestmark = pytest.mark.slow

CATALOGUE = read_catalogue()


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """Give a running collector, and shorten the delays."""
    monkeypatch.setattr("emulator.posting.retry.FIRST_DELAY", 0.001)
    collector = Collector()
    yield collector
    collector.stop()


@pytest.fixture
def shoppers(collector: Collector) -> Shoppers:
    """Give fifteen visits in short order."""
    return Shoppers(collector.url, "http://shop.test", CATALOGUE, sessions=15, rate=1000, seed=3, patience=30)


def run(shoppers: Shoppers, stop: threading.Event | None = None) -> ShoppersReport:
    return shoppers.run(stop or threading.Event())


def assert_accounted(report: ShoppersReport, collector: Collector) -> None:
    """What the report says of each event name is what the collector has."""
    for name, counts in report.by_name.items():
        assert counts.sent == counts.accepted + counts.refused + counts.lost
        assert counts.accepted == len(collector.named(name))


class TestShoppers:
    """One run against a collector."""

    def test_all_events_arrive(self, collector: Collector, shoppers: Shoppers) -> None:
        """Every event of every visit, each once, in order per client, without a gap in any tab."""
        report = run(shoppers)
        assert report.total("accepted") == report.total("sent") == len(collector.received) > 100
        assert (report.sessions, report.begun, report.finished, report.exit_code) == (15, 15, 15, 0)
        assert_accounted(report, collector)
        assert_gapless(collector.accepted)
        for client in {event["clientId"] for event in collector.accepted}:
            times = [event["eventTimestamp"] for event in collector.accepted if event["clientId"] == client]
            assert times == sorted(times)

    @pytest.mark.parametrize("outage", [Response(503, {"Retry-After": "0"}), Response(0)])
    def test_outage_loses_nothing(self, collector: Collector, shoppers: Shoppers, outage: Response) -> None:
        """Shoppers click on while the collector is down; all of it arrives afterwards, under the same ids."""
        is_over = threading.Event()

        def script(_event: Event) -> Response:
            if shoppers.progress.waiting >= 100:
                is_over.set()
            return Response() if is_over.is_set() else outage

        collector.script = script
        report = run(shoppers)
        assert (report.total("lost"), report.total("refused"), report.exit_code) == (0, 0, 0)
        assert_accounted(report, collector)
        assert_gapless(collector.accepted)
        received = [event["eventId"] for event in collector.received]
        assert len(received) > len(collector.accepted) == len(set(received))
        assert not collector.at_once

    def test_refused_events_are_counted(self, collector: Collector, shoppers: Shoppers) -> None:
        """Each is posted once; exit code 1, and the later events of their clients know."""
        collector.script = lambda event: Response(400 if event["eventName"] == "click" else 200)
        report = run(shoppers)
        clicks = report.by_name["click"]
        assert clicks.refused == clicks.sent == report.total("refused") > 0
        assert report.exit_code == 1
        assert len(collector.received) == report.total("sent")
        assert any(event["dropped"]["refused"] for event in collector.accepted)
        assert_accounted(report, collector)

    def test_collector_that_stays_away_loses_all_in_the_end(self, collector: Collector) -> None:
        """After the time without any progress the rest is lost, and the report says why."""
        collector.answer_always(503)
        report = run(Shoppers(collector.url, "http://shop.test", CATALOGUE, 3, 1000, patience=0.1))
        assert report.total("lost") == report.total("sent") > 0
        assert (report.problem, report.exit_code) == ("503 without a message", 1)

    def test_seed_is_reported_and_repeats_the_run(self, collector: Collector) -> None:
        """Without a seed there is one by chance; with it, the same names happen again, as new events."""
        first = run(Shoppers(collector.url, "http://shop.test", CATALOGUE, 5, 1000))
        second = run(Shoppers(collector.url, "http://shop.test", CATALOGUE, 5, 1000, first.seed))
        assert first.by_name == second.by_name
        assert len(collector.unique()) == 2 * first.total("sent")


class TestStop:
    """A run that is stopped."""

    def test_stop_ends_clicks_and_sends_what_waits(self, collector: Collector, shoppers: Shoppers) -> None:
        """Nothing more happens; what has happened still arrives."""
        stop = threading.Event()

        def script(_event: Event) -> Response:
            if len(collector.received) == 20:
                stop.set()
            return Response()

        collector.script = script
        report = run(shoppers, stop)
        assert (report.interrupted, report.exit_code) == (True, 130)
        assert report.finished < 15
        assert report.total("lost") == 0
        assert_accounted(report, collector)

    def test_stop_waits_for_nobody_for_long(
        self, collector: Collector, shoppers: Shoppers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A collector that is down, or has not answered yet, does not keep it."""
        monkeypatch.setattr("emulator.shoppers.run.STOP_SECONDS", 0.05)
        stop, answer = threading.Event(), threading.Event()

        def script(_event: Event) -> Response:
            stop.set()
            answer.wait(30)  # the run ends before: it would be lost only then
            return Response()

        collector.script = script
        report = run(shoppers, stop)
        answer.set()
        assert report.interrupted
        assert report.total("lost") == report.total("sent") > 0


class TestProgress:
    """How far a run is, from another thread."""

    def test_progress_before_and_after(self, shoppers: Shoppers) -> None:
        """It begins with nothing, and ends as the report."""
        assert shoppers.progress == Progress(0, 0, 0, 0, 0, 0, None)
        report = run(shoppers)
        assert shoppers.progress == Progress(15, 15, report.total("accepted"), 0, 0, 0, None)

    def test_progress_in_a_thread(
        self, collector: Collector, shoppers: Shoppers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """While the collector is down, what waits and why can be seen; stopping ends the thread."""
        monkeypatch.setattr("emulator.shoppers.run.STOP_SECONDS", 0.05)
        collector.answer_always(503)
        stop = threading.Event()
        thread = threading.Thread(target=shoppers.run, args=(stop,))
        thread.start()
        try:
            wait_for(lambda: shoppers.progress.waiting > 50 and shoppers.progress.problem is not None)
            progress = shoppers.progress
            assert (progress.accepted, progress.problem) == (0, "503 without a message")
            assert progress.begun > progress.finished
        finally:
            stop.set()
            thread.join()
        assert shoppers.progress.waiting == 0


class TestCheck:
    """Whether anything is there."""

    def test_collector_that_answers_is_fine(self, collector: Collector, shoppers: Shoppers) -> None:
        """Nothing is posted."""
        shoppers.check()
        assert not collector.received

    @pytest.mark.parametrize("endpoint", ["http://127.0.0.1:{port}/", "nonsense", "http://[", "http://user:pass@"])
    def test_nothing_there_is_one_line(self, endpoint: str) -> None:
        """What does not answer, or is no URL, is an error that says so."""
        shoppers = Shoppers(endpoint.format(port=free_ports(1)[0]), "http://shop.test", CATALOGUE, 1, 1)
        with pytest.raises(CommandError, match=r"^(nothing answers at|[^\n]* is not a URL)[^\n]*$"):
            shoppers.check()
