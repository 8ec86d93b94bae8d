"""All rows of a warehouse keep the same decimals of prices: whoever would mix them is refused, until it is rebuilt."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result

from analysis.commands.main import main
from analysis.history import read_history
from analysis.metrics.overview import latest_product_events
from analysis.metrics.range import Range
from chalicelib.errors import OtherPriceDecimals
from chalicelib.flatten import flatten
from chalicelib.warehouse.client import Warehouse
from chalicelib.warehouse.schema import Schema
from emulator.commands.main import main as emulator
from tests.support.raw_objects import START, Objects

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_environment")]

HOURS = ["--start", "2026-11-25T09", "--end", "2026-11-25T10"]
WITHIN = Range(START, START.replace(hour=10))


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    """Give a bucket with two prices, both of which have decimals."""
    objects = Objects()
    for price in (12.99, "0.49"):
        objects.add(product={"id": "p", "price": price})
    return objects.write(tmp_path / "shop-raw")


@pytest.fixture
def filled_url(warehouse_url: str, bucket: Path) -> str:
    """Give a warehouse of these events without decimals, as all are by default."""
    assert run("backfill", bucket, warehouse_url, *HOURS).exit_code == 0
    assert prices(warehouse_url) == [0, 13]
    return warehouse_url


@pytest.fixture
def projector(filled_url: str) -> Iterator[Warehouse]:
    """Give the warehouse as a projector has it that knows nothing of decimals, and is running."""
    warehouse = Warehouse(filled_url)
    warehouse.insert(flatten(b"{}", "events/older.json", START))
    yield warehouse
    warehouse.close()


def run(command: str, bucket: Path, url: str, *options: str) -> Result:
    return CliRunner().invoke(main, [*command.split(), "--source", str(bucket), "--dw", url, *options])


def prices(url: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        query = "SELECT context_product_price FROM clickstream_events WHERE context_product_id = 'p' ORDER BY 1"
        return [price for (price,) in connection.execute(query)]


def truncate(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("TRUNCATE clickstream_events")


class TestWriters:
    @pytest.mark.parametrize("command", ["backfill", "backfill --dry-run", "rejects retry events/a.json"])
    def test_they_are_refused_with_other_decimals(
        self, command: str, bucket: Path, filled_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With exit code 2 and one line, which says what to do; nothing is written."""
        monkeypatch.setenv("PRICE_DECIMALS", "2")
        done = run(command, bucket, filled_url, *([] if "retry" in command else HOURS))
        assert done.exit_code == 2
        assert "stored with PRICE_DECIMALS=0, and here it is 2: set PRICE_DECIMALS=0, or rebuild" in done.output
        assert "'PRICE_DECIMALS=2 python -m analysis backfill --rebuild'" in done.output
        assert prices(filled_url) == [0, 13]

    def test_a_seed_is_not_loaded_with_other_decimals(
        self, filled_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It would be rows like any other."""
        monkeypatch.setenv("PRICE_DECIMALS", "2")
        out = ["--out", str(tmp_path / "seed"), "--load", "--dw", filled_url]
        done = CliRunner().invoke(emulator, ["seed", "--days", "1", "--shoppers", "5", *out])
        assert done.exit_code == 2
        assert "stored with PRICE_DECIMALS=0, and here it is 2" in done.output
        assert prices(filled_url) == [0, 13]

    def test_a_value_that_is_none_is_named(
        self, bucket: Path, filled_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By every command that reads the setting."""
        monkeypatch.setenv("PRICE_DECIMALS", "cents")
        for command in ("backfill", "validate"):
            done = run(command, bucket, filled_url, *HOURS)
            assert (done.exit_code, "PRICE_DECIMALS must be a whole number from 0 to 6" in done.output) == (2, True)


class TestRebuild:
    def test_it_gives_an_empty_table_other_decimals(
        self, bucket: Path, filled_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Not a table with rows; afterwards other writers have to know them."""
        monkeypatch.setenv("PRICE_DECIMALS", "2")
        refused = run("backfill", bucket, filled_url, "--rebuild")
        assert (refused.exit_code, "is not empty" in refused.output) == (2, True)
        assert prices(filled_url) == [0, 13]
        truncate(filled_url)
        assert run("backfill", bucket, filled_url, "--rebuild").exit_code == 0
        assert prices(filled_url) == [49, 1299]
        assert run("backfill", bucket, filled_url, *HOURS).exit_code == 0
        monkeypatch.delenv("PRICE_DECIMALS")
        assert run("backfill", bucket, filled_url, *HOURS).exit_code == 2

    def test_a_projector_that_runs_has_to_look_again(
        self, projector: Warehouse, bucket: Path, filled_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its connection was made before: with it, it would have mixed both."""
        truncate(filled_url)
        monkeypatch.setenv("PRICE_DECIMALS", "2")
        assert run("backfill", bucket, filled_url, "--rebuild").exit_code == 0
        with pytest.raises(OtherPriceDecimals, match="PRICE_DECIMALS=2, and here it is 0"):
            projector.insert(flatten(b'{"product": {"id": "p", "price": 5}}', "events/late.json", START))
        assert prices(filled_url) == [49, 1299]
        now = Warehouse(filled_url, Schema(price_decimals=2))
        assert now.insert(flatten(b'{"product": {"id": "p", "price": 5}}', "events/late.json", START, 2))
        now.close()
        assert prices(filled_url) == [49, 500, 1299]


class TestReaders:
    @pytest.fixture
    def with_cents(self, bucket: Path, warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
        """Give a warehouse with two decimals, and an environment that says nothing."""
        monkeypatch.setenv("PRICE_DECIMALS", "2")
        assert run("backfill", bucket, warehouse_url, *HOURS).exit_code == 0
        monkeypatch.delenv("PRICE_DECIMALS")
        return warehouse_url

    def test_analysts_see_amounts(self, bucket: Path, with_cents: str) -> None:
        """From raw and from the warehouse, without any setting of their own: the warehouse has recorded it."""
        history = read_history(bucket, with_cents, WITHIN)
        assert history.price_decimals == history.events.price_decimals == 2
        assert "PRICE_DECIMALS" not in repr(history)
        assert history.warehouse is not None
        for engine in (history.raw, history.warehouse):
            assert engine.price_decimals == 2
            shown = latest_product_events(engine, WITHIN)["price"].to_list()
            assert shown == [Decimal("0.49"), Decimal("12.99")]

    def test_a_trace_finds_the_object_of_a_row(self, bucket: Path, with_cents: str) -> None:
        """Its price is compared with the decimals that the row keeps; the row is shown as it is stored."""
        key = next(
            path.relative_to(bucket).as_posix() for path in bucket.rglob("*.json") if b"12.99" in path.read_bytes()
        )
        done = run(f"trace {key}", bucket, with_cents, *HOURS)
        assert done.exit_code == 0
        assert "; the row comes from this object" in done.output
        assert "1299" in done.output

    def test_a_setting_that_differs_is_named(
        self, bucket: Path, with_cents: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The warehouse's counts: raw and warehouse stay the same, and nothing else is found."""
        assert run("validate", bucket, with_cents, *HOURS).exit_code == 0
        monkeypatch.setenv("PRICE_DECIMALS", "3")
        history = read_history(bucket, with_cents, WITHIN)
        assert "prices: 2 decimals, as in the warehouse; PRICE_DECIMALS is 3 here" in repr(history)
        done = run("validate", bucket, with_cents, *HOURS)
        assert done.exit_code == 1
        assert "warning: the warehouse's prices keep 2 decimals, and PRICE_DECIMALS is 3 here" in done.output
        assert "1 of" in done.output.splitlines()[-1]

    def test_rounded_prices_are_reported(self, bucket: Path, filled_url: str) -> None:
        """Once for each member, with an example."""
        done = run("validate", bucket, filled_url, *HOURS)
        assert done.exit_code == 1
        assert "warning: 2 prices were rounded" in done.output
        assert "value 12.99, events 2, decimals 2" in done.output

    def test_without_a_warehouse_that_answers_the_environment_counts(
        self, bucket: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Raw can be read alone."""
        monkeypatch.setenv("PRICE_DECIMALS", "1")
        for url in (None, "postgresql://nobody@127.0.0.1:1/none"):
            assert read_history(bucket, url, WITHIN).price_decimals == 1
