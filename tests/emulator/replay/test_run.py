from collections.abc import Callable
from pathlib import Path

import pytest

from command_line.errors import CommandError
from emulator.replay.output import as_json
from tests.support.replay_collector import Collector, Failing, ReplayTest, free_port, line, run


class TestReplay(ReplayTest):
    """A whole run against a collector that is well."""

    def test_every_event_is_posted_stored_and_projected(self, collector: Collector, log: Callable[..., Path]) -> None:
        """All counts agree, by name too, and the exit code is 0."""
        report, output = run(collector, log(line(1), line(2, "cart"), line(3, "remove_from_cart"), line(4, "purchase")))
        names = {"product_view", "add_to_cart_click", "remove_from_cart_click", "checkout_complete"}
        assert {event["eventName"] for event in collector.received} == set(report.by_name) == names
        assert [report.total(count) for count in ("posted", "accepted", "refused", "new", "known")] == [4, 4, 0, 4, 0]
        assert (report.stored, report.missing_objects, report.exit_code) == (4, 0, 0)
        assert collector.content_types == {"application/json"}
        assert "100%" in output

    def test_second_replay_adds_no_rows(self, collector: Collector, log: Callable[..., Path]) -> None:
        """The same file is the same events, identical lines included: all of them are already known."""
        file = log(line(1), line(2), line(1))
        run(collector, file)
        report, _ = run(collector, file)
        assert (report.total("new"), report.total("known"), len(collector.rows)) == (0, 3, 3)
        assert (report.stored, report.exit_code) == (3, 0)

    def test_malformed_lines_are_reported_and_the_rest_goes_on(
        self, collector: Collector, log: Callable[..., Path]
    ) -> None:
        """Each bad line is shown with its number, the good ones arrive, and the exit code is 1."""
        report, output = run(collector, log(line(1), "rubbish\n", line(2), line(3, "stare")))
        assert (report.lines, report.malformed, report.total("accepted"), report.exit_code) == (4, 2, 2, 1)
        assert "line 3: 1 fields instead of 9" in output
        assert "line 5: unknown event_type 'stare'" in output

    def test_limit_reads_no_further(self, collector: Collector, log: Callable[..., Path]) -> None:
        """Lines after the limit are neither posted nor judged."""
        report, _ = run(collector, log(line(1), line(2), "rubbish\n"), limit=2)
        assert (report.lines, report.total("accepted"), report.exit_code) == (2, 2, 0)

    def test_limit_beyond_the_file(self, collector: Collector, log: Callable[..., Path]) -> None:
        """A limit that is never reached changes nothing, and the bar ends full."""
        report, output = run(collector, log(line(1)), limit=50)
        assert (report.lines, report.exit_code) == (1, 0)
        assert "100%" in output

    def test_log_without_events(self, collector: Collector, log: Callable[..., Path]) -> None:
        """Nothing to do is done at once, and is no loss."""
        report, _ = run(collector, log())
        assert (report.stored, report.exit_code, report.answer_ms(0.5)) == (0, 0, None)

    def test_another_format_posts_nothing(self, collector: Collector, tmp_path: Path) -> None:
        """A file with another header is an error before the first request."""
        (tmp_path / "other.csv").write_text("a,b\n1,2\n")
        with pytest.raises(CommandError, match="not a REES46 event log"):
            run(collector, tmp_path / "other.csv")
        assert not collector.attempts


class TestEnds(ReplayTest):
    """Ends that are not there at the start, or not checked."""

    def test_unchecked_ends_are_no_loss(self, collector: Collector, log: Callable[..., Path]) -> None:
        """Without storage and warehouse their numbers are null, and only a refusal is a loss."""
        report, _ = run(collector, log(line(1)), ends={"storage": None, "warehouse": None})
        document = as_json(report)
        assert [document[name] for name in ("stored", "new_rows", "already_known", "missing_rows")] == [None] * 4
        assert report.exit_code == 0

    @pytest.mark.parametrize("end", ["storage", "warehouse"])
    def test_end_that_is_down_at_the_start_posts_nothing(
        self, collector: Collector, log: Callable[..., Path], end: str
    ) -> None:
        """What could not be checked afterwards is not begun."""
        with pytest.raises(CommandError, match="down"):
            run(collector, log(line(1)), ends={end: Failing(collector, after=0)})
        assert not collector.attempts

    def test_nothing_listening_is_one_line(self, log: Callable[..., Path]) -> None:
        """An endpoint that was never there is an error, not a thousand refusals."""
        nowhere = Collector(url=f"http://127.0.0.1:{free_port()}/clickstream")
        with pytest.raises(CommandError, match=r"nothing answers at http://127\.0\.0\.1.*refused"):
            run(nowhere, log(line(1)))

    @pytest.mark.parametrize("url", ["clickstream", "ftp://x/", "http://[", "http://\x00"])
    def test_no_url_at_all_is_one_line(self, log: Callable[..., Path], url: str) -> None:
        """A wrong --url is said, whatever is wrong with it."""
        with pytest.raises(CommandError, match=r"nothing answers|not a URL"):
            run(Collector(url=url), log(line(1)))
