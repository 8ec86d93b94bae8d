import json
import os
import re
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from command_line.home import Home
from emulator.commands.shoppers import shoppers_command
from emulator.servers.ports import free_ports
from tests.support.collector import Collector, Event, Response
from tests.support.stack_process import NO_STACK

QUICK = ("--rate", "1000", "--seed", "1")


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """Give a running collector, and forget the environment's home."""
    monkeypatch.delenv("CLICKSTREAM_HOME", raising=False)
    collector = Collector()
    yield collector
    collector.stop()


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(shoppers_command, arguments)


class TestCommand:
    """`python -m emulator shoppers`."""

    def test_json_is_all_there_is_on_stdout(self, collector: Collector) -> None:
        """One object with every count; exit code 0 where all were accepted."""
        result = invoke("--sessions", "4", *QUICK, "--url", collector.url, "--json")
        document = json.loads(result.stdout)
        assert (document["sessions"], document["finished"], document["seed"]) == (4, 4, 1)
        assert document["accepted"] == document["sent"] == len(collector.accepted) > 0
        assert (document["refused"], document["lost"], document["refused_why"], document["problem"]) == (0, 0, {}, None)
        assert sum(counts["sent"] for counts in document["by_event_name"].values()) == document["sent"]
        assert document["events_per_second"] > 0
        assert document["exit_code"] == result.exit_code == 0
        assert collector.accepted[0]["pageUrl"].startswith("http://127.0.0.1:8080/")

    def test_tables_say_all_and_obey_no_markup(self, collector: Collector) -> None:
        """Totals, reasons and each name are on stdout; exit code 1 where something was refused."""
        collector.script = lambda event: Response(418 if event["eventName"] == "click" else 200)
        result = invoke("--sessions", "4", *QUICK, "--url", collector.url)
        assert result.exit_code == 1
        clicks = len([event for event in collector.received if event["eventName"] == "click"])
        for row in (
            r"sessions .* 4 of 4",
            rf"events sent .* {len(collector.received)}",
            rf"events accepted .* {len(collector.accepted)}",
            rf"events refused .* {clicks}",
            rf"  418 without a message .* {clicks}",
            r"events lost .* 0",
            r"events/s .* [\d.,]+",
            r"seed .* 1 ",
            rf"click .* {clicks} .* 0 .* {clicks} .* 0",
        ):
            assert re.search(row, result.stdout), f"{row} not in\n{result.stdout}"

    def test_stack_of_the_home_is_the_default(self, collector: Collector, tmp_path: Path) -> None:
        """The record of the stack names the endpoint, and where the shop is."""
        home = Home(tmp_path / "home")
        home.create()
        home.write_stack(
            replace(NO_STACK, web_url="http://127.0.0.1:1234", ingest_url=collector.url.removesuffix("/clickstream"))
        )
        result = invoke("--sessions", "1", *QUICK, "--home", str(home.path), "--json")
        assert result.exit_code == 0
        assert json.loads(result.stdout)["endpoint"] == collector.url
        assert all(event["pageUrl"].startswith("http://127.0.0.1:1234/") for event in collector.accepted)

    def test_home_without_a_stack_is_wrong_environment(self, tmp_path: Path) -> None:
        """Nothing to visit is exit code 2, in one line."""
        result = invoke("--home", str(tmp_path))
        assert (result.exit_code, result.stdout) == (2, "")
        assert re.fullmatch(r"Error: no stack has run on .*\n", result.stderr)

    def test_nothing_that_answers_is_wrong_environment(self) -> None:
        """A collector that is not there at the start is exit code 2, in one line."""
        result = invoke("--url", f"http://127.0.0.1:{free_ports(1)[0]}/clickstream")
        assert (result.exit_code, result.stdout) == (2, "")
        assert re.fullmatch(r"Error: nothing answers at .*\n", result.stderr)

    @pytest.mark.parametrize("option", [("--sessions", "0"), ("--rate", "0"), ("--rate", "nan"), ("--seed", "-1")])
    def test_options_out_of_range_are_wrong_usage(self, option: tuple[str, str]) -> None:
        """A number that makes no sense is exit code 2."""
        assert invoke(*option, "--url", "http://127.0.0.1:1/").exit_code == 2

    def test_help_teaches(self) -> None:
        """--help has an example to copy, and the exit codes."""
        text = invoke("--help").stdout
        assert "\n    python -m emulator shoppers --sessions 500 --rate 50\n" in text
        assert "Exit code: 0" in text

    def test_ctrl_c_prints_the_account(self, collector: Collector) -> None:
        """The first SIGINT ends the command with 130 and its report."""

        def script(_event: Event) -> Response:
            if len(collector.received) == 5:
                os.kill(os.getpid(), signal.SIGINT)
            return Response()

        collector.script = script
        before = signal.getsignal(signal.SIGINT)
        result = invoke("--sessions", "500", "--rate", "100", "--url", collector.url)
        assert result.exit_code == 130
        assert "interrupted: the shoppers left" in result.stdout
        assert signal.getsignal(signal.SIGINT) is before
