"""The log line of `compact --log`, which an alarm reads."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from analysis.commands.main import main
from tests.support.aws.stacks import template
from tests.support.raw_objects import Objects
from tests.support.served_bucket import ServedBucket, served_bucket


@pytest.fixture
def objects() -> Objects:
    """Give events of three hours that are closed long since."""
    objects = Objects()
    for number in range(3):
        objects.add(received=number * 3600.0)
    return objects


@pytest.fixture
def served(objects: Objects, aws_environment: Callable[..., None]) -> Iterator[ServedBucket]:
    """Give a bucket with these events in an S3 server."""
    with served_bucket() as bucket:
        bucket.fill(objects.bodies)
        aws_environment(**bucket.environment)
        yield bucket


def run(source: str | Path, lake: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["compact", "--source", str(source), "--lake", str(lake), *options])


class TestLog:
    def test_it_is_one_line_of_numbers(self, objects: Objects, tmp_path: Path) -> None:
        """With the Lambdas' members; nothing waits after a run that went well."""
        done = run(objects.write(tmp_path / "raw"), tmp_path / "lake", "--log")
        (line,) = done.stdout.splitlines()
        said = json.loads(line)
        assert (done.exit_code, said["level"], said["outcome"]) == (0, "INFO", "compacted")
        assert (said["hours"], said["objects"], said["rows"]) == (3, 3, 3)
        assert (said["hours_left"], said["oldest_left_seconds"]) == (0, 0)

    @pytest.mark.slow
    def test_an_hour_that_may_not_be_read_is_left(self, served: ServedBucket, objects: Objects, tmp_path: Path) -> None:
        """It is counted, with the seconds since its end, until it may be read."""
        key = sorted(objects.bodies)[1]
        served.deny([key])
        done = run(served.source, tmp_path / "lake", "--log")
        said = json.loads(done.stdout)
        assert (done.exit_code, said["level"], said["hours"], said["hours_left"]) == (1, "ERROR", 2, 1)
        assert said["oldest_left_seconds"] > 0
        assert "oldest_left" in run(served.source, tmp_path / "lake", "--json").stdout
        served.client.delete_bucket_policy(Bucket=served.source.removeprefix("s3://"))
        assert json.loads(run(served.source, tmp_path / "lake", "--log").stdout)["hours_left"] == 0

    def test_the_metric_finds_it(self, objects: Objects, tmp_path: Path) -> None:
        """By the members that the filter names, and with the number that the alarm counts."""
        (line,) = run(objects.write(tmp_path / "raw"), tmp_path / "lake", "--log").stdout.splitlines()
        properties = template("compaction")["Resources"]["HoursLeft"]["Properties"]
        wanted = dict(re.findall(r'\$\.(\w+) = "(\w+)"', properties["FilterPattern"]))
        (transformation,) = properties["MetricTransformations"]
        said = json.loads(line)
        assert wanted
        assert said.items() >= wanted.items()
        assert said[transformation["MetricValue"].removeprefix("$.")] == 0

    def test_two_forms_at_once_are_refused(self, tmp_path: Path) -> None:
        """Whoever reads one would stumble over the other."""
        done = run(tmp_path, tmp_path / "lake", "--log", "--json")
        assert done.exit_code == 2
        assert "leave one out" in done.stderr
