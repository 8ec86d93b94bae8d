import threading
from collections.abc import Sequence
from typing import Any

import pytest

from chalicelib.errors import CredentialsUnavailable, RowRefused, WarehouseUnavailable
from chalicelib.flatten import Row
from chalicelib.projection import batch as projection
from chalicelib.projection.batch import Named, project
from chalicelib.storage import RawObject
from command_line.home import BUCKET
from tests.support.queued import PREFIX, Memory

NAME = 2  # the place of an event's name in a row


class Refusing:
    """A warehouse that refuses rows by the names of their events, and is away from some statement on."""

    def __init__(self, *bad: str, away_after: int | None = None) -> None:
        self.statements: list[int] = []
        self.rows: list[Row] = []
        self.rejects = 0
        self._bad = bad
        self._away_after = away_after

    def insert_all(self, rows: Sequence[Row]) -> list[str]:
        self.statements.append(len(rows))
        if self._away_after is not None and len(self.statements) > self._away_after:
            raise WarehouseUnavailable("away")
        if any(row[NAME] in self._bad for row in rows):
            raise RowRefused("refused")
        self.rows += rows
        return ["projected"] * len(rows)

    def reject(self, bucket: str, key: str, reason: str) -> None:
        del bucket, key, reason
        self.rejects += 1
        if self._away_after is not None:
            raise WarehouseUnavailable("away")

    def upgrade(self, *, dry_run: bool) -> Any:
        raise NotImplementedError


def named(count: int, size: int = 1) -> list[Named]:
    return [Named(BUCKET, f"{PREFIX}{number}.json", size) for number in range(count)]


def bodies(count: int, **others: str) -> dict[str, str]:
    """Events by the names of their keys, each named as its number, but for some bodies."""
    found = {f"{number}": f'{{"eventName": "{number}"}}' for number in range(count)}
    return found | {name.removeprefix("n"): body for name, body in others.items()}


class TestProject:
    def test_one_refused_row_takes_few_statements(self) -> None:
        """Halves of halves: not one statement for each row."""
        warehouse = Refusing("700")
        outcomes, errors = project(named(1000), Memory(bodies(1000)), warehouse)
        assert [number for number, each in enumerate(outcomes) if each["outcome"] == "failed"] == [700]
        assert [str(error) for error in errors] == ["refused"]
        assert len(warehouse.rows) == 999
        assert len(warehouse.statements) <= 21

    def test_rows_keep_their_order(self) -> None:
        """Whatever is refused between them."""
        warehouse = Refusing("2", "5")
        project(named(8), Memory(bodies(8)), warehouse)
        assert [row[NAME] for row in warehouse.rows] == ["0", "1", "3", "4", "6", "7"]

    def test_a_warehouse_that_goes_away_meanwhile_is_not_asked_for_each_row(self) -> None:
        """Each further try could wait for a timeout."""
        warehouse = Refusing("0", away_after=3)
        outcomes, _ = project(named(64), Memory(bodies(64, n63="[]")), warehouse)
        assert {each["outcome"] for each in outcomes} == {"failed"}
        assert (len(warehouse.statements), warehouse.rejects) == (4, 1)

    def test_what_concerns_every_row_is_tried_once(self) -> None:
        """Such as credentials that cannot be read."""

        class Closed(Refusing):
            def insert_all(self, rows: Sequence[Row]) -> list[str]:
                self.statements.append(len(rows))
                raise CredentialsUnavailable("no secret")

        warehouse = Closed()
        outcomes, _ = project(named(20), Memory(bodies(20)), warehouse)
        assert {each["kind"] for each in outcomes} == {"CredentialsUnavailable"}
        assert warehouse.statements == [20]

    def test_a_thousand_objects_share_a_statement(self) -> None:
        """More become several."""
        warehouse = Refusing()
        project(named(1500), Memory(bodies(1500)), warehouse)
        assert warehouse.statements == [1000, 500]

    def test_large_objects_are_divided(self) -> None:
        """A thousand of a mebibyte would not fit into a function's memory; one that is too large goes alone."""
        warehouse = Refusing()
        sizes = [*named(70, 1024 * 1024), Named(BUCKET, f"{PREFIX}70.json", 64 * 1024 * 1024)]
        outcomes, _ = project([*sizes, *named(3)], Memory(bodies(71)), warehouse)
        assert warehouse.statements == [32, 32, 6, 1, 3]
        assert len(outcomes) == 74

    def test_nothing_is_nothing(self) -> None:
        """As of a batch that holds nothing but S3's test event."""
        assert project([], Memory({}), Refusing()) == ([], [])

    def test_objects_are_read_at_the_same_time(self) -> None:
        """Each waits until another is asked for."""
        pair = threading.Barrier(2, timeout=10)

        class Meeting(Memory):
            def get(self, bucket: str, key: str) -> RawObject:
                pair.wait()
                return super().get(bucket, key)

        outcomes, _ = project(named(8), Meeting(bodies(8)), Refusing())
        assert {each["outcome"] for each in outcomes} == {"projected"}

    def test_what_is_not_read_in_time_comes_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """So that a slow S3 does not cost the rows of what was read: the function ends before its timeout."""
        monkeypatch.setattr(projection, "READ_SECONDS", 0.2)
        asked = []

        class Slow(Memory):
            def get(self, bucket: str, key: str) -> RawObject:
                asked.append(key)
                threading.Event().wait(0.3)
                return super().get(bucket, key)

        warehouse = Refusing()
        outcomes, _ = project(named(40), Slow(bodies(40)), warehouse)
        assert len(warehouse.rows) == len(asked) == projection.READERS
        late = [each for each in outcomes if each["outcome"] == "failed"]
        assert len(late) == 40 - projection.READERS
        assert late[0]["error"].startswith("S3 is so slow that events/2026/11/24/09/")
