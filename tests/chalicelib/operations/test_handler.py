from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import psycopg
import pytest

from chalicelib import log
from chalicelib.errors import (
    ClickstreamError,
    ObjectGone,
    OperationRefused,
    OtherPriceDecimals,
    SettingsError,
    StorageUnavailable,
    WarehouseUnavailable,
)
from chalicelib.operations.handler import OPERATIONS, handle
from chalicelib.settings import Settings
from chalicelib.storage import RawObject, RawStorage
from chalicelib.warehouse.schema import SCHEMA, Schema

AT = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
HOUR = "events/2026/11/25/09/"

Ask = Callable[..., dict[str, Any]]


class Storage(RawStorage):
    """One bucket in memory, two keys of which are listed at once."""

    def __init__(self, stored: dict[str, bytes]) -> None:
        super().__init__(client=object())
        self.stored = stored
        self.is_away = False

    def get(self, bucket: str, key: str) -> RawObject:
        assert bucket == "raw"
        if self.is_away:
            raise StorageUnavailable(f"S3 did not give {key}: SlowDown")
        if key not in self.stored:
            raise ObjectGone(key)
        return RawObject(self.stored[key], AT)

    def keys(self, bucket: str, prefix: str, after: str = "") -> Any:
        assert bucket == "raw"
        found = sorted(key for key in self.stored if key.startswith(prefix) and key > after)
        return (found[start : start + 2] for start in range(0, len(found), 2))


@pytest.fixture
def storage() -> Storage:
    """Give five events of one hour, the second of which is in raw twice."""
    ids = (1, 2, 2, 3, 4)
    return Storage({f"{HOUR}event-{place}.json": b'{"eventId": "e%d"}' % number for place, number in enumerate(ids)})


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """Give what the function logs."""
    output = StringIO()
    monkeypatch.setattr(log, "output", output)
    return output


@pytest.fixture
def ask(warehouse_url: str, storage: Storage, lines: StringIO) -> Ask:
    """Give a function that does one operation on a warehouse with its tables."""
    del lines
    with psycopg.connect(warehouse_url) as connection:
        SCHEMA.upgrade(connection)

    def ask(operation: str, left: float = 900.0, decimals: int = 0, **arguments: Any) -> dict[str, Any]:
        settings = Settings(raw_bucket="raw", dw_url=warehouse_url, price_decimals=decimals)
        return handle({"operation": operation, **arguments}, lambda: left, settings, storage)

    return ask


def backfill(ask: Ask, after: str = "", left: float = 900.0) -> dict[str, Any]:
    return ask("backfill", left, hours=[HOUR], after=after, dryRun=False, beyondHorizon=False)


class TestHandle:
    def test_an_operation_that_is_not_there_is_refused(self, ask: Ask) -> None:
        """By name, with the ones that are."""
        with pytest.raises(SettingsError, match="there is no operation 'drop': there are upgrade, prepare"):
            ask("drop")

    def test_a_warehouse_that_is_away_is_an_error_that_passes(self, storage: Storage) -> None:
        """The command tries again after such a one."""
        settings = Settings(dw_url="postgresql://nobody@127.0.0.1:1/nothing")
        with pytest.raises(WarehouseUnavailable, match="the warehouse failed"):
            handle({"operation": "upgrade"}, lambda: 900.0, settings, storage)

    def test_other_decimals_of_prices_are_not_mixed(self, ask: Ask) -> None:
        """Nor does anything else happen."""
        with pytest.raises(OtherPriceDecimals):
            ask("backfill", 900.0, 2, hours=[HOUR], after="", dryRun=False, beyondHorizon=False)

    def test_no_id_of_a_person_is_logged(self, ask: Ask, lines: StringIO) -> None:
        """Nor in an error."""
        stones = {"inner": "36" * 64, "outer": "5c" * 64, "hashes": ["ab" * 32]}
        ids = {"clientIds": ["anna-the-client"], "userIds": ["anna-the-user"]}
        ask("count", ids=ids, keys=[])
        ask("erase", ids=ids, keys=[], mentions=True, stones=stones)
        with pytest.raises(ClickstreamError) as caught:
            ask("erase", ids=ids, keys=[], mentions=True, stones=None)
        assert "anna" not in lines.getvalue() + str(caught.value)
        assert lines.getvalue().count('"operation": "erase"') == 1

    def test_every_operation_may_be_asked_by_name(self) -> None:
        """The commands ask for them."""
        assert {*OPERATIONS} == {
            "upgrade",
            "prepare",
            "backfill",
            "retry",
            "dismiss",
            "count",
            "erase",
            "plan_retain",
            "retain",
        }


class TestBackfill:
    def test_an_hour_is_inserted_as_a_whole(self, ask: Ask) -> None:
        """Each event once; a second time, all are known."""
        done = backfill(ask)
        assert (done["hours"], done["after"], done["objects"], done["added"], done["known"]) == (1, "", 5, 4, 1)
        assert backfill(ask)["added"] == 0

    def test_without_time_it_ends_within_the_hour(self, ask: Ask) -> None:
        """And says behind which key to go on; together, the parts are the hour."""
        parts: list[dict[str, Any]] = []
        after = ""
        while not parts or parts[-1]["hours"] == 0:
            parts.append(backfill(ask, after, left=1.0))
            after = parts[-1]["after"]
        assert [part["objects"] for part in parts] == [2, 2, 1, 0]
        assert sum(part["added"] for part in parts) == 4

    def test_if_raw_is_away_nothing_of_the_hour_is_inserted(
        self, ask: Ask, storage: Storage, warehouse_url: str
    ) -> None:
        """The command asks for this hour again."""
        storage.is_away = True
        with pytest.raises(StorageUnavailable, match="SlowDown"):
            backfill(ask)
        with psycopg.connect(warehouse_url) as connection:
            assert connection.execute("SELECT count(*) FROM clickstream_events").fetchone() == (0,)


class TestRetain:
    def test_only_what_was_planned_is_deleted(self, ask: Ask) -> None:
        """Whatever horizon an event names, the recorded one counts; and no other table."""
        backfill(ask)
        with pytest.raises(OperationRefused, match="were planned to be deleted"):
            ask("retain", table="public.clickstream_events", since="-infinity", horizon="2100-01-01")
        ask("plan_retain", days=1, moveBack=False, dryRun=False)
        with pytest.raises(OperationRefused, match="pg_class were planned"):
            ask("retain", table="pg_class", since="-infinity")
        assert ask("retain", table="public.clickstream_events", since="-infinity") == {"rows": 4, "since": None}


class TestUpgrade:
    def test_a_newer_warehouse_is_no_error(self, ask: Ask, warehouse_url: str) -> None:
        """The code was rolled back, and goes on."""
        newer = Schema(price_decimals=0)
        with psycopg.connect(warehouse_url) as connection:
            newer.upgrade(connection)
            connection.execute("INSERT INTO clickstream_versions (steps, columns) VALUES (99, 99)")
        assert ask("upgrade")["isNewer"] is True
