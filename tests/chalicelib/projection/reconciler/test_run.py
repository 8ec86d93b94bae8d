"""When the reconciler looks at an hour, what that costs, and what it says."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib import log
from chalicelib.errors import WarehouseUnavailable
from chalicelib.projection.reconciler.hours import hour_of_prefix, is_due, prefix_of
from chalicelib.projection.reconciler.run import METRICS, reconcile
from chalicelib.storage import RawObject
from chalicelib.warehouse.client import Warehouse
from tests.support.reconciling import NOON, Reconciling

pytestmark = pytest.mark.slow

HOUR = timedelta(hours=1)
NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"
ROWS = """
INSERT INTO clickstream_events (event_id, event_timestamp, event_name)
SELECT gen_random_uuid(), '2026-11-30 12:00Z'::timestamptz - number % {hours} * interval '1 hour', 'click'
FROM generate_series(0, {count} - 1) AS number
"""


def fill(bench: Reconciling, count: int, hours: int) -> None:
    """Put objects into the current hour and the ones before it, with a row for each."""
    raw = RawObject(b"never read", NOON - timedelta(days=3))
    for number in range(count):
        bench.storage.bodies[f"{prefix_of(NOON - number % hours * HOUR)}event-{number:06}.json"] = raw
    bench.upgrade()
    bench.change(ROWS.format(hours=hours, count=count))


class TestCost:
    def test_100_000_objects_and_nothing_new(self, bench: Reconciling) -> None:
        """No event is read, no hour older than 48 is listed, and no other more than once for each 1,000 objects."""
        fill(bench, 100_000, hours=100)
        first = bench.run()
        assert (first.missing, first.compared, bench.storage.gets.total()) == (0, 100, 0)
        assert bench.ask("SELECT count(*), sum(objects)::int, bool_and(complete) FROM clickstream_hours") == [
            (100, 100_000, True)
        ]
        bench.wait(hours=1)  # all of the last 48 hours are due at once
        assert bench.run().compared == 0
        assert bench.storage.gets.total() == 0
        listed = {hour_of_prefix(prefix) for prefix in bench.storage.lists}
        assert listed == {NOON + HOUR - number * HOUR for number in range(48)}
        assert set(bench.storage.lists.values()) == {1}

    def test_an_hour_that_ended_long_ago_is_not_listed_by_each_run(self, bench: Reconciling) -> None:
        """Only the hours that are open, or ended within the last hour, are; the others once an hour."""
        fill(bench, 100, hours=40)
        bench.run()
        bench.wait(minutes=5)
        bench.run()
        assert {hour_of_prefix(prefix) for prefix in bench.storage.lists} >= {NOON, NOON - HOUR}
        assert NOON - 2 * HOUR not in {hour_of_prefix(prefix) for prefix in bench.storage.lists}
        bench.wait(minutes=55)
        bench.run()
        assert NOON - 2 * HOUR in {hour_of_prefix(prefix) for prefix in bench.storage.lists}

    def test_a_warehouse_that_sleeps_is_not_woken_for_nothing(self, bench: Reconciling) -> None:
        """It is asked only when a listing shows something new: here, nobody answers."""
        bench.project(bench.put())
        bench.wait(minutes=5)
        bench.run()
        bench.close()
        bench.warehouse = Warehouse(NOWHERE)
        for _ in range(3):
            bench.wait(minutes=5)
            assert bench.run().compared == 0
        bench.put()
        with pytest.raises(WarehouseUnavailable):
            bench.run()

    def test_the_memory_is_beside_the_events(self, bench: Reconciling) -> None:
        """One small object for each day, written only when something has changed."""
        bench.project(bench.put())
        bench.wait(minutes=5)
        bench.run()
        written = {name for name, count in bench.storage.others.items() if name.startswith("PUT") and count}
        assert written == {"PUT reconciler/2026/11/30.json", "PUT reconciler/older.json"}
        bench.wait(minutes=5)
        bench.run()
        assert not [name for name in bench.storage.others if name.startswith("PUT")]

    @pytest.mark.parametrize("damage", [None, b"", b"[]", b'{"12": {"objects": 1}}'])
    def test_a_memory_that_is_lost_or_damaged_costs_one_more_look(
        self, damage: bytes | None, bench: Reconciling
    ) -> None:
        """And no event is read, since the counts fit."""
        bench.project(bench.put())
        bench.run()
        key = "reconciler/2026/11/30.json"
        if damage is None:
            del bench.storage.bodies[key]
        else:
            bench.storage.bodies[key] = RawObject(damage, NOON)
        assert bench.run().compared == 1
        assert (bench.storage.gets.total(), bench.hour()["complete"]) == (0, True)


class TestOlder:
    def test_older_hours_are_looked_at_once_a_day(self, bench: Reconciling) -> None:
        """What is put there by hand without a notification is projected then."""
        bench.run()
        old = NOON - timedelta(days=5)
        bench.put(old)
        bench.wait(hours=23)
        assert bench.run().missing == 0
        assert prefix_of(old) not in bench.storage.lists
        bench.wait(hours=1)
        assert (bench.run().missing, bench.rows) == (1, 1)
        assert bench.hour(old)["complete"]

    def test_a_pass_without_time_is_continued_by_the_next_run(self, bench: Reconciling) -> None:
        """The newest hours come first."""
        fill(bench, 400, hours=100)
        turns = iter([True] * 60)
        bench.has_time = lambda: next(turns, False)
        assert bench.run().older_left
        (recorded,) = bench.ask("SELECT count(*)::int, min(hour) FROM clickstream_hours")
        assert 48 < recorded[0] < 100
        assert recorded[1] == NOON - (recorded[0] - 1) * HOUR
        bench.has_time = lambda: True
        assert not bench.run().older_left
        assert bench.ask("SELECT count(*)::int FROM clickstream_hours") == [(100,)]

    @pytest.mark.parametrize(("days", "wait"), [(3, 1), (29, 1), (90, 3), (365, 12)])
    def test_the_older_an_hour_is_the_more_seldom_it_is_listed(self, days: int, wait: int) -> None:
        """A month-old hour each day, a year-old one every twelve days."""
        now = NOON + timedelta(days=days)
        assert not is_due(NOON, now - timedelta(days=wait) + HOUR, now)
        assert is_due(NOON, now - timedelta(days=wait, hours=6), now)


@pytest.fixture
def lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a function that gives the lines that the reconciler has logged."""
    file = (tmp_path / "log").open("w+")
    monkeypatch.setattr(log, "output", file)

    def read() -> list[dict[str, Any]]:
        file.seek(0)
        return [line for line in map(json.loads, file) if line["component"] == "reconciler"]

    yield read
    file.close()


