import json
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from analysis.checks.trace import EventTrace, follow
from analysis.commands.main import main
from analysis.errors import AnalysisError
from analysis.repair.backfill.run import backfill
from analysis.repair.upgrade import upgrade
from chalicelib.warehouse.horizon import record_horizon
from tests.support.raw_objects import START, Objects

EVENT = "7c9e6679-7425-40de-944b-e07fc1f90a04"
HOURS = [f"events/2026/11/25/{hour:02}/" for hour in (9, 10)]
END = START + timedelta(hours=2)


pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_environment")]


@pytest.fixture
def objects() -> Objects:
    """Give an event that was delivered three times, two of them alike, among others, and a broken object of its id."""
    objects = Objects()
    objects.add()
    objects.add(received=3700, sent=10, eventId=EVENT, userId="u")
    objects.add(received=20, sent=10, eventId=EVENT, userId="first")
    objects.add(received=30, sent=10, eventId=EVENT.upper(), userId="u")
    objects.add(eventId="an id of a shop's own")
    objects.put(f'{{"eventId": "{EVENT}"')
    objects.put("[]")
    return objects


@pytest.fixture
def bucket(objects: Objects, tmp_path: Path) -> Path:
    """Give these in a directory."""
    return objects.write(tmp_path / "shop-raw")


def followed(bucket: Path, dw_url: str | None, event_id: str = EVENT) -> EventTrace:
    return follow(bucket, dw_url, event_id, START, END)


class TestFollow:
    def test_every_delivery_is_found(self, bucket: Path, objects: Objects, warehouse_url: str) -> None:
        """In the order of receipt, with the one that became the row, and what raw says of each."""
        backfill(bucket, warehouse_url, HOURS)
        keys = list(objects.bodies)
        trace = followed(bucket, warehouse_url)
        assert [(each["key"], each["is_row"]) for each in trace.deliveries] == [
            (keys[2], True),
            (keys[3], False),
            (keys[1], False),
        ]
        assert trace.deliveries[0]["received_at"] == START + timedelta(seconds=20)
        assert trace.row is not None
        assert (trace.row["event_id"], trace.row["user_id"]) == (EVENT, "first")
        assert trace.is_whole

    def test_an_object_that_is_none_and_holds_its_id_is_found(self, bucket: Path, objects: Objects) -> None:
        """It may be what is missing."""
        (reject,) = followed(bucket, None).rejects
        assert reject["key"] == list(objects.bodies)[5]
        assert "not JSON" in reject["reason"]

    @pytest.mark.parametrize("way", ["sent", "row", "key"])
    def test_an_event_has_three_names(self, way: str, bucket: Path, objects: Objects, warehouse_url: str) -> None:
        """Its id as sent, the warehouse's, and its object's key."""
        backfill(bucket, warehouse_url, HOURS)
        sent = followed(bucket, warehouse_url, "an id of a shop's own")
        assert sent.row is not None
        names = {"sent": "an id of a shop's own", "row": str(sent.row["event_id"]), "key": list(objects.bodies)[4]}
        trace = followed(bucket, warehouse_url, names[way])
        assert [each["key"] for each in trace.deliveries] == [list(objects.bodies)[4]]
        assert trace.row == sent.row

    def test_what_is_lacking_is_lacking(self, bucket: Path, warehouse_url: str) -> None:
        """No table, no row, no object."""
        assert not followed(bucket, warehouse_url).is_whole
        assert followed(bucket, None).is_whole
        nobody = followed(bucket, None, "nobody")
        assert (nobody.deliveries, nobody.rejects, nobody.is_whole) == ([], [], False)

    def test_a_warehouse_that_does_not_answer_is_an_error(self, bucket: Path) -> None:
        """It may have the row."""
        with pytest.raises(AnalysisError, match="the warehouse does not answer"):
            followed(bucket, "postgresql://127.0.0.1:1/db")


class TestHorizon:
    @pytest.mark.parametrize(("days", "is_whole"), [(0, False), (1, True)])
    def test_an_event_before_it_needs_no_row(self, days: int, is_whole: bool, bucket: Path, warehouse_url: str) -> None:  # noqa: FBT001
        """`retain` has deleted that; the command says so, with exit code 0."""
        upgrade(warehouse_url, dry_run=False)
        horizon = START.replace(hour=0) + timedelta(days=days)
        with psycopg.connect(warehouse_url) as connection:
            record_horizon(connection, horizon, move_back=False)
        trace = followed(bucket, warehouse_url)
        assert (trace.row, trace.horizon, trace.is_before_horizon, trace.is_whole) == (
            None,
            horizon,
            is_whole,
            is_whole,
        )
        span = "--start", "2026-11-25T09:00Z", "--end", "2026-11-25T11:00Z"
        done = CliRunner().invoke(main, ["trace", EVENT, "--source", str(bucket), "--dw", warehouse_url, *span])
        assert done.exit_code == (0 if is_whole else 1)
        assert ("it keeps rows since 2026-11-26 (UTC)" in done.stdout) == is_whole


class TestCommand:
    SPAN = ("--start", "2026-11-25T09:00", "--end", "2026-11-25T11:00")

    def run(self, *arguments: str | Path) -> Result:
        return CliRunner().invoke(main, ["trace", *map(str, arguments), *self.SPAN])

    def test_it_shows_the_way(self, bucket: Path, warehouse_url: str) -> None:
        """Exit code 0 once it is everywhere, 1 before."""
        done = self.run(EVENT, "--source", bucket)
        assert (done.exit_code, "No warehouse was searched" in done.stdout) == (0, True)
        assert self.run(EVENT, "--source", bucket, "--dw", warehouse_url).exit_code == 1
        backfill(bucket, warehouse_url, HOURS)
        done = self.run(EVENT, "--source", bucket, "--dw", warehouse_url)
        assert done.exit_code == 0
        assert done.stdout.count("; the row comes from this object") == 1
        assert "reject events/2026/11/25/09/" in done.stdout
        found = json.loads(self.run(EVENT, "--source", bucket, "--dw", warehouse_url, "--json").stdout)
        assert (len(found["deliveries"]), found["row"]["user_id"], found["whole"]) == (3, "first", True)

    def test_what_is_nowhere_is_said(self, bucket: Path) -> None:
        """With what to try."""
        done = self.run("nobody", "--source", bucket)
        assert (done.exit_code, "Raw has no such event in these hours" in done.stdout) == (1, True)
