from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from analysis.commands.main import main
from analysis.place import has_events
from command_line.home import BUCKET
from tests.support.contents import database_contents
from tests.support.raw_objects import Objects
from tests.support.samples import running_stack, small_sample

pytestmark = pytest.mark.usefixtures("no_environment")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)])


class TestHasEvents:
    def test_only_objects_below_events_are_events(self, tmp_path: Path) -> None:
        """Tombstones, markers, uploads and other files are not."""
        for name in (
            "clickstream-sample.json",
            "erasures/key.json",
            "events/2026/a.txt",
            "events/.rclone_temp_put_a.json",
        ):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        assert not has_events(tmp_path)
        (tmp_path / "events" / "2026" / "a.json").touch()
        assert has_events(tmp_path)


class TestKeepSampleAtHome:
    @pytest.mark.parametrize("command", [("backfill",), ("rejects", "retry", "events/2026/11/25/09/event-a.json")])
    def test_a_sample_is_not_copied_into_another_warehouse(
        self, command: tuple[str, ...], tmp_path: Path, warehouse_url: str
    ) -> None:
        """Though it is named: real events would not be told from the sample there."""
        small_sample(tmp_path / "home", shoppers=5)
        before = database_contents(warehouse_url)
        bucket = tmp_path / "home" / "s3" / BUCKET
        result = run(*command, "--source", bucket, "--dw", warehouse_url)
        assert result.exit_code == 2
        assert "includes a sample, which must not reach a warehouse" in result.stderr
        assert database_contents(warehouse_url) == before

    def test_its_own_warehouse_takes_it(self, tmp_path: Path, warehouse_url: str) -> None:
        """As the projector does."""
        small_sample(tmp_path / "home", shoppers=5)
        with running_stack(tmp_path / "home", warehouse_url, is_own_dw=True):
            bucket = tmp_path / "home" / "s3" / BUCKET
            assert run("backfill", "--rebuild", "--source", bucket, "--dw", warehouse_url).exit_code == 0

    def test_real_events_go_anywhere(self, tmp_path: Path, warehouse_url: str) -> None:
        """Without a marker nothing is asked."""
        objects = Objects()
        objects.add()
        bucket = objects.write(tmp_path / "bucket")
        assert run("backfill", "--rebuild", "--source", bucket, "--dw", warehouse_url).exit_code == 0


class TestNoteSample:
    @pytest.mark.parametrize("command", ["ledger", "trace", "rejects"])
    def test_every_command_that_looks_says_so(self, command: str, tmp_path: Path, warehouse_url: str) -> None:
        """On standard error, so that JSON stays JSON."""
        small_sample(tmp_path / "home", shoppers=5)
        bucket = tmp_path / "home" / "s3" / BUCKET
        arguments = {"ledger": ["ledger"], "trace": ["trace", "x", "--dw", warehouse_url]}
        words = arguments.get(command, ["rejects", "list", "--dw", warehouse_url])
        result = run(*words, "--source", bucket, "--json")
        assert f"{bucket} includes a sample: made-up events of" in result.stderr
        assert "sample" not in result.stdout.replace(str(bucket), "")
