import json
import os
import re
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from command_line.home import Home
from emulator.commands.replay import replay_command
from emulator.replay.storage import S3Storage
from emulator.replay.warehouse import PostgresWarehouse
from tests.support.replay_collector import Collector, ReplayTest, Reply, accepted, free_port, line
from tests.support.stack_process import NO_STACK


class TestCommand(ReplayTest):
    """`python -m emulator replay`."""

    def test_json_is_all_there_is_on_stdout(self, collector: Collector, log: Callable[..., Path]) -> None:
        """Progress and malformed lines go to stderr; the exit code is in the report too."""
        result = CliRunner().invoke(replay_command, [str(log(line(1), "rubbish\n")), "--url", collector.url, "--json"])
        document = json.loads(result.stdout)
        assert (document["accepted"], document["malformed"], document["stored"]) == (1, 1, None)
        assert document["exit_code"] == result.exit_code == 1
        assert "line 3: 1 fields instead of 9" in result.stderr

    def test_stack_of_the_home_is_the_default(
        self, collector: Collector, log: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without --url, the record of the stack names endpoint, storage and warehouse."""
        home = Home(tmp_path / "home")
        home.create()
        home.write_stack(replace(NO_STACK, ingest_url=collector.url.removesuffix("/clickstream")))
        monkeypatch.setattr(S3Storage, "keys", lambda _self, prefix: collector.keys(prefix))
        monkeypatch.setattr(PostgresWarehouse, "known", lambda _self, ids: collector.known(ids))
        result = CliRunner().invoke(replay_command, [str(log(line(1))), "--home", str(home.path), "--json"])
        document = json.loads(result.stdout)
        assert (document["endpoint"], document["stored"], document["new_rows"]) == (collector.url, 1, 1)
        assert result.exit_code == 0

    def test_home_without_a_stack_is_wrong_environment(self, log: Callable[..., Path], tmp_path: Path) -> None:
        """Nothing to replay into is exit code 2, in one line."""
        result = CliRunner().invoke(replay_command, [str(log(line(1))), "--home", str(tmp_path)])
        assert (result.exit_code, result.stdout) == (2, "")
        assert re.fullmatch(r"Error: no stack has run on .*\n", result.stderr)

    def test_warehouse_of_the_environment_is_used_with_url(
        self, collector: Collector, log: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """DW_URL names the warehouse; one that is down is exit code 2, in one line, before anything is posted."""
        monkeypatch.setenv("DW_URL", f"postgresql://u:hidden@127.0.0.1:{free_port()}/dw")
        result = CliRunner().invoke(replay_command, [str(log(line(1))), "--url", collector.url])
        assert result.exit_code == 2
        assert re.fullmatch(r"Error: the warehouse does not answer: .*\n", result.stderr)
        assert "hidden" not in result.stderr
        assert not collector.attempts

    def test_help_teaches(self) -> None:
        """--help has an example to copy, and the exit codes."""
        text = CliRunner().invoke(replay_command, ["--help"]).stdout
        assert "\n    python -m emulator replay 2019-Oct.csv --limit 1000\n" in text
        assert "Exit code: 0" in text

    @pytest.mark.parametrize("option", [("--limit", "0"), ("--concurrency", "65"), ("--timeout", "-1")])
    def test_options_out_of_range_are_wrong_usage(self, log: Callable[..., Path], option: tuple[str, str]) -> None:
        """A number that makes no sense is exit code 2."""
        assert CliRunner().invoke(replay_command, [str(log()), *option]).exit_code == 2

    def test_ctrl_c_on_the_command_prints_the_account(self, collector: Collector, log: Callable[..., Path]) -> None:
        """The first SIGINT ends the command with 130 and its report."""

        def script(event: dict[str, Any], attempt: int) -> Reply:
            if event["product"]["id"] == "5":
                os.kill(os.getpid(), signal.SIGINT)
            return accepted(event, attempt)

        collector.script = script
        before = signal.getsignal(signal.SIGINT)
        file = log(*map(line, range(2000)))
        result = CliRunner().invoke(replay_command, [str(file), "--url", collector.url, "--concurrency", "1"])
        assert result.exit_code == 130
        assert "interrupted: the rest of the file was not posted" in result.stdout
        assert signal.getsignal(signal.SIGINT) is before
