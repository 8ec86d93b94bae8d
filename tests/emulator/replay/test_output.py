import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path

from rich.console import Console

from emulator.replay.output import show
from tests.support.replay_collector import Collector, ReplayTest, accepted, line, run


class TestShow(ReplayTest):
    """The account as tables."""

    def test_tables_say_all_and_obey_no_markup(self, collector: Collector, log: Callable[..., Path]) -> None:
        """Every number of the issue is there; a server's text is printed as it is."""
        collector.script = lambda event, attempt: (
            (400, {"message": "[red]no[/blink]"}, {}) if event["product"]["id"] == "1" else accepted(event, attempt)
        )
        collector.projects = False
        report, _ = run(collector, log(line(1), line(2), "rubbish\n"))
        output = StringIO()
        show(report, Console(file=output, width=100))
        text = output.getvalue()
        for row in (
            "lines .* 3",
            "malformed .* 1",
            "posted .* 2",
            "accepted .* 1",
            "refused .* 1",
            r"  400 \[red\]no\[/blink\] .* 1",
            "stored .* 1",
            "missing objects .* 0",
            "new rows .* 0",
            "already known .* 0",
            "missing rows .* 1",
            r"events/s .* [\d.]+",
            r"answer time p50 .* [\d.]+ ms",
            r"answer time p95 .* [\d.]+ ms",
            "product_view .* 2 .* 1 .* 1 .* 0 .* 0 .* 1",
            f"not in the warehouse: event {collector.received[0]['eventId']}",
        ):
            assert re.search(row, text), f"{row} not in\n{text}"

    def test_unchecked_is_said(self, collector: Collector, log: Callable[..., Path]) -> None:
        """A number that nobody looked for is not shown as 0."""
        report, _ = run(collector, log(line(1)), ends={"storage": None, "warehouse": None})
        output = StringIO()
        show(report, Console(file=output, width=100))
        for row in ("stored", "new rows", "already known"):
            assert re.search(f"{row} .* not checked", output.getvalue())
