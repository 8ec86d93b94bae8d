import re
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import pytest
from click.testing import CliRunner

from analysis.commands.main import main
from tests.analysis.dashboard.conftest import Seeded

pytestmark = pytest.mark.slow


@pytest.mark.usefixtures("no_environment")
class TestCommand:
    def test_it_serves_this_computer_until_ctrl_c(self, seeded: Seeded) -> None:
        """It prints its address, which is one of loopback, and ends with exit code 0."""
        command = [sys.executable, "-m", "analysis", "dashboard", "--source", str(seeded.bucket), "--port", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process, ExitStack() as killing:
            killing.callback(process.kill)
            assert process.stdout is not None
            [address] = re.findall(r"http://127\.0\.0\.1:\d+/", process.stdout.readline())
            with urllib.request.urlopen(address, timeout=20) as response:  # noqa: S310  # our own address
                assert b"dashboard.js" in response.read()
            port = f"{int(address.split(':')[2][:-1]):04X}"
            assert [place for place in _listening() if place.endswith(f":{port}")] == [f"0100007F:{port}"]
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=20) == 0

    def test_a_port_in_use_is_named(self, seeded: Seeded) -> None:
        """With what to do."""
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = str(other.getsockname()[1])
            done = CliRunner().invoke(main, ["dashboard", "--source", str(seeded.bucket), "--port", port])
        assert done.exit_code == 2
        assert f"cannot use port {port}: Address already in use; choose another with --port" in done.output

    def test_without_events_it_says_what_to_do(self, tmp_path: Path) -> None:
        """An empty directory, and no warehouse."""
        done = CliRunner().invoke(main, ["dashboard", "--source", str(tmp_path)])
        assert done.exit_code == 2
        assert "no events in" in done.output
        done = CliRunner().invoke(main, ["dashboard", "--engine", "warehouse", "--source", str(tmp_path)])
        assert done.exit_code == 2
        assert "no warehouse here: name it with --dw or DW_URL" in done.output

    def test_help_teaches(self) -> None:
        """With examples."""
        assert "python -m analysis dashboard --open" in CliRunner().invoke(main, ["dashboard", "--help"]).stdout


def _listening() -> list[str]:
    """The addresses on which something listens, as Linux lists them."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [line[1] for line in lines if line[3] == "0A"]
