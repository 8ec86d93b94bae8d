"""A file whose name is not UTF-8 keeps no command from reading the rest of the bucket."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from analysis.commands.main import main

pytestmark = pytest.mark.slow

EVENT_ID = "6b0a4c4e-7f0e-4d4c-9f5a-0d8f9d5b8c11"
EVENT = {"eventId": EVENT_ID, "eventName": "page_view", "_ingest": {"receivedAt": "2026-11-24T09:10:00.000Z"}}
SPAN = ("--start", "2026-11-24T09:00Z", "--end", "2026-11-24T10:00Z")


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    """Give a bucket with one event, and with a copy of it under a name that is not UTF-8."""
    hour = tmp_path / "raw/events/2026/11/24/09"
    hour.mkdir(parents=True)
    for name in (b"event-a.json", b"event-\xff.json"):
        Path(os.fsdecode(os.fsencode(hour) + b"/" + name)).write_text(json.dumps(EVENT))
    return tmp_path / "raw"


def run(*arguments: str | Path) -> str:
    """Run an analysis command, and give what it prints on stdout. A warning of `validate` is exit code 1."""
    done = CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)
    assert done.exit_code == (1 if arguments[0] == "validate" else 0), done.output
    return done.stdout


class TestANameThatIsNotUtf8:
    def test_backfill_and_validate(self, bucket: Path, warehouse_url: str) -> None:
        """Backfill inserts the other event; validate names the file, and finds nothing wrong with the other event."""
        where = ("--source", bucket, "--dw", warehouse_url)
        assert json.loads(run("backfill", *where, *SPAN, "--json"))["added"] == 1
        checks = json.loads(run("validate", *where, *SPAN, "--json"))["checks"]
        (strays,) = (check for check in checks if check["name"] == "stray_objects")
        assert [each["key"] for each in strays["findings"]] == ["events/2026/11/24/09/event-\\xff.json"]

    def test_report(self, bucket: Path, tmp_path: Path) -> None:
        """It counts the other event."""
        assert run("report", "--source", bucket, *SPAN, "--out", tmp_path / "report.html").startswith("1 events")

    def test_ledger(self, bucket: Path) -> None:
        """It counts the other event."""
        assert json.loads(run("ledger", "--source", bucket, *SPAN, "--json"))["total"]["received"] == 1

    def test_trace(self, bucket: Path) -> None:
        """It finds the other event."""
        assert "event-a.json" in run("trace", EVENT_ID, "--source", bucket, *SPAN)
