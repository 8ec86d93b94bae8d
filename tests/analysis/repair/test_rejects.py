import json
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from analysis.commands.main import main
from analysis.repair.backfill.run import backfill
from analysis.repair.rejects import open_rejects, rejects, retry
from tests.support.raw_objects import Objects

HOURS = ["events/2026/11/25/09/"]
BODIES = ("[1]", '{"eventId": "', "\x1b[2Jnot JSON")


pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_environment")]


@pytest.fixture
def bucket(tmp_path: Path, warehouse_url: str) -> Path:
    """Give a bucket with an event and three objects that are not events, all of which the warehouse knows."""
    objects = Objects()
    objects.add()
    for text in BODIES:
        objects.put(text)
    bucket = objects.write(tmp_path / "shop-raw")
    backfill(bucket, warehouse_url, HOURS)
    return bucket


@pytest.fixture
def keys(bucket: Path, warehouse_url: str) -> list[str]:
    """Give the keys of the rejects, in the order of BODIES."""
    found = [reject.key for reject in rejects(warehouse_url, bucket)]
    return sorted(found, key=lambda key: BODIES.index((bucket / key).read_text()))


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["rejects", *map(str, arguments)])


class TestList:
    def test_each_is_listed_with_its_reason(self, bucket: Path, warehouse_url: str, keys: list[str]) -> None:
        """Exit code 1, for somebody has to look at them; JSON for a program."""
        done = run("list", "--source", bucket, "--dw", warehouse_url, "--json")
        listed = {each["key"]: each["reason"] for each in json.loads(done.stdout)}
        assert listed.keys() == set(keys)
        assert listed[keys[0]] == "the body is an array: send one JSON object"
        assert done.exit_code == 1
        lines = run("list", "--source", bucket, "--dw", warehouse_url).stdout.splitlines()
        # On a line of its own, to be copied.
        assert lines[lines.index(keys[0]) + 1].endswith(": the body is an array: send one JSON object")

    def test_other_buckets_have_their_own(self, bucket: Path, warehouse_url: str) -> None:
        """A warehouse may serve several."""
        other = bucket.parent / "other"
        other.mkdir()
        done = run("list", "--source", other, "--dw", warehouse_url)
        assert (done.exit_code, done.stdout) == (0, "There are no rejects.\n")

    def test_a_warehouse_without_the_table_has_none(self, tmp_path: Path, warehouse_url: str) -> None:
        """The first reject makes it."""
        assert rejects(warehouse_url, tmp_path) == []


class TestShow:
    def test_the_object_is_shown_as_it_is(self, bucket: Path, keys: list[str]) -> None:
        """But for what would steer a terminal."""
        assert run("show", keys[1], "--source", bucket).stdout == BODIES[1] + "\n"
        shown = run("show", keys[2], "--source", bucket).stdout
        assert shown == "\\x1b[2Jnot JSON\n"

    def test_bytes_that_are_no_text_are_escaped(self, bucket: Path, keys: list[str]) -> None:
        """Lines and letters of all languages stay."""
        (bucket / keys[0]).write_bytes("tiếng\n\t\r\x00\u202e".encode() + b"\xff")
        assert run("show", keys[0], "--source", bucket).stdout == "tiếng\n\\t\\r\\x00\\u202e\\xff\n"

    def test_an_object_that_is_not_there_is_named(self, bucket: Path) -> None:
        """Exit code 2."""
        done = run("show", "events/2026/11/25/09/none.json", "--source", bucket)
        assert (done.exit_code, "there is no object events/2026/11/25/09/none.json" in done.stderr) == (2, True)


class TestRetry:
    def test_an_object_in_no_hour_stays_a_reject(self, bucket: Path, warehouse_url: str) -> None:
        """Backfill does not look there either."""
        (bucket / "events/x.json").write_text('{"eventName": "page_view"}')
        retried = retry(warehouse_url, bucket, ["events/x.json"])
        assert (retried.recovered, retried.rejected, retried.gone) == ([], ["events/x.json"], [])

    def test_what_is_an_event_now_becomes_a_row(self, bucket: Path, warehouse_url: str, keys: list[str]) -> None:
        """Others stay rejects, and one that is gone is named."""
        (bucket / keys[0]).write_text('{"eventName": "mended"}')
        (bucket / keys[2]).unlink()
        retried = retry(warehouse_url, bucket, keys)
        assert (retried.recovered, retried.rejected, retried.gone) == ([keys[0]], [keys[1]], [keys[2]])
        assert {reject.key for reject in rejects(warehouse_url, bucket)} == set(keys[1:])
        with psycopg.connect(warehouse_url) as connection:
            names = connection.execute("SELECT event_name FROM clickstream_events ORDER BY 1").fetchall()
        assert names == [("mended",), ("page_view",)]

    def test_all_are_tried_or_those_named(self, bucket: Path, warehouse_url: str, keys: list[str]) -> None:
        """Exit code 1 while one is no event; dismissed ones are left alone."""
        where = ("--source", bucket, "--dw", warehouse_url)
        run("dismiss", keys[1], "--reason", "a test of ours", *where)
        done = run("retry", "--all", "--json", *where)
        assert done.exit_code == 1
        assert json.loads(done.stdout) == {"recovered": [], "rejected": sorted([keys[0], keys[2]]), "gone": []}
        (bucket / keys[0]).write_text("{}")
        done = run("retry", keys[0], *where)
        assert (done.exit_code, done.stdout) == (0, "1 are rows now, 0 are still rejected, 0 are not in raw.\n")
        assert run("retry", *where).exit_code == 2


class TestDismiss:
    def test_what_may_stay_is_listed_no_more(self, bucket: Path, warehouse_url: str, keys: list[str]) -> None:
        """Unless asked for; it stays in raw, and the projector finds its table as it was."""
        where = ("--source", bucket, "--dw", warehouse_url)
        for key in keys:
            assert run("dismiss", key, "--reason", "a test of ours", *where).exit_code == 0
        assert open_rejects(warehouse_url, bucket) == []
        assert run("list", *where).exit_code == 0
        every = json.loads(run("list", "--every", "--json", *where).stdout)
        assert [each["dismissed"] for each in every] == ["a test of ours"] * 3
        assert (bucket / keys[0]).exists()
        assert backfill(bucket, warehouse_url, HOURS).rejected == 3
        assert open_rejects(warehouse_url, bucket) == []

    def test_what_is_no_reject_is_an_error(self, bucket: Path, warehouse_url: str) -> None:
        """Exit code 2."""
        done = run("dismiss", "other", "--reason", "why", "--source", bucket, "--dw", warehouse_url)
        assert (done.exit_code, "other is not a reject of shop-raw" in done.stderr) == (2, True)
