import json
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from analysis.checks.ledger import COUNTS, account, total
from analysis.checks.validation.run import validate
from analysis.commands.main import main
from tests.support.raw_objects import START, Objects

END = START + timedelta(hours=3)
HOUR = 3600.0

pytestmark = pytest.mark.usefixtures("no_environment")


def ledger_of(objects: Objects, directory: Path, *, by_client: bool = False) -> pl.DataFrame:
    directory.mkdir(exist_ok=True)
    return account(objects.write(directory), START, END, by_client=by_client)


def counts(**known: int) -> dict[str, int]:
    return dict.fromkeys(COUNTS, 0) | known


class TestAccount:
    def test_nothing_is_lost(self, tmp_path: Path) -> None:
        """What came is what was sent."""
        objects = Objects()
        for _ in range(3):
            objects.add()
        ledger = ledger_of(objects, tmp_path)
        assert ledger["hour"].to_list() == [START]
        assert total(ledger) == counts(sent=3, received=3)

    def test_missing_numbers_are_lost(self, tmp_path: Path) -> None:
        """In the hour of the next one that came; before the first and after the last nothing is known."""
        objects = Objects()
        for received, seq in ((1, 5), (2, 6), (HOUR + 1, 9), (HOUR + 2, 11)):
            objects.add(received=received, seq=seq)
        ledger = ledger_of(objects, tmp_path)
        assert ledger["lost"].to_list() == [0, 3]
        assert ledger["sent"].to_list() == [2, 5]

    def test_what_the_browser_dropped_is_not_lost(self, tmp_path: Path) -> None:
        """Its own counters say so, also in another tab's event."""
        objects = Objects()
        objects.add(received=1, seq=1)
        objects.add(received=2, seq=1, tabId="other")
        objects.add(received=3, seq=2, tabId="other", dropped={"overflow": 2, "refused": 1, "withheld": 1})
        objects.add(received=4, seq=7, dropped={"overflow": 2, "refused": 1, "withheld": 1})
        ledger = ledger_of(objects, tmp_path)
        assert total(ledger) == counts(sent=9, received=4, lost=1, overflowed=2, refused=1, withheld=1)

    def test_counters_that_begin_above_zero_are_of_before(self, tmp_path: Path) -> None:
        """Only their growth within the span counts, in any order of receipt."""
        objects = Objects()
        for received, seq, refused in ((1, 1, 7), (3, 3, 8), (2, 2, 8)):
            objects.add(received=received, seq=seq, dropped={"overflow": 0, "refused": refused})
        assert total(ledger_of(objects, tmp_path)) == counts(sent=4, received=3, refused=1)

    def test_events_without_counters_hide_nothing(self, tmp_path: Path) -> None:
        """Two events with counters show what was dropped between them, even if other events came between."""
        objects = Objects()
        objects.add(received=1, seq=1, dropped={"overflow": 0, "refused": 0})
        objects.add(received=2, seq=2)
        objects.add(received=3, seq=5, dropped={"overflow": 2, "refused": 0})
        assert total(ledger_of(objects, tmp_path)) == counts(sent=5, received=3, overflowed=2)

    def test_an_event_that_came_again_is_repeated(self, tmp_path: Path) -> None:
        """In the hour in which it came again; it is one event."""
        objects = Objects()
        objects.add(received=1, seq=1, eventId="a")
        objects.add(received=HOUR + 1, seq=1, eventId="a")
        ledger = ledger_of(objects, tmp_path)
        assert ledger.select("received", "repeated").rows() == [(1, 0), (0, 1)]

    @pytest.mark.parametrize(
        ("lookback", "expected"),
        [
            (timedelta(hours=24), counts(sent=2, received=2, repeated=1)),
            (timedelta(hours=10), counts(sent=2, received=2, repeated=1)),
            (timedelta(0), counts(sent=10, received=3, lost=7)),
        ],
    )
    def test_an_event_of_before_the_span_is_not_received_again(
        self, lookback: timedelta, expected: dict[str, int], tmp_path: Path
    ) -> None:
        """And the numbers that came before it are not missing: number 1 comes again, 2 to 8 came the day before."""
        objects = Objects()
        for seq in range(1, 9):
            objects.add(received=-10 * HOUR + seq, seq=seq, eventId=f"e{seq}")
        for received, seq in ((1, 1), (2, 9), (3, 10)):
            objects.add(received=received, seq=seq, eventId=f"e{seq}")
        ledger = account(objects.write(tmp_path), START, END, lookback=lookback)
        assert (ledger["hour"].to_list(), total(ledger)) == ([START], expected)

    def test_a_number_that_arrives_late_makes_no_loss(self, tmp_path: Path) -> None:
        """Number 2 waited in the browser; the others came the day before, but for number 5, which counted then."""
        objects = Objects()
        for seq in (1, 3, 4, 6):
            objects.add(received=-10 * HOUR + seq, seq=seq)
        objects.add(received=1, seq=2)
        objects.add(received=2, seq=9)
        assert total(account(objects.write(tmp_path), START, END)) == counts(sent=4, received=2, lost=2)

    def test_a_number_that_arrives_after_the_span_is_not_lost(self, tmp_path: Path) -> None:
        """Number 2 waited in the browser until the span was over; nobody ever got number 3."""
        objects = Objects()
        for received, seq in ((1, 1), (2, 4), (5 * HOUR, 2)):
            objects.add(received=received, seq=seq)
        bucket = objects.write(tmp_path)
        assert total(account(bucket, START, END)) == counts(sent=3, received=2, lost=1)
        assert total(account(bucket, START, END, lookback=timedelta(0))) == counts(sent=4, received=2, lost=2)

    def test_late_is_what_took_longer_than_the_clients_clock_explains(self, tmp_path: Path) -> None:
        """More than five minutes, as in validate."""
        objects = Objects()
        objects.add(received=1000, sent=0)
        objects.add(received=1300, sent=0)
        objects.add(received=1301, sent=0)
        assert total(ledger_of(objects, tmp_path))["late"] == 1

    def test_what_is_no_event_is_rejected(self, tmp_path: Path) -> None:
        """By the hour of its key, and of no client."""
        objects = Objects()
        objects.add()
        objects.put("no event", START + timedelta(hours=1))
        assert ledger_of(objects, tmp_path)["rejected"].to_list() == [0, 1]
        by_client = ledger_of(objects, tmp_path, by_client=True)
        assert by_client.rows() == [("c", 1, 1, 0, 0, 0, 0, 0, 0, 0), (None, 0, 0, 0, 0, 0, 0, 0, 0, 1)]

    def test_hours_and_clients_sum_to_the_same(self, tmp_path: Path) -> None:
        """Each event is in one row of either; and validate says the same of what is missing."""
        objects = Objects()
        for number in range(30):
            objects.add(received=number * 200.0, seq=1 + number + number // 7, clientId=f"c{number % 3}")
        hours, clients = (ledger_of(objects, tmp_path, by_client=by_client) for by_client in (False, True))
        assert total(hours) == total(clients)
        (check,) = [each for each in validate(tmp_path, None, START, END).checks if each.name == "lost_events"]
        missing = sum(int(str(gap["last"])) - int(str(gap["first"])) + 1 for gap in check.findings)
        assert total(hours)["lost"] == missing > 0

    def test_nothing_at_all_is_an_empty_ledger(self, tmp_path: Path) -> None:
        """With the same columns."""
        ledger = ledger_of(Objects(), tmp_path)
        assert (ledger.columns, len(ledger)) == (["hour", *COUNTS], 0)
        assert total(ledger) == counts()


class TestCommand:
    def run(self, *arguments: str | Path) -> Result:
        span = ("--start", "2026-11-25T09:00", "--end", "2026-11-25T12:00")
        return CliRunner().invoke(main, ["ledger", *map(str, arguments), *span])

    def test_a_loss_is_exit_code_1(self, tmp_path: Path) -> None:
        """As a table, or as JSON."""
        objects = Objects()
        objects.add(seq=1)
        objects.write(tmp_path)
        assert self.run("--source", tmp_path).exit_code == 0
        objects.add(seq=3)
        objects.write(tmp_path)
        done = self.run("--source", tmp_path)
        assert (done.exit_code, "total" in done.stdout, "2026-11-25 09:00" in done.stdout) == (1, True, True)
        done = self.run("--source", tmp_path, "--by-client", "--json")
        assert done.exit_code == 1
        said = json.loads(done.stdout)
        assert said["total"] == counts(sent=3, received=2, lost=1)
        assert said["rows"][0]["client_id"] == "c"

    def test_the_lookback_is_shown(self, tmp_path: Path) -> None:
        """A number of the hour before is missing without it."""
        objects = Objects()
        for received, seq in ((1, 1), (-1, 2), (2, 3)):
            objects.add(received=received, seq=seq)
        objects.write(tmp_path)
        for lookback, options in ((24, ()), (0, ("--lookback", "0"))):
            done = self.run("--source", tmp_path, *options)
            assert (done.exit_code, f"lookback {lookback} h" in done.stdout) == (0 if lookback else 1, True)
            said = json.loads(self.run("--source", tmp_path, "--json", *options).stdout)
            assert (said["lookback_hours"], said["total"]["lost"]) == (lookback, 0 if lookback else 1)
