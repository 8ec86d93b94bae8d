import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from analysis.commands.main import main
from tests.support.raw_objects import Objects

pytestmark = pytest.mark.usefixtures("no_environment")

# With what each needs besides a bucket.
COMMANDS = {
    "validate": (),
    "report": ("--out", "report.html"),
    "backfill": ("--dry-run", "--dw", "postgresql://nobody@127.0.0.1:1/nothing"),
    "ledger": (),
    "trace": ("an-event-id",),
}


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    """Give a bucket's directory with three good events, received at 9:00 in UTC."""
    objects = Objects()
    for _ in range(3):
        objects.add()
    return objects.write(tmp_path / "bucket")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)))


class TestZone:
    @pytest.mark.parametrize("command", COMMANDS)
    def test_help_says_what_it_does(self, command: str) -> None:
        """With an example, and the default."""
        text = " ".join(run(command, "--help").stdout.split())
        assert "--zone NAME Time zone of hours, days, and times without an offset." in text
        assert "as Asia/Ho_Chi_Minh. [default: CLICKSTREAM_ZONE, else UTC]" in text

    @pytest.mark.parametrize("command", COMMANDS)
    def test_an_unknown_zone_is_wrong_usage(self, command: str, bucket: Path) -> None:
        """Exit code 2, and what to write."""
        result = run(command, *COMMANDS[command], "--source", bucket, "--zone", "asia/kolkata")
        assert result.exit_code == 2
        assert "did you mean Asia/Kolkata?" in result.output

    def test_the_ledger_shows_hours_on_the_zones_clocks(self, bucket: Path) -> None:
        """A partition, which begins at a whole hour in UTC, begins at half past there; JSON has the instant."""
        span = ("--start", "2026-11-25T14:30", "--end", "2026-11-25T15:30", "--zone", "Asia/Kolkata")
        shown = run("ledger", "--source", bucket, *span).stdout
        assert "hour (Asia/Kolkata)" in shown
        assert "2026-11-25 14:30" in shown
        found = json.loads(run("ledger", "--source", bucket, *span, "--json").stdout)
        assert (found["zone"], found["rows"][0]["hour"]) == ("Asia/Kolkata", "2026-11-25T09:00:00.000Z")
        assert found["total"]["received"] == 3

    def test_a_trace_finds_the_event_of_a_local_hour(self, bucket: Path) -> None:
        """The span is read on the zone's clocks."""
        (key, *_) = sorted(str(path.relative_to(bucket)) for path in bucket.rglob("*.json"))
        span = ("--start", "2026-11-25T16:00", "--end", "2026-11-25T17:00")
        assert run("trace", key, "--source", bucket, *span, "--zone", "Asia/Ho_Chi_Minh").exit_code == 0
        assert run("trace", key, "--source", bucket, *span).exit_code == 1


class TestLakeOptions:
    def test_a_lake_cannot_be_named_and_left_out(self) -> None:
        """It says what to do."""
        done = CliRunner().invoke(main, ["report", "--lake", "there", "--no-lake"])
        assert done.exit_code == 2
        assert "choose one" in done.output

    @pytest.mark.parametrize("command", ["report", "validate"])
    def test_a_lake_that_is_not_there_is_said_to_be_missing(self, command: str, tmp_path: Path) -> None:
        """With how to make one, and none is made."""
        bucket = tmp_path / "bucket"
        bucket.mkdir()
        done = CliRunner().invoke(main, [command, "--source", str(bucket), "--lake", str(tmp_path / "lake")])
        assert done.exit_code == 2
        assert "make one with 'python -m analysis compact'" in done.output
        assert not (tmp_path / "lake").exists()
