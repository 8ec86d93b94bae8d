"""What the reconciler finds in an hour, and how little it reads for that."""

import json
import random
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from chalicelib.projection.reconciler import compare
from command_line.home import BUCKET
from tests.support.reconciling import NOON, Reconciling

pytestmark = pytest.mark.slow

HOUR = timedelta(hours=1)


class TestCounts:
    def test_an_hour_with_all_its_rows_is_complete_without_reading(self, bench: Reconciling) -> None:
        """Objects, rows and rejects are counted. Only the reject is read: it may have become an event."""
        bench.project(*[bench.put() for _ in range(3)])
        reject = bench.put(body=b"[]")
        bench.project(reject)
        assert bench.run().missing == 0
        assert list(bench.storage.gets) == [reject]
        assert bench.hour() == {
            "objects": 4, "rows": 3, "rejects": 1, "repeats": 0, "erased": 0, "before_horizon": 0, "complete": True,
        }  # fmt: skip

    def test_an_object_without_a_row_is_projected(self, bench: Reconciling) -> None:
        """The metric counts it, and is 0 in the next run, which reads nothing."""
        bench.project(*[bench.put() for _ in range(3)])
        bench.put()
        bench.wait(minutes=11)
        done = bench.run()
        assert (done.missing, done.projected, bench.rows) == (1, 1, 4)
        assert bench.hour()["complete"]
        bench.wait(minutes=5)
        assert bench.run().missing == 0
        assert bench.storage.gets.total() == 0

    def test_an_object_of_the_last_ten_minutes_is_left_to_the_projector(self, bench: Reconciling) -> None:
        """Lambda may still be trying. Its hour is not complete."""
        bench.put()
        bench.wait(minutes=9)
        assert (bench.run().missing, bench.rows, bench.hour()["complete"]) == (0, 0, False)
        bench.wait(minutes=2)
        assert (bench.run().missing, bench.rows, bench.hour()["complete"]) == (1, 1, True)

    def test_only_the_newest_objects_are_read_while_some_are_on_their_way(
        self, bench: Reconciling, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As many as the counts say have no row yet, not the whole hour."""
        monkeypatch.setattr(compare, "CHUNK", 10)
        old = [bench.put(NOON + timedelta(seconds=number)) for number in range(300)]
        bench.project(*old)
        bench.wait(minutes=1)
        new = [bench.put() for _ in range(5)]
        bench.run()
        assert bench.storage.gets.keys() >= set(new)
        assert bench.storage.gets.total() == 10

    def test_a_backlog_that_the_projector_is_still_at_is_not_read(self, bench: Reconciling) -> None:
        """It may be long: reading it would tell nothing, and take time from what is really missing."""
        bench.put()
        bench.wait(minutes=10)
        for _ in range(30):
            bench.put()
        bench.wait(minutes=1)
        assert (bench.run().projected, bench.hour()["complete"]) == (1, False)
        assert bench.storage.gets.total() <= 31
        bench.run()
        assert bench.storage.gets.total() == 0


class TestExceptions:
    def test_a_repeated_event_is_counted_once_and_not_read_again(self, bench: Reconciling) -> None:
        """Its first object gave the row; an identical copy is a repeat, too."""
        event_id = uuid4()
        first = bench.put(event_id=event_id)
        bench.project(first)
        bench.wait(seconds=2)
        bench.put(event_id=event_id)
        bench.storage.put(BUCKET, first.replace("event-", "event-copy-"), bench.storage.bodies[first].body)
        bench.wait(minutes=11)
        assert bench.run().missing == 0
        assert (bench.hour()["rows"], bench.hour()["repeats"], bench.hour()["complete"]) == (1, 2, True)
        bench.project(bench.put())
        bench.run()
        assert bench.storage.gets.total() == 0

    def test_two_missing_objects_of_one_event_are_one_row(self, bench: Reconciling) -> None:
        """Of the first one."""
        event_id = uuid4()
        bench.put(event_id=event_id)
        bench.wait(seconds=2)
        bench.put(event_id=event_id)
        bench.wait(minutes=11)
        done = bench.run()
        assert (done.missing, done.projected) == (2, 1)
        assert (bench.hour()["rows"], bench.hour()["repeats"], bench.hour()["complete"]) == (1, 1, True)

    def test_a_new_reject_is_recorded(self, bench: Reconciling) -> None:
        """By the projector's own code, with its reason."""
        bench.put(body=b"[]")
        bench.wait(minutes=11)
        assert bench.run().missing == 1
        assert bench.ask("SELECT count(*) FROM clickstream_rejects") == [(1,)]
        assert (bench.hour()["rejects"], bench.hour()["complete"]) == (1, True)
        bench.wait(minutes=5)
        assert bench.run().missing == 0

    def test_an_event_of_an_erased_person_is_counted(self, bench: Reconciling) -> None:
        """It gets no row, and is asked about once."""
        bench.project(bench.put())
        bench.change("CREATE FUNCTION keep_out() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
        bench.change(
            "CREATE TRIGGER keep_out_erased BEFORE INSERT ON clickstream_events "
            "FOR EACH ROW EXECUTE FUNCTION keep_out()"
        )
        bench.put(clientId="erased")
        bench.wait(minutes=11)
        bench.run()
        assert (bench.rows, bench.hour()["erased"], bench.hour()["complete"]) == (1, 1, True)
        bench.project(bench.put(clientId="erased"))
        bench.wait(minutes=11)
        bench.run()
        assert (bench.rows, bench.hour()["erased"], bench.hour()["complete"]) == (1, 2, True)

    def test_an_object_put_by_hand_into_another_hour_hides_nothing(self, bench: Reconciling) -> None:
        """Its row fills a gap in the count of its own hour, until it is found in the hour in which it lies."""
        bench.project(bench.put(NOON), bench.put(NOON, hour=NOON - HOUR))
        bench.put(NOON)
        bench.wait(minutes=11)
        bench.run()
        bench.wait(minutes=5)
        bench.run()
        assert bench.rows == 3
        assert (bench.hour()["objects"], bench.hour()["rows"], bench.hour()["complete"]) == (2, 2, True)
        assert (bench.hour(NOON - HOUR)["rows"], bench.hour(NOON - HOUR)["complete"]) == (1, True)
        bench.wait(minutes=5)
        assert bench.run().missing == 0
        assert bench.storage.gets.total() == 0

    def test_a_deleted_object_hides_nothing(self, bench: Reconciling) -> None:
        """The row that stays behind is no longer counted for another object."""
        keys = [bench.put() for _ in range(3)]
        bench.project(*keys)
        bench.wait(minutes=5)
        assert bench.run().missing == 0
        del bench.storage.bodies[keys[0]]
        bench.put()
        bench.wait(minutes=11)
        assert (bench.run().missing, bench.rows) == (1, 4)
        assert (bench.hour()["objects"], bench.hour()["rows"], bench.hour()["complete"]) == (3, 3, True)

    def test_a_reject_that_is_an_event_now_hides_nothing(self, bench: Reconciling) -> None:
        """It was overwritten and projected, and is still in the list of rejects."""
        key = bench.put(body=b"[]")
        bench.project(key)
        bench.storage.put(BUCKET, key, json.dumps({"eventId": str(uuid4())}).encode())
        bench.project(key)
        bench.put()
        bench.wait(minutes=11)
        assert (bench.run().missing, bench.rows) == (1, 2)

    def test_rows_before_the_horizon_are_not_brought_back(self, bench: Reconciling) -> None:
        """Neither those of whole hours nor of an object in a later hour."""
        bench.project(bench.put())
        bench.change("INSERT INTO clickstream_settings VALUES ('horizon', '2026-11-30')")
        bench.put(NOON - timedelta(hours=20))
        bench.put(NOON - timedelta(hours=20), hour=NOON)
        bench.wait(minutes=11)
        assert (bench.run().missing, bench.rows) == (0, 1)
        assert (bench.hour()["before_horizon"], bench.hour()["complete"]) == (1, True)
        assert bench.ask("SELECT count(*) FROM clickstream_hours") == [(1,)]


class TestTrouble:
    def test_a_row_that_the_warehouse_refuses_is_tried_again_alone(self, bench: Reconciling) -> None:
        """The metric says so until it is a row. The other objects are not read again."""
        bench.project(*[bench.put() for _ in range(20)])
        bench.change("ALTER TABLE clickstream_events ADD CHECK (event_name <> 'refused')")
        bench.put(eventName="refused")
        for minutes in (11, 5, 5):
            bench.wait(minutes=minutes)
            assert bench.run().missing == 1
            assert not bench.hour()["complete"]
        assert bench.storage.gets.total() == 1
        bench.change("ALTER TABLE clickstream_events DROP CONSTRAINT clickstream_events_event_name_check")
        bench.wait(minutes=5)
        assert (bench.run().projected, bench.rows) == (1, 21)
        bench.wait(minutes=5)
        assert bench.run().missing == 0

    def test_a_refused_row_is_tried_again_while_other_events_come(self, bench: Reconciling) -> None:
        """New events are on their way in each run, and do not hide the old one."""
        bench.upgrade()
        bench.change("ALTER TABLE clickstream_events ADD CHECK (event_name <> 'refused')")
        bench.put(eventName="refused")
        bench.wait(minutes=10)
        for _ in range(3):
            bench.wait(minutes=1)
            bench.put()
            assert bench.run().missing == 1

    def test_an_object_that_may_not_be_read_keeps_no_other_from_its_row(self, bench: Reconciling) -> None:
        """The metric counts it until somebody has given the right to read it."""
        bench.put()
        denied = bench.put()
        bench.storage.denied.add(denied)
        bench.wait(minutes=11)
        done = bench.run()
        assert (done.missing, done.projected, bench.hour()["complete"]) == (2, 1, False)
        bench.wait(minutes=5)
        assert bench.run().missing == 1
        assert list(bench.storage.gets) == [denied]
        bench.storage.denied.clear()
        bench.wait(minutes=5)
        assert (bench.run().projected, bench.hour()["complete"]) == (1, True)

    def test_a_warehouse_that_was_restored_is_filled_again(self, bench: Reconciling) -> None:
        """It does not know what the memory knows, so the memory does not count."""
        bench.project(*[bench.put() for _ in range(3)])
        bench.wait(minutes=11)
        bench.run()
        bench.change("TRUNCATE clickstream_events, clickstream_hours")
        bench.wait(minutes=40)
        assert bench.run().missing == 0  # nothing is new, so it is not asked
        bench.project(bench.put())
        bench.wait(minutes=5)
        assert (bench.run().missing, bench.rows) == (3, 4)

    @pytest.mark.parametrize("is_backlog", [True, False])
    def test_a_run_without_time_is_continued(
        self,
        *,
        is_backlog: bool,
        bench: Reconciling,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Each run goes on where the one before it ended."""
        monkeypatch.setattr(compare, "CHUNK", 10)
        keys = []
        for number in range(60):
            keys.append(bench.put(NOON + timedelta(seconds=number)))
            bench.wait(seconds=1)
        if not is_backlog:  # rows without objects: each object has to be read
            bench.project(*keys, gone := bench.put(NOON))
            del bench.storage.bodies[gone]
            bench.change(f"DELETE FROM clickstream_events WHERE event_id IN ({_ids(bench, keys[50:])})")
        bench.wait(minutes=11)
        reads = []
        for _ in range(6):
            turns = iter([True, True, True, True])
            bench.has_time = lambda turns=turns: next(turns, False)  # type: ignore[misc]
            bench.run()
            reads.append(bench.storage.gets.total())
            bench.wait(minutes=5)
        bench.has_time = lambda: True
        bench.run()
        assert bench.rows == (60 if is_backlog else 61)
        assert (bench.hour()["rows"], bench.hour()["complete"]) == (60, True)
        assert sum(reads) <= (60 if is_backlog else 90)


def _ids(bench: Reconciling, keys: list[str]) -> str:
    return ", ".join(f"'{json.loads(bench.storage.bodies[key].body)['eventId']}'" for key in keys)


class TestAnything:
    @pytest.mark.parametrize("seed", range(6))
    def test_whatever_happens_every_event_becomes_a_row(self, seed: int, bench: Reconciling) -> None:
        """Events with and without a row, repeats, rejects, strays and deletions, in any order, over three hours."""
        choose = random.Random(seed)  # a test's own
        ids: list[UUID] = [uuid4()]
        for _ in range(12):
            for _ in range(choose.randrange(8)):
                bench.wait(seconds=choose.randrange(200))
                at = NOON + timedelta(minutes=choose.randrange(-120, 30))
                ids.append(uuid4())
                keys = [bench.put(at, event_id=ids[-1])]
                match choose.randrange(8):
                    case 0:
                        keys.append(bench.put(at, event_id=choose.choice(ids)))
                    case 1:
                        keys.append(bench.put(at, body=b"no event"))
                    case 2:
                        keys.append(bench.put(at, hour=NOON - choose.randrange(3) * HOUR))
                    case 3 if older := [key for key in bench.storage.bodies if key.startswith("events/")][:-9]:
                        del bench.storage.bodies[choose.choice(older)]
                bench.project(*[key for key in keys if choose.random() < 0.7])
            bench.wait(minutes=choose.randrange(12))
            bench.run()
        bench.wait(minutes=11)
        for _ in range(3):
            bench.run()
            bench.wait(minutes=61)
        events = {key: raw for key, raw in bench.storage.bodies.items() if key.startswith("events/")}
        wanted = {json.loads(raw.body)["eventId"] for raw in events.values() if raw.body != b"no event"}
        assert wanted <= {str(event_id) for (event_id,) in bench.ask("SELECT event_id FROM clickstream_events")}
        assert bench.ask("SELECT count(*) FROM clickstream_hours WHERE NOT complete") == [(0,)]
        assert bench.ask("SELECT sum(objects)::int FROM clickstream_hours") == [(len(events),)]
        said = bench.ask("SELECT sum(rows + rejects + repeats + erased + before_horizon)::int FROM clickstream_hours")
        assert said == [(len(events),)]
        assert bench.run().missing == 0
        assert bench.storage.gets.total() == 0
