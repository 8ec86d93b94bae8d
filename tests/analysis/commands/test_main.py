import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from analysis.commands.main import main
from analysis.raw.sample import MARKER, Sample
from chalicelib.flatten import flatten
from chalicelib.warehouse.client import Warehouse
from tests.support.raw_objects import START, Objects

FIRST = START + timedelta(seconds=1)
SPAN = ("--start", "2026-11-25T09:00", "--end", "2026-11-25T10:00Z")


pytestmark = pytest.mark.usefixtures("no_environment")


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    """Give a bucket's directory with five good events."""
    objects = Objects()
    for _ in range(5):
        objects.add()
    return objects.write(tmp_path / "bucket")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["validate", *map(str, arguments)])


class TestValidate:
    def test_nothing_wrong(self, bucket: Path) -> None:
        """Exit code 0, and an account of the hours; that no warehouse was compared is said."""
        result = run("--source", bucket, *SPAN)
        assert result.exit_code == 0
        assert "All 25 checks passed." in result.stdout
        assert "Raw was not compared with a warehouse" in result.stdout

    def test_a_sample_is_called_one(self, bucket: Path) -> None:
        """In its text and in JSON; without one, nothing is said."""
        assert "made-up" not in run("--source", bucket, *SPAN).stdout
        assert json.loads(run("--source", bucket, *SPAN, "--json").stdout)["sample"] is None
        (bucket / MARKER).write_bytes(Sample(START, START + timedelta(hours=1), START).as_bytes())
        said = f"{bucket} includes a sample: made-up events of 2026-11-25 09:00 to 2026-11-25 10:00 UTC"
        assert said in run("--source", bucket, *SPAN).stdout
        sample = json.loads(run("--source", bucket, *SPAN, "--json").stdout)["sample"]
        assert sample["end"] == "2026-11-25T10:00:00.000Z"

    def test_a_missing_row_is_named(self, bucket: Path, warehouse_url: str) -> None:
        """Exit code 1, the key, and what to do; in JSON all of it."""
        paths = sorted(bucket.rglob("*.json"))
        warehouse = Warehouse(warehouse_url)
        for path in paths[1:]:
            warehouse.insert(flatten(path.read_bytes(), str(path.relative_to(bucket)), datetime.now(UTC)))
        warehouse.close()
        result = run("--source", bucket, "--dw", warehouse_url, *SPAN)
        assert result.exit_code == 1
        assert paths[0].name in result.stdout
        assert "'python -m analysis backfill' inserts the missing rows" in result.stdout
        result = run("--source", bucket, "--dw", warehouse_url, "--json", *SPAN)
        report = json.loads(result.stdout)
        (failed,) = [check for check in report["checks"] if not check["passed"]]
        assert (failed["name"], failed["findings"][0]["key"]) == ("missing_rows", str(paths[0].relative_to(bucket)))
        assert report["hours"][0] | {"hour": ""} == {
            "hour": "", "objects": 5, "rows": 4, "duplicates": 0, "rejects": 0, "missing": 1, "not_yet_judged": 0
        }  # fmt: skip

    def test_a_row_that_was_changed_is_named(self, bucket: Path, warehouse_url: str) -> None:
        """All rows are there, and not what raw says."""
        warehouse = Warehouse(warehouse_url)
        for path in bucket.rglob("*.json"):
            warehouse.insert(flatten(path.read_bytes(), str(path.relative_to(bucket)), datetime.now(UTC)))
        warehouse.close()
        assert run("--source", bucket, "--dw", warehouse_url, *SPAN).exit_code == 0
        with psycopg.connect(warehouse_url) as connection:
            connection.execute("UPDATE clickstream_events SET event_name = 'click' WHERE event_timestamp = %s", [FIRST])
        result = run("--source", bucket, "--dw", warehouse_url, "--json", *SPAN)
        (failed,) = [check for check in json.loads(result.stdout)["checks"] if not check["passed"]]
        assert (result.exit_code, failed["name"]) == (1, "altered_rows")
        assert [finding["columns"] for finding in failed["findings"]] == ["event_name"]

    def test_text_of_an_event_is_no_markup(self, bucket: Path) -> None:
        """Whatever a client calls its events."""
        body = next(bucket.rglob("*.json")).read_bytes().replace(b"page_view", b"[red]x[/]")
        (next(bucket.rglob("*.json")).parent / "event-odd.json").write_bytes(
            body.replace(b'"eventId": "', b'"eventId": "x')
        )
        result = run("--source", bucket, *SPAN)
        assert "event_name [red]x[/]" in result.stdout

    def test_the_span_is_shown_on_the_zones_clocks(self, bucket: Path) -> None:
        """Times without an offset are of the zone, and only events that were received in the span are judged."""
        span = ("--start", "2026-11-25T14:30", "--end", "2026-11-25T15:30", "--zone", "Asia/Kolkata")
        shown = "events received from 2026-11-25 14:30 to 2026-11-25 15:30 (Asia/Kolkata); lookback 24 h for duplicates"
        assert shown in run("--source", bucket, *span).stdout
        report = json.loads(run("--source", bucket, *span, "--json").stdout)
        assert (report["zone"], report["start"]) == ("Asia/Kolkata", "2026-11-25T09:00:00.000Z")
        assert report["hours"][0]["objects"] == 5
        wider = json.loads(run("--source", bucket, "--end", "2026-11-25T09:01Z", "--json").stdout)
        assert (wider["zone"], wider["end"]) == ("UTC", "2026-11-25T09:01:00.000Z")
        short = json.loads(run("--source", bucket, "--end", "2026-11-25T09:00:03Z", "--json").stdout)
        assert [hour["objects"] for hour in short["hours"]] == [2]

    def test_the_environment_names_the_default_zone(self, bucket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """--zone may stand behind the times; a wrong name in the environment is wrong usage, but help still works."""
        span = ("--start", "2026-11-25T16:00", "--end", "2026-11-25T17:00")
        monkeypatch.setenv("CLICKSTREAM_ZONE", "Asia/Ho_Chi_Minh")
        assert json.loads(run("--source", bucket, *span, "--json").stdout)["start"] == "2026-11-25T09:00:00.000Z"
        after = json.loads(run("--source", bucket, *SPAN, "--zone", "UTC", "--json").stdout)
        assert after["start"] == "2026-11-25T09:00:00.000Z"
        monkeypatch.setenv("CLICKSTREAM_ZONE", "Hanoi")
        result = run("--source", bucket, *SPAN)
        assert result.exit_code == 2
        assert "CLICKSTREAM_ZONE: 'Hanoi' is not the IANA name of a time zone" in result.output
        assert run("--help").exit_code == 0

    @pytest.mark.parametrize(
        ("arguments", "problem"),
        [
            ((), "name --source DIR or s3://BUCKET"),
            (("--source", "nowhere"), "nowhere"),
            (("--start", "yesterday"), "'yesterday' is not a time"),
            (("--source", ".", "--start", "2026-11-25T10:00", "--end", "2026-11-25T09:30"), "before it starts"),
            (("--settle", "-1"), "0<=x<=86400"),
            (("--settle", "1e20"), "0<=x<=86400"),
            (("--lookback", "1e12"), "0<=x<=8784"),
            (("--source", ".", "--zone", "Asia/Hanoi"), "write one such as Asia/Ho_Chi_Minh"),
            (("--zone", "Europe/Berlin", "--start", "2026-10-25T02:30"), "write 2026-10-25T02:30:00+02:00 or"),
            (("--source", ".", "--dw", "nonsense", *SPAN), "is not a PostgreSQL URL"),
        ],
    )
    def test_wrong_usage(self, arguments: tuple[str, ...], problem: str) -> None:
        """Exit code 2, and one line that says what is wrong."""
        result = run(*arguments)
        assert result.exit_code == 2
        assert problem in result.output

    def test_help_teaches(self) -> None:
        """With examples."""
        assert "python -m analysis validate --start" in run("--help").stdout
