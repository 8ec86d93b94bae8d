import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.commands.main import main
from analysis.errors import AnalysisError
from analysis.raw.local import LocalSource
from analysis.raw.partitions import Folder
from analysis.raw.source import bucket_of, open_source
from analysis.repair.backfill.run import Backfilled, backfill
from analysis.repair.rejects import retry
from analysis.repair.upgrade import upgrade
from chalicelib.errors import InvalidEvent
from chalicelib.flatten import flatten
from chalicelib.warehouse.client import Warehouse
from chalicelib.warehouse.horizon import record_horizon
from tests.support.json_texts import hostile_payloads, object_texts
from tests.support.raw_objects import START, Objects

pytestmark = pytest.mark.slow

HOURS = [f"events/2026/11/25/{hour:02}/" for hour in (9, 10, 11)]
ROWS = "SELECT * FROM clickstream_events ORDER BY event_id"
REJECTS = "SELECT bucket, key, reason FROM clickstream_rejects ORDER BY key"


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    """Give the directory of an empty bucket."""
    (tmp_path / "shop-raw").mkdir()
    return tmp_path / "shop-raw"


@pytest.fixture(scope="module")
def two_warehouses(new_database: Callable[[], AbstractContextManager[str]]) -> Iterator[tuple[str, str]]:
    """Give two databases."""
    with new_database() as one, new_database() as other:
        yield one, other


def ask(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True, options="-c timezone=UTC") as connection:
        return connection.execute(query).fetchall()