class TestMetrics:
    def test_a_run_logs_its_metrics_in_the_embedded_format(self, bench: Reconciling, lines: Any) -> None:
        """CloudWatch takes them from the log line: the function reaches no other service."""
        bench.put()
        bench.wait(minutes=11)
        bench.run()
        (line,) = lines()
        (described,) = line["_aws"]["CloudWatchMetrics"]
        assert (described["Namespace"], described["Dimensions"]) == ("clickstream", [[]])
        assert [metric["Name"] for metric in described["Metrics"]] == list(METRICS)
        assert {name: line[name] for name in METRICS} == {"ObjectsWithoutRow": 1, "HoursNotComplete": 0}
        assert line["projected"] == 1
        assert line["_aws"]["Timestamp"] > 1.7e12

    def test_a_run_that_cannot_count_logs_no_metric(self, bench: Reconciling, lines: Any) -> None:
        """0 would say that nothing is missing; the alarm on missing data says that nobody knows."""
        bench.put()
        bench.close()
        bench.warehouse = Warehouse(NOWHERE)
        with pytest.raises(WarehouseUnavailable):
            bench.run()
        (line,) = lines()
        assert (line["outcome"], line["kind"]) == ("failed", "WarehouseUnavailable")
        assert "_aws" not in line

    def test_an_hour_that_is_over_and_not_complete_is_counted(self, bench: Reconciling) -> None:
        """Until its last object has a row."""
        bench.upgrade()
        bench.change("ALTER TABLE clickstream_events ADD CHECK (event_name <> 'refused')")
        bench.put(eventName="refused")
        bench.wait(minutes=11)
        assert bench.run().not_complete == 0
        bench.wait(minutes=30)
        assert bench.run().not_complete == 1


def test_the_namespace_is_the_one_that_the_stage_gives(bench: Reconciling, lines: Any) -> None:
    """As the alarms have it."""
    from chalicelib.projection.reconciler.reading import Place

    place = Place("clickstream-s3-ingest", bench.storage, bench.warehouse)  # type: ignore[arg-type]
    reconcile(place, "clickstream/prod")
    assert lines()[0]["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "clickstream/prod"
