import json
import signal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from analysis import open_history, overview
from analysis.raw.sample import MARKER, read_sample
from command_line.home import BUCKET, Home
from emulator.commands.main import main
from emulator.commands.up import up_command
from tests.support.contents import database_contents, directory_contents
from tests.support.samples import running_stack, small_sample

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the path of a home that is not there; the command writes few events, since many take long."""
    monkeypatch.delenv("RAW_BUCKET_NAME", raising=False)
    monkeypatch.setenv("CLICKSTREAM_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("emulator.seed.sample.write_sample.__defaults__", (5,))
    return tmp_path / "home"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["sample", *map(str, arguments)])


def _interrupted(*_: object, **_named: object) -> None:
    raise KeyboardInterrupt


class TestSampleCommand:
    def test_it_fills_an_empty_home_and_no_warehouse(
        self, home: Path, warehouse_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Though `DW_URL` names one; it says when the stack's own gets the events, and how to look at them."""
        before = database_contents(warehouse_url)
        monkeypatch.setenv("DW_URL", warehouse_url)
        result = run()
        assert result.exit_code == 0, result.output
        assert "The warehouse gets them when the stack starts: 'make run'" in result.stdout
        assert "make notebooks" in result.stdout
        assert database_contents(warehouse_url) == before
        history = open_history()
        assert history.events.frame.height > 100
        assert history.sample == read_sample(home / "s3" / BUCKET)

    def test_it_fits_into_what_notebooks_look_at(self, home: Path) -> None:
        """By default: all of it is in the last 28 days."""
        report = json.loads(run("--home", home, "--json").stdout)
        assert open_history().events.frame.height == report["rows"]
        assert report["faults"] > 0
        assert report["loaded"] is None

    def test_it_goes_into_the_warehouse_of_the_running_stack(
        self, home: Path, warehouse_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Which then answers as raw does; a variable of libpq does not lead elsewhere."""
        monkeypatch.setenv("PGOPTIONS", "-c search_path=nowhere")
        with running_stack(home, warehouse_url, is_own_dw=True):
            report = json.loads(run("--json").stdout)
        assert report["loaded"]["rows"] == report["rows"]
        history = open_history(warehouse=warehouse_url)
        assert history.warehouse is not None
        assert overview(history.raw, history.within).equals(overview(history.warehouse, history.within))

    def test_a_running_stack_with_another_warehouse_gets_none(self, home: Path, warehouse_url: str) -> None:
        """Its projector would carry the sample there."""
        with running_stack(home, warehouse_url, is_own_dw=False):
            before = database_contents(warehouse_url), directory_contents(home)
            result = run()
            assert result.exit_code == 2
            assert "a warehouse of somebody else" in result.stderr
            assert (database_contents(warehouse_url), directory_contents(home)) == before

    @pytest.mark.parametrize("what", ["a sample", "events"])
    def test_a_bucket_with_events_gets_none(self, home: Path, what: str) -> None:
        """A sample is not mixed with real events, and not written twice; how to start anew is said."""
        bucket = home / "s3" / BUCKET
        if what == "events":
            (bucket / "events" / "2020" / "01" / "01" / "00").mkdir(parents=True)
            (bucket / "events" / "2020" / "01" / "01" / "00" / "event-1.json").write_text("{}")
        else:
            small_sample(home)
        before = directory_contents(bucket)
        result = run()
        assert result.exit_code == 2
        assert f"{bucket} has {what} already, and a sample must not mix with other events" in result.stderr
        assert "python -m emulator reset" in result.stderr
        assert directory_contents(bucket) == before

    def test_what_cannot_be_written_is_said(self, home: Path) -> None:
        """In one line."""
        Home(home).create()
        (home / "s3" / BUCKET / MARKER).mkdir()
        result = run()
        assert (result.exit_code, "Traceback" in result.output) == (2, False)
        assert "cannot write" in result.stderr

    def test_ctrl_c_says_how_to_start_anew(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What was written stays marked as a sample, and is not completed: real events may have come meanwhile."""
        with monkeypatch.context() as patch:
            patch.setattr("emulator.seed.sample.run", _interrupted)
            result = run()
        assert result.exit_code == 130
        assert "The sample may be incomplete: delete it with 'python -m emulator reset'" in result.stderr
        assert read_sample(home / "s3" / BUCKET) is not None
        assert CliRunner().invoke(main, ["reset", "--yes"]).exit_code == 0
        assert run().exit_code == 0

    def test_reset_deletes_it(self, home: Path) -> None:
        """With its marker: what comes then is real."""
        run()
        assert CliRunner().invoke(main, ["reset", "--yes"]).exit_code == 0
        assert read_sample(home / "s3" / BUCKET) is None
        assert run().exit_code == 0


class TestUp:
    @pytest.mark.parametrize("marker", [None, b"damaged"])
    def test_a_sample_is_not_projected_into_another_warehouse(
        self, home: Path, warehouse_url: str, marker: bytes | None
    ) -> None:
        """A stack with `--dw` does not start on it, and says what to do; nor if the marker cannot be understood."""
        run()
        if marker:
            (home / "s3" / BUCKET / MARKER).write_bytes(marker)
        before = database_contents(warehouse_url)
        handler = signal.getsignal(signal.SIGTERM)
        result = CliRunner().invoke(up_command, ["--home", str(home), "--dw", warehouse_url])
        assert result.exit_code == 2
        assert signal.getsignal(signal.SIGTERM) is handler
        assert "includes a sample, which must not reach another warehouse: start without --dw" in result.stderr
        assert database_contents(warehouse_url) == before