def ask_nothing(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


def project(url: str, bucket: Path, keys: list[str]) -> None:
    """As the projector does it, one by one."""
    warehouse = Warehouse(url)
    for key in keys:
        path = bucket / key
        modified = datetime.fromtimestamp(path.stat().st_mtime_ns // 10**9, UTC)
        try:
            warehouse.insert(flatten(path.read_bytes(), key, modified))
        except InvalidEvent as error:
            warehouse.reject(bucket.name, key, str(error))
    warehouse.close()


class TestBackfill:
    def test_what_is_lacking_becomes_rows(self, bucket: Path, warehouse_url: str) -> None:
        """And what is known stays as it is; a second time finds nothing to do."""
        objects = Objects()
        keys = [objects.add() for _ in range(5)]
        objects.put("no event")
        objects.write(bucket)
        project(warehouse_url, bucket, keys[:2])
        before = ask(warehouse_url, ROWS)
        assert backfill(bucket, warehouse_url, HOURS) == Backfilled(3, 6, added=3, known=2, rejected=1)
        after = ask(warehouse_url, ROWS)
        assert len(after) == 5
        assert set(before) < set(after)
        ((name, key, reason),) = ask(warehouse_url, REJECTS)
        assert (name, "the body is not JSON" in reason) == ("shop-raw", True)
        assert key not in keys
        assert backfill(bucket, warehouse_url, HOURS) == Backfilled(3, 6, added=0, known=5, rejected=1)
        assert ask(warehouse_url, ROWS) == after

    @pytest.mark.slow
    @settings(
        max_examples=20,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(bodies=st.lists(hostile_payloads | object_texts().map(lambda drawn: drawn[0]), max_size=20))
    def test_rows_and_rejects_are_those_of_the_projector(
        self,
        bodies: list[str],
        tmp_path_factory: pytest.TempPathFactory,
        two_warehouses: tuple[str, str],
    ) -> None:
        """Whatever the objects are: every text, number and time comes through COPY as it is."""
        bucket = tmp_path_factory.mktemp("bucket") / "shop-raw"
        objects = Objects()
        for body in bodies:
            objects.put(body.encode("utf-8", "surrogatepass"))
        objects.write(bucket)
        bucket.mkdir(exist_ok=True)
        one_by_one, in_bulk = two_warehouses
        for url in two_warehouses:
            ask_nothing(url, "DROP TABLE IF EXISTS clickstream_events, clickstream_rejects")
        backfill(bucket, in_bulk, HOURS)
        # Of a repeated event the first received counts: in the order that backfill keeps.
        project(one_by_one, bucket, in_order(bucket, list(objects.bodies)))
        for query in (ROWS, REJECTS):
            assert asked(in_bulk, query) == asked(one_by_one, query)

    def test_special_characters_come_through(self, bucket: Path, warehouse_url: str) -> None:
        """Those of COPY's own text format, alone on a line too."""
        texts = [
            "\\.",
            "a\n\\.\nb",
            "\\N",
            "\t",
            "\r\n",
            "\\",
            "\\t",
            '"',
            "''",
            " ",
            "x" * 100_000,
            "\u1ec7\U0001f6d2",
        ]
        objects = Objects()
        for text in texts:
            objects.add(userId=text)
        objects.write(bucket)
        backfill(bucket, warehouse_url, HOURS)
        assert {text for (text,) in ask(warehouse_url, "SELECT user_id FROM clickstream_events")} == set(texts)

    def test_of_a_repeated_event_the_first_received_becomes_the_row(self, bucket: Path, warehouse_url: str) -> None:
        """By receipt, then key: within an hour and from hour to hour."""
        objects = Objects()
        objects.add(received=3700, eventId="a", userId="third")
        objects.add(received=20, eventId="a", userId="second")
        objects.add(received=10, eventId="a", userId="first")
        objects.write(bucket)
        done = backfill(bucket, warehouse_url, HOURS, rebuild=True)
        assert done == Backfilled(3, 3, added=1, known=2)
        assert ask(warehouse_url, "SELECT user_id FROM clickstream_events") == [("first",)]

    def test_a_reject_that_is_an_event_now_is_none_any_more(self, bucket: Path, warehouse_url: str) -> None:
        """As after a fix of the projector; other rejects stay."""
        objects = Objects()
        key = objects.add()
        objects.write(bucket)
        warehouse = Warehouse(warehouse_url)
        for name in (key, "events/2026/11/25/09/other.json"):
            warehouse.reject("shop-raw", name, "an error of ours")
        warehouse.close()
        assert backfill(bucket, warehouse_url, HOURS) == Backfilled(3, 1, added=1, recovered=1)
        assert [key for _, key, _ in ask(warehouse_url, REJECTS)] == ["events/2026/11/25/09/other.json"]

    def test_a_dry_run_counts_and_changes_nothing(self, bucket: Path, warehouse_url: str) -> None:
        """An event that is in several hours counts once."""
        objects = Objects()
        known = objects.add()
        objects.add(received=10, eventId="a")
        objects.add(received=3700, eventId="a")
        objects.put("no event")
        objects.write(bucket)
        project(warehouse_url, bucket, [known])
        warehouse = Warehouse(warehouse_url)
        warehouse.reject("other", "key", "makes the table")
        warehouse.close()
        before = [ask(warehouse_url, query) for query in (ROWS, REJECTS)]
        assert backfill(bucket, warehouse_url, HOURS, dry_run=True) == Backfilled(3, 4, added=1, known=2, rejected=1)
        assert [ask(warehouse_url, query) for query in (ROWS, REJECTS)] == before

    def test_many_batches_of_one_hour_are_one(
        self, bucket: Path, warehouse_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """However few objects are in memory at once."""
        monkeypatch.setattr("analysis.raw.objects.BATCH_OBJECTS", 2)
        objects = Objects()
        for _ in range(9):
            objects.add()
        objects.add(received=0, eventId="a", userId="first")
        objects.add(received=100, eventId="a", userId="second")
        objects.write(bucket)
        assert backfill(bucket, warehouse_url, HOURS) == Backfilled(3, 11, added=10, known=1)
        assert ("first",) in ask(warehouse_url, "SELECT user_id FROM clickstream_events")

    def test_beside_the_projector_every_event_is_there_once(self, bucket: Path, warehouse_url: str) -> None:
        """Both may insert the same event at the same time."""
        objects = Objects()
        keys = [objects.add() for _ in range(300)]
        objects.write(bucket)
        projector = Thread(target=project, args=(warehouse_url, bucket, list(reversed(keys))))
        projector.start()
        done = [backfill(bucket, warehouse_url, HOURS) for _ in range(3)]
        projector.join()
        assert all(each.added + each.known == 300 for each in done)
        assert ask(warehouse_url, "SELECT count(*) FROM clickstream_events") == [(300,)]


class TestHorizon:
    """What `retain` has deleted for its age does not come back by itself."""

    MIDNIGHT = START.replace(hour=0)
    HOURS = (*(f"events/2026/11/24/{hour:02}/" for hour in (22, 23)), "events/2026/11/25/00/")

    @pytest.fixture
    def old(self, bucket: Path, warehouse_url: str) -> Objects:
        """Give three events before the horizon and two after it, and a reject before it."""
        objects, hours = Objects(), timedelta(hours=9).total_seconds()
        for second in (-7000, -3600, -1, 0, 1):
            objects.add(received=second - hours)
        objects.put("no event", self.MIDNIGHT - timedelta(hours=1))
        objects.write(bucket)
        upgrade(warehouse_url, dry_run=False)
        with psycopg.connect(warehouse_url) as connection:
            record_horizon(connection, self.MIDNIGHT, move_back=False)
        return objects

    @pytest.mark.usefixtures("old")
    def test_hours_before_it_are_left_out(self, bucket: Path, warehouse_url: str) -> None:
        """They are counted as such, in a dry run too; later hours are inserted."""
        dry = backfill(bucket, warehouse_url, self.HOURS, dry_run=True)
        done = backfill(bucket, warehouse_url, self.HOURS)
        assert dry == done == Backfilled(1, 2, added=2, horizon_hours=2)
        times = "SELECT min(event_timestamp), (SELECT count(*) FROM clickstream_rejects) FROM clickstream_events"
        assert ask(warehouse_url, times) == [(self.MIDNIGHT, 0)]

    @pytest.mark.usefixtures("old")
    def test_a_rebuild_respects_it_too(self, bucket: Path, warehouse_url: str) -> None:
        """The table is emptied, and the record stays."""
        backfill(bucket, warehouse_url, self.HOURS)
        rows = ask(warehouse_url, ROWS)
        ask_nothing(warehouse_url, "TRUNCATE clickstream_events")
        assert backfill(bucket, warehouse_url, open_source(bucket).hours(), rebuild=True).added == 2
        assert ask(warehouse_url, ROWS) == rows

    @pytest.mark.usefixtures("old")
    def test_an_older_row_of_a_later_hour_is_left_out(self, bucket: Path, warehouse_url: str) -> None:
        """Somebody wrote an event without `_ingest` there: its time is that of the browser."""
        (bucket / HOURS[0]).mkdir(parents=True)
        for name, day in (("old", 24), ("new", 25)):
            body = f'{{"eventId": "{name}", "eventTimestamp": "2026-11-{day}T09:00:00Z"}}'
            (bucket / f"{HOURS[0]}{name}.json").write_text(body)
        assert backfill(bucket, warehouse_url, HOURS[:1]) == Backfilled(1, 2, added=1, before_horizon=1)

    @pytest.mark.usefixtures("old")
    def test_they_come_back_if_that_is_asked_for(self, bucket: Path, warehouse_url: str) -> None:
        """With the option, rejects included."""
        span = "--start", "2026-11-24", "--end", "2026-11-26"
        options = "--source", str(bucket), "--dw", warehouse_url, *span
        without = run(*options)
        assert without.exit_code == 0
        assert "hours before the horizon" in without.stdout
        assert json.loads(run(*options, "--beyond-horizon", "--json").stdout)["added"] == 3
        assert ask(warehouse_url, "SELECT count(*) FROM clickstream_rejects") == [(1,)]

    def test_a_key_that_is_named_becomes_a_row(self, old: Objects, bucket: Path, warehouse_url: str) -> None:
        """As when the projector meets it: only what comes in bulk is left out."""
        (key, *_) = old.bodies
        assert retry(warehouse_url, bucket, [key]).recovered == [key]
        assert len(ask(warehouse_url, ROWS)) == 1


class TestFailures:
    def test_what_is_done_stays_and_where_to_go_on_is_said(
        self, bucket: Path, warehouse_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An hour is there as a whole, or not at all."""
        objects = Objects()
        objects.add(received=10)
        objects.add(received=3700)
        objects.add(received=3701)
        objects.write(bucket)
        monkeypatch.setattr("analysis.raw.objects.BATCH_OBJECTS", 1)
        whole = LocalSource.read

        def read(source: LocalSource, folders: list[Folder]) -> Iterator[tuple[str, bytes]]:
            for number, each in enumerate(whole(source, folders)):
                if "/10/" in each[0] and number == 1:
                    raise AnalysisError("cannot read it")
                yield each

        monkeypatch.setattr(LocalSource, "read", read)
        with pytest.raises(
            AnalysisError, match=r"cannot read it; 1 hours are done: continue with --start 2026-11-25T10:00Z"
        ):
            backfill(bucket, warehouse_url, HOURS)
        assert len(ask(warehouse_url, ROWS)) == 1

    def test_an_interrupt_says_where_to_go_on(
        self, bucket: Path, warehouse_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """In one line, as everything else."""
        objects = Objects()
        objects.add(received=10)
        objects.write(bucket)

        def folders(_: object, prefixes: list[str]) -> Iterator[list[Folder]]:
            if prefixes == [HOURS[1]]:
                raise KeyboardInterrupt
            yield []

        monkeypatch.setattr(LocalSource, "folders", folders)
        said = r"^stopped; 1 hours are done: continue with --start 2026-11-25T10:00Z$"
        with pytest.raises(AnalysisError, match=said):
            backfill(bucket, warehouse_url, HOURS)

    def test_a_rebuild_insists_on_an_empty_table(self, bucket: Path, warehouse_url: str) -> None:
        """Otherwise rows of another order would stay."""
        objects = Objects()
        objects.add()
        objects.write(bucket)
        backfill(bucket, warehouse_url, HOURS, rebuild=True)
        with pytest.raises(AnalysisError, match="is not empty: backfill without --rebuild, or TRUNCATE it first"):
            backfill(bucket, warehouse_url, HOURS, rebuild=True)

    @pytest.mark.parametrize(
        ("url", "problem"),
        [
            ("postgresql://127.0.0.1:1/db", "the warehouse failed: .*Connection refused"),
            ("postgresql://u:hidden/x@h/db", "is not a PostgreSQL URL"),
        ],
    )
    def test_a_warehouse_that_does_not_answer_is_named(self, url: str, problem: str, bucket: Path) -> None:
        """Without its password."""
        with pytest.raises(AnalysisError, match=problem) as raised:
            backfill(bucket, url, HOURS)
        assert "hidden" not in str(raised.value)

    def test_a_dry_run_makes_no_table(self, bucket: Path, warehouse_url: str) -> None:
        """It says that there is none."""
        with pytest.raises(AnalysisError, match=r"has no table public\.clickstream_events"):
            backfill(bucket, warehouse_url, HOURS, dry_run=True)


@pytest.mark.usefixtures("no_environment")
class TestCommand:
    def test_it_says_what_it_did(self, bucket: Path, warehouse_url: str) -> None:
        """A dry run that finds something has exit code 1; so a script can ask."""
        objects = Objects()
        objects.add()
        objects.add(received=3700)
        objects.write(bucket)
        where = ("--source", bucket, "--dw", warehouse_url)
        assert json.loads(run(*where, "--rebuild", "--json").stdout)["added"] == 2
        hour = ("--start", "2026-11-25T10:00", "--end", "2026-11-25T11:00")
        done = run(*where, *hour)
        assert (done.exit_code, "already known" in done.stdout) == (0, True)
        ask_nothing(warehouse_url, "TRUNCATE clickstream_events")
        done = run(*where, *hour, "--dry-run")
        assert (done.exit_code, "rows missing" in done.stdout) == (1, True)
        assert run(*where, *hour).exit_code == 0
        assert run(*where, *hour, "--dry-run").exit_code == 0

    @pytest.mark.parametrize(
        ("arguments", "problem"),
        [
            (["--rebuild", "--start", "2026-11-25"], "--rebuild takes all of raw: leave out --start"),
            ([], "no warehouse here: name it with --dw or DW_URL"),
            (["--source", "nowhere"], "no warehouse here"),
        ],
    )
    def test_wrong_usage_is_said(self, arguments: list[str], problem: str, bucket: Path) -> None:
        """In one line, exit code 2."""
        done = run("--source", bucket, *arguments)
        assert done.exit_code == 2
        assert problem in done.stderr


class TestHours:
    def test_every_hour_there_is(self, bucket: Path) -> None:
        """In order; other keys are passed over."""
        for name in ("2026/11/25/10", "2026/11/25/09", "2025/01/01/00", "2026/11/25/notes", "x/y/z/10"):
            (bucket / "events" / name).mkdir(parents=True)
        assert open_source(bucket).hours() == ["events/2025/01/01/00/", *HOURS[:2]]

    def test_a_bucket_has_a_name(self, bucket: Path) -> None:
        """That of S3's events: the last part of a directory, and what follows s3://."""
        assert bucket_of(bucket) == "shop-raw"
        assert bucket_of("s3://shop-raw") == "shop-raw"


def in_order(bucket: Path, keys: list[str]) -> list[str]:
    """Keys in the order of receipt; objects that are not events come last."""

    def place(key: str) -> tuple[datetime, str]:
        modified = datetime.fromtimestamp((bucket / key).stat().st_mtime_ns // 10**9, UTC)
        try:
            received = flatten((bucket / key).read_bytes(), key, modified)[1]
        except InvalidEvent:
            return datetime.max.replace(tzinfo=UTC), key
        assert isinstance(received, datetime)
        return received, key

    return sorted(keys, key=place)


def asked(url: str, query: str) -> list[tuple[Any, ...]]:
    """The rows, or none where nothing has made the table."""
    try:
        return ask(url, query)
    except psycopg.errors.UndefinedTable:
        return []


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["backfill", *map(str, arguments)])
