import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from psycopg import conninfo

from analysis.commands.main import main
from analysis.errors import AnalysisError
from analysis.repair import retain as module
from analysis.repair.retain import Retained, retain
from chalicelib.contract import TABLE
from chalicelib.flatten import flatten
from chalicelib.operations import retaining
from chalicelib.warehouse.client import Warehouse
from chalicelib.warehouse.horizon import recorded_horizon

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_environment")]

DAY = timedelta(days=1)
TIMES = "SELECT event_timestamp FROM clickstream_events ORDER BY 1"
REJECTS = "SELECT key FROM clickstream_rejects ORDER BY 1"


@pytest.fixture
def today(warehouse_url: str) -> datetime:
    """Give the start of the day in UTC, by the warehouse's clock."""
    ((now,),) = ask(warehouse_url, "SELECT now()")
    start: datetime = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return start


@pytest.fixture
def seven(warehouse_url: str, today: datetime) -> None:
    """Give a warehouse with a row of noon of each of the last seven days, six of them older than today."""
    insert(warehouse_url, *(today + DAY / 2 - number * DAY for number in range(7)))


def ask(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True, options="-c timezone=UTC") as connection:
        return connection.execute(query.encode()).fetchall()


def tell(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def insert(url: str, *times: datetime) -> None:
    """Insert rows of these times, as the projector does."""
    warehouse = Warehouse(url)
    for time in times:
        warehouse.insert(flatten(b"{}", f"events/{time.timestamp()}.json", time))
    warehouse.close()


def times(url: str) -> list[datetime]:
    return [time for (time,) in ask(url, TIMES)]


def horizon(url: str) -> datetime | None:
    with psycopg.connect(url) as connection:
        return recorded_horizon(connection)


def run(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["retain", "--dw", url, *arguments])


@contextmanager
def a_role(url: str, *grants: str) -> Iterator[str]:
    """Make a role that owns nothing, with these rights, and give the warehouse's URL for it."""
    tell(url, "DROP ROLE IF EXISTS visitor", "CREATE ROLE visitor LOGIN", *grants)
    try:
        yield conninfo.make_conninfo(url, user="visitor")
    finally:
        tell(url, "DROP OWNED BY visitor", "DROP ROLE visitor")


class TestRetain:
    def test_rows_before_the_first_kept_day_are_deleted(self, warehouse_url: str, today: datetime) -> None:
        """Today and so many days before it stay, to the microsecond."""
        first = today - 3 * DAY
        insert(warehouse_url, first - timedelta(microseconds=1), first, today)
        assert retain(warehouse_url, 3) == Retained(first, None, rows=1)
        assert times(warehouse_url) == [first, today]
        assert horizon(warehouse_url) == first

    def test_rejects_go_by_when_they_were_first_seen(self, warehouse_url: str, today: datetime) -> None:
        """Whatever hour their key names."""
        warehouse = Warehouse(warehouse_url)
        for key in ("old", "young"):
            warehouse.reject("raw", key, "no event")
        warehouse.close()
        tell(warehouse_url, f"UPDATE clickstream_rejects SET first_seen = '{today - 4 * DAY}' WHERE key = 'old'")
        assert retain(warehouse_url, 3).rejects == 1
        assert ask(warehouse_url, REJECTS) == [("young",)]

    @pytest.mark.usefixtures("seven")
    @pytest.mark.parametrize("batch", [1, 2, 3, 5, 100])
    def test_batches_of_any_size_delete_the_same(
        self, batch: int, warehouse_url: str, today: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Also where several rows have the time at which a batch ends."""
        tell(warehouse_url, f"UPDATE clickstream_events SET event_timestamp = '{today - 4 * DAY}' WHERE random() < 0.6")
        old = sum(time < today - 2 * DAY for time in times(warehouse_url))
        young = [time for time in times(warehouse_url) if time >= today - 2 * DAY]
        monkeypatch.setattr(retaining, "BATCH", batch)
        assert retain(warehouse_url, 2).rows == old
        assert times(warehouse_url) == young

    @pytest.mark.usefixtures("seven")
    def test_it_can_be_stopped_and_goes_on(
        self, warehouse_url: str, today: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """After whole batches, with the horizon recorded; the same call then deletes the rest."""
        monkeypatch.setattr(retaining, "BATCH", 2)
        monkeypatch.setattr(module, "progress", interrupting)
        with pytest.raises(AnalysisError, match="stopped: 2 rows are deleted; the same command goes on later"):
            retain(warehouse_url, 1)
        assert (len(times(warehouse_url)), horizon(warehouse_url)) == (5, today - DAY)
        monkeypatch.undo()
        assert retain(warehouse_url, 1) == Retained(today - DAY, today - DAY, rows=3)

    @pytest.mark.usefixtures("seven")
    def test_the_projector_does_not_wait(self, warehouse_url: str, today: datetime) -> None:
        """It inserts while a batch is deleted and not yet committed."""
        statement = retaining.DELETE.format(table=TABLE, age="event_timestamp")
        with psycopg.connect(warehouse_url) as deleting:
            deleting.execute(statement.encode(), {"since": "-infinity", "horizon": today, "most": 100})
            insert(conninfo.make_conninfo(warehouse_url, options="-c statement_timeout=2s"), today)
        assert times(warehouse_url) == [today, today + DAY / 2]

    @pytest.mark.usefixtures("seven")
    def test_a_row_that_came_late_is_deleted_by_the_next_run(self, warehouse_url: str, today: datetime) -> None:
        """The projector inserts it, since all of raw can reach the warehouse."""
        retain(warehouse_url, 1)
        insert(warehouse_url, today - 9 * DAY)
        assert len(times(warehouse_url)) == 3
        assert retain(warehouse_url, 1).rows == 1

    @pytest.mark.usefixtures("seven")
    def test_times_that_python_does_not_know(self, warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Somebody wrote them by hand: before Christ, and before all time."""
        monkeypatch.setattr(retaining, "BATCH", 1)
        for time in ("0044-03-15 BC", "-infinity"):
            row = f"SELECT event_id FROM clickstream_events WHERE event_timestamp > '{time}' ORDER BY event_id LIMIT 1"
            tell(warehouse_url, f"UPDATE clickstream_events SET event_timestamp = '{time}' WHERE event_id = ({row})")
        assert retain(warehouse_url, 1).left == 0
        assert ask(warehouse_url, "SELECT count(*) FROM clickstream_events WHERE event_timestamp < '2000-01-01'") == [
            (0,)
        ]

    @pytest.mark.usefixtures("seven")
    def test_rows_that_cannot_be_deleted_are_counted(self, warehouse_url: str) -> None:
        """A trigger of the table's owner keeps them; it ends nevertheless."""
        tell(
            warehouse_url,
            "CREATE FUNCTION keep() RETURNS TRIGGER LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
            "CREATE TRIGGER keep BEFORE DELETE ON clickstream_events FOR EACH ROW EXECUTE FUNCTION keep()",
        )
        done = retain(warehouse_url, 1)
        assert (done.rows, done.left) == (0, 5)
        assert run(warehouse_url, "--days", "1").exit_code == 1

    def test_the_place_of_deleted_rows_is_used_again(self, warehouse_url: str, today: datetime) -> None:
        """The table is vacuumed, so that it does not grow from day to day."""
        for day in (2, 3, 4, 5):
            insert(warehouse_url, *(today - day * DAY + timedelta(seconds=number) for number in range(300)))
            retain(warehouse_url, 1)
        ((pages,),) = ask(warehouse_url, "SELECT pg_relation_size('clickstream_events') / 8192")
        assert pages < 10


class TestHorizon:
    @pytest.mark.usefixtures("seven")
    def test_it_moves_on_from_day_to_day(self, warehouse_url: str, today: datetime) -> None:
        """A smaller number of days, or the same on a later day."""
        assert retain(warehouse_url, 5).was is None
        assert retain(warehouse_url, 2) == Retained(today - 2 * DAY, today - 5 * DAY, rows=3)

    @pytest.mark.usefixtures("seven")
    def test_it_moves_back_only_if_that_is_asked_for(self, warehouse_url: str, today: datetime) -> None:
        """Otherwise nothing changes, in a dry run too; it brings back no row by itself."""
        retain(warehouse_url, 2)
        days = [f"{today - number * DAY:%Y-%m-%d}" for number in (2, 5)]
        said = f"keeps rows since {days[0]}, and --days 5 would keep rows since {days[1]}"
        for dry_run in (False, True):
            with pytest.raises(AnalysisError, match=f"{said}: add --move-back"):
                retain(warehouse_url, 5, dry_run=dry_run)
        assert horizon(warehouse_url) == today - 2 * DAY
        assert retain(warehouse_url, 5, move_back=True) == Retained(today - 5 * DAY, today - 2 * DAY)
        assert horizon(warehouse_url) == today - 5 * DAY

    def test_a_warehouse_keeps_everything_at_first(self, warehouse_url: str) -> None:
        """Without its tables, and with them."""
        assert horizon(warehouse_url) is None
        insert(warehouse_url, datetime(2020, 1, 1, tzinfo=UTC))
        assert horizon(warehouse_url) is None


class TestOwner:
    @pytest.mark.usefixtures("seven")
    def test_whoever_does_not_own_the_tables_is_refused(self, warehouse_url: str) -> None:
        """In one line, with nothing deleted, even with every right to delete."""
        with a_role(warehouse_url, "GRANT ALL ON ALL TABLES IN SCHEMA public TO visitor") as url:
            done = run(url, "--days", "2")
        assert done.exit_code == 2
        assert "the warehouse refuses: must be owner of table clickstream_" in done.stderr
        assert done.stderr.endswith(": name that owner in --dw\n")
        assert (len(times(warehouse_url)), horizon(warehouse_url)) == (7, None)


class TestCommand:
    @pytest.mark.usefixtures("seven")
    def test_it_says_what_it_did(self, warehouse_url: str, today: datetime) -> None:
        """Exit code 0, also if there was nothing to do."""
        done = run(warehouse_url, "--days", "2")
        assert done.exit_code == 0
        lines = [" ".join(line.replace("│", " ").split()) for line in done.stdout.splitlines()]
        assert f"rows are kept since {today - 2 * DAY:%Y-%m-%d} (UTC)" in lines
        assert "rows deleted 4" in lines
        again = run(warehouse_url, "--days", "2", "--json")
        start = f"{today - 2 * DAY:%Y-%m-%dT00:00:00}"
        document = json.loads(again.stdout)
        assert (again.exit_code, document["rows"], document["rejects"], document["left"]) == (0, 0, 0, 0)
        assert document["horizon"] == document["was"]
        assert document["horizon"].startswith(start)

    @pytest.mark.usefixtures("seven")
    def test_a_dry_run_only_counts(self, warehouse_url: str) -> None:
        """Exit code 1 if there is something to delete; a role that only reads may do it."""
        grants = "GRANT SELECT ON ALL TABLES IN SCHEMA public TO visitor", "GRANT USAGE ON SCHEMA public TO visitor"
        with a_role(warehouse_url, *grants) as url:
            done = run(url, "--days", "2", "--dry-run", "--json")
            assert (done.exit_code, json.loads(done.stdout)["rows"]) == (1, 4)
            assert run(url, "--days", "9", "--dry-run").exit_code == 0
        assert (len(times(warehouse_url)), horizon(warehouse_url)) == (7, None)

    def test_a_warehouse_without_tables_has_nothing_to_delete(self, warehouse_url: str) -> None:
        """Before its first event; a dry run makes no table."""
        done = run(warehouse_url, "--days", "2", "--dry-run")
        assert done.exit_code == 0
        assert ask(warehouse_url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            ([], "Missing option '--days'"),
            (["--days", "0"], "0 is not in the range"),
            (["--days", "36501"], "36501 is not in the range"),
            (["--days", "x"], "'x' is not a valid integer"),
        ],
    )
    def test_wrong_usage(self, arguments: list[str], said: str) -> None:
        """Exit code 2, and what is wrong."""
        done = run("postgresql://nowhere.invalid/x", *arguments)
        assert (done.exit_code, said in done.stderr) == (2, True)


@contextmanager
def interrupting(_description: str, _total: int) -> Iterator[Callable[[int], None]]:
    """Press Ctrl-C after the first batch."""

    def advance(_done: int) -> None:
        raise KeyboardInterrupt

    yield advance
