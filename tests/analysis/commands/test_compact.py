import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from analysis.commands.main import main
from tests.support.raw_objects import Objects

pytestmark = pytest.mark.slow


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    """Give a bucket with two events, a repeat and an object that is no event."""
    objects = Objects()
    objects.add(received=1, eventId="once")
    objects.add(received=2, eventId="once")
    objects.add(received=3)
    objects.put("no event")
    return objects.write(tmp_path / "shop-raw")


@pytest.fixture
def run(bucket: Path, tmp_path: Path) -> "Run":
    """Give a function that runs the command over the bucket."""
    return Run(bucket, tmp_path / "lake")


class Run:
    def __init__(self, bucket: Path, lake: Path) -> None:
        self.lake = lake
        self._arguments = ["compact", "--source", str(bucket), "--lake", str(lake)]

    def __call__(self, *arguments: str) -> Result:
        return CliRunner().invoke(main, [*self._arguments, *arguments])


class TestCompactCommand:
    def test_it_says_what_became_of_the_objects(self, run: Run) -> None:
        """As a table for people, and as JSON for programs."""
        told = run("--json")
        assert told.exit_code == 0, told.output
        counts = json.loads(told.stdout)
        assert counts | {"hours": 1, "objects": 4, "rows": 2, "repeats": 1, "rejects": 1, "erased": 0} == counts
        again = run()
        assert again.exit_code == 0
        assert f"The lake is {run.lake}." in again.stdout.replace("\n", "")

    def test_a_damaged_file_is_a_finding(self, run: Run) -> None:
        """It is named, and the next run is fine."""
        run()
        (file,) = (run.lake / "clickstream" / "events" / "data").rglob("*.parquet")
        file.write_bytes(b"PAR1")
        found = run("--verify")
        assert found.exit_code == 1
        assert file.name in found.stdout.replace("\n", "")
        assert run("--verify").exit_code == 0

    def test_a_span_is_compacted_again(self, run: Run) -> None:
        """Changed or not."""
        run()
        assert json.loads(run("--json").stdout)["hours"] == 0
        assert json.loads(run("--json", "--start", "2026-11-25", "--end", "2026-11-26").stdout)["hours"] == 1

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--recent", "--start", "2026-11-25"], "--recent is about hours that have changed"),
            (["--start", "2026-11-26", "--end", "2026-11-25"], "before it starts"),
            (["--lake", "s3://lake"], "is not a lake"),
            (["--open", "--source", "s3://shop-raw"], "the open hour of a bucket in S3 cannot be compacted"),
            (["--source", "/nowhere"], "there is no directory"),
        ],
    )
    def test_wrong_usage_ends_with_one_line(self, run: Run, arguments: list[str], said: str) -> None:
        """And with exit code 2."""
        told = run(*arguments)
        assert told.exit_code == 2
        assert said in told.stderr

    def test_minutes_are_a_whole_number(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of LAKE_CLOSE_MINUTES."""
        monkeypatch.setenv("LAKE_CLOSE_MINUTES", "soon")
        told = run()
        assert told.exit_code == 2
        assert "LAKE_CLOSE_MINUTES must be a whole number of minutes, not 'soon'" in told.stderr
