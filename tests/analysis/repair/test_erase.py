import json
import os
import resource
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import conninfo

from analysis.checks.validation.run import validate
from analysis.commands.main import main
from analysis.errors import AnalysisError
from analysis.raw.source import open_source
from analysis.raw.tombstones import Tombstones, read_tombstones
from analysis.repair.backfill.run import backfill
from analysis.repair.connection import connected
from analysis.repair.erase.person import Erased, Person
from analysis.repair.erase.raw import Version, open_bucket
from analysis.repair.erase.run import Place, erase, erase_again, search, search_again
from analysis.repair.erase.vacuum import Vacuumed, vacuum
from analysis.repair.rejects import rejects, retry
from analysis.repair.upgrade import upgrade
from chalicelib.errors import ObjectGone, ProjectionFailed
from chalicelib.projection.projector import handle
from chalicelib.storage import RawObject
from chalicelib.warehouse.client import Warehouse
from chalicelib.warehouse.tables import IS_ERASED
from chalicelib.warehouse.tombstones import enforce
from command_line.home import BUCKET
from emulator.triggers.notification import object_created
from tests.support.ordinary_user import ordinary_user
from tests.support.raw_objects import START, Objects

HOURS = ["events/2026/11/25/09/", "events/2026/11/25/10/"]
ANNA = "6b0e2a4c-91fa-4d1e-8d6e-0a1b2c3d4e5f"
USER = "anna@shop.example"

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_environment")]


class Files:
    """The bucket's directory, as the projector's storage."""

    def get(self, bucket: str, key: str) -> RawObject:
        try:
            return RawObject((Path(bucket) / key).read_bytes(), START)
        except FileNotFoundError as error:
            raise ObjectGone(key) from error


@pytest.fixture
def objects() -> Objects:
    """Give events of two clients, some of whom are logged in, and objects that are not events."""
    objects = Objects()
    for number in range(6):
        objects.add(clientId=ANNA, userId=USER if number > 2 else None)
        objects.add(clientId="other", userId="ben", tabId="t2")
    objects.put(f'{{"clientId": "{ANNA}", ')
    objects.put("[1]")
    return objects


@pytest.fixture
def place(objects: Objects, tmp_path: Path, warehouse_url: str) -> Place:
    """Give a bucket of these, and the warehouse that knows them all."""
    bucket = objects.write(tmp_path / "shop-raw")
    backfill(bucket, warehouse_url, HOURS)
    return Place(bucket, warehouse_url)


def anna() -> Person:
    return Person([ANNA], [USER])


def erased(place: Place) -> None:
    person = anna()
    assert erase(place, person, search(place, person), mentions=False).is_nothing


def ask(place: Place, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(place.dw_url, autocommit=True) as connection:
        return connection.execute(query.encode(), parameters).fetchall()


def everything(place: Place) -> bytes:
    """Every byte of every object, and every row of every table."""
    files = (path.read_bytes() for path in Path(place.source).rglob("*") if path.is_file())
    tables = [name for (name,) in ask(place, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    rows = (str(ask(place, f"SELECT row::text FROM {table} AS row")).encode() for table in tables)
    return b"".join((*files, *rows))


def project(place: Place, key: str) -> str:
    """What the projector makes of an object."""
    warehouse = Warehouse(place.dw_url)
    try:
        (outcome,) = handle(object_created(str(place.source), key, 1), Files(), warehouse)
    finally:
        warehouse.close()
    return str(outcome["outcome"])


def add(place: Place, **members: Any) -> str:
    """One more object; its key."""
    objects = Objects()
    objects.add(received=4000, eventId="later", **members)
    objects.write(Path(place.source))
    (key,) = objects.bodies
    return key


class TestPerson:
    @pytest.mark.parametrize(
        ("body", "kind"),
        [
            ('{"clientId": "c-1"}', "own"),
            ('{"client_id": "c-1"}', "own"),
            ('{"clientId": "\\u0063-1"}', "own"),
            ('{"clientId": "other", "userId": "u/2"}', "own"),
            ('{"userId": "u\\/2"}', "own"),
            ('{"clientId": "c-10"}', "mention"),
            ('{"clientId": "x", "pageUrl": "/account/\\u0063-1"}', "mention"),
            ('{"clientId": "c-1", "clientId": "x"}', "mention"),
            ('{"a": {"c-1": [1]}}', "mention"),
            ('{"clientId": "c-2"}', None),
            ('{"clientId": "c-2", "text": "\\n"}', None),
            ('{"clientId": "c-1', "mention"),
            ('["c-1"]', "own"),
            ("c\\-1", None),
            ("", None),
        ],
    )
    def test_kind(self, body: str, kind: str | None) -> None:
        """By the contract's mapping; whatever else holds the id, escaped or not, mentions it."""
        assert Person(["c-1"], ["u/2"]).kind(body.encode()) == kind

    def test_numbers_are_ids_in_their_own_spelling(self) -> None:
        """As in the warehouse."""
        assert Person([], ["4711"]).kind(b'{"userId": 4711}') == "own"

    def test_other_ids_of_the_person_are_met(self) -> None:
        """Whoever erases should know of them."""
        person = Person([], [USER])
        person.kind(json.dumps({"userId": USER, "clientId": ANNA}).encode())
        assert person.others == {"client_id": {ANNA}, "user_id": set()}


class TestTombstones:
    @settings(max_examples=50, deadline=None)
    @given(ids=st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)))
    def test_the_warehouse_knows_the_same_hashes(
        self, ids: list[str], new_database: Callable[[], AbstractContextManager[str]]
    ) -> None:
        """HMAC-SHA256 in SQL, as in Python; and no other id is taken for one of them."""
        tombstones = Tombstones.new().and_also(("user_id", name) for name in ids)
        with _database(new_database) as connection:
            enforce(connection, tombstones.stones)
            for name in [*ids, "somebody else"]:
                query = f"SELECT {IS_ERASED}(%s, NULL), {IS_ERASED}(NULL, %s)"
                row = connection.execute(query.encode(), (name, name)).fetchone()
                assert row == (False, name in ids) == (False, tombstones.names({"user_id": name, "client_id": name}))
            connection.rollback()

    def test_nobody_is_named(self, place: Place) -> None:
        """Neither by the objects of the tombstones, nor by their tables."""
        erased(place)
        names = sorted(path.name for path in (Path(place.source) / "erasures").iterdir())
        assert len(names) == 3
        assert {len(name) for name in names if name != "key.json"} == {64 + len(".json")}
        assert USER.encode() not in everything(place)

    @pytest.mark.parametrize("change", [Path.unlink, lambda path: path.write_text("{}")])
    def test_a_lost_key_is_said(self, change: Callable[[Path], Any], place: Place) -> None:
        """Without it nobody who was erased would be known."""
        erased(place)
        change(Path(place.source) / "erasures" / "key.json")
        with pytest.raises(AnalysisError, match=r"erasures/key\.json is not the key"):
            read_tombstones(open_source(place.source))

    def test_an_empty_key_without_hashes_counts_as_none(self, place: Place) -> None:
        """Older versions left it behind when the disk was full. Every command works, and the key is replaced."""
        key = Path(place.source) / "erasures" / "key.json"
        key.parent.mkdir()
        key.touch()
        assert read_tombstones(open_source(place.source)) is None
        backfill(place.source, place.dw_url, HOURS)
        validate(place.source, place.dw_url, START, START + timedelta(hours=2))
        erased(place)
        assert key.stat().st_size > 0
        assert project(place, add(place, clientId=ANNA)) == "erased"

    def test_an_empty_key_with_hashes_is_said(self, place: Place) -> None:
        """The hashes were made with the key that is lost."""
        erased(place)
        key = Path(place.source) / "erasures" / "key.json"
        key.write_bytes(b"")
        with pytest.raises(AnalysisError, match=r"erasures/key\.json is not the key"):
            read_tombstones(open_source(place.source))

    @pytest.mark.parametrize("body", ["{}", '{"key": "00"}', "\xff", "\0" * 3], ids=ascii)
    def test_the_advice_for_a_damaged_key_without_hashes_works(self, body: str, place: Place) -> None:
        """Nobody was erased with it, so nothing is lost with it: after its deletion every command works."""
        key = Path(place.source) / "erasures" / "key.json"
        key.parent.mkdir()
        key.write_text(body)
        for command in (
            lambda: backfill(place.source, place.dw_url, HOURS),
            lambda: validate(place.source, place.dw_url, START, START + timedelta(hours=2)),
            lambda: erased(place),
        ):
            with pytest.raises(AnalysisError, match=r"key\.json is damaged, .* no tombstones .*: delete it"):
                command()
        assert key.read_text() == body
        key.unlink()
        backfill(place.source, place.dw_url, HOURS)
        validate(place.source, place.dw_url, START, START + timedelta(hours=2))
        erased(place)
        assert project(place, add(place, clientId=ANNA)) == "erased"

    @pytest.mark.parametrize("body", ["", "{}"])
    def test_the_advice_for_a_lost_key_works(self, body: str, place: Place) -> None:
        """Without a copy of it, all tombstones go, and the same people are erased again; nobody comes in meanwhile."""
        erased(place)
        tombstones = Path(place.source) / "erasures"
        (tombstones / "key.json").write_text(body)
        with pytest.raises(AnalysisError, match="delete everything below erasures/, and erase the same people again"):
            erased(place)
        shutil.rmtree(tombstones)
        key = add(place, clientId=ANNA)
        assert project(place, key) == "erased"
        erased(place)
        assert not (Path(place.source) / key).exists()
        assert project(place, add(place, clientId=ANNA)) == "erased"
        assert search_again(place).own[0].key == key

    def test_a_second_person_is_hashed_with_the_same_key(self, place: Place) -> None:
        """There is one key per bucket."""
        erased(place)
        ben = Person([], ["ben"])
        assert erase(place, ben, search(place, ben), mentions=False).is_nothing
        assert ask(place, "SELECT count(*) FROM clickstream_tombstones_keys") == [(1,)]
        assert ask(place, "SELECT count(*) FROM clickstream_events") == [(0,)]


def _database(new_database: Callable[[], AbstractContextManager[str]]) -> Any:
    """One database for all examples."""
    if "url" not in _SHARED:
        _SHARED["entered"] = new_database()
        _SHARED["url"] = _SHARED["entered"].__enter__()
    return connected(_SHARED["url"], make=True)


_SHARED: dict[str, Any] = {}


class TestErase:
    def test_a_look_changes_nothing(self, place: Place, objects: Objects) -> None:
        """It counts what there is."""
        before = everything(place)
        found = search(place, anna())
        assert (len(found.own), found.rows, found.rejects) == (7, 6, 1)
        assert (found.mentions, found.row_mentions, found.looked_at) == ([], 0, len(objects.bodies))
        assert everything(place) == before

    def test_no_trace_of_the_person_is_left(self, place: Place) -> None:
        """By byte search over all objects, and over all rows; everybody else's are as they were."""
        others = [path for path in Path(place.source).rglob("*.json") if ANNA not in path.read_text()]
        erased(place)
        left = everything(place)
        assert ANNA.encode() not in left
        assert USER.encode() not in left
        assert all(path.exists() for path in others)
        assert ask(place, "SELECT client_id, count(*) FROM clickstream_events GROUP BY 1") == [("other", 6)]
        assert [reject.reason[:22] for reject in rejects(place.dw_url, place.source)] == ["the body is an array: "]

    def test_a_rebuilt_warehouse_keeps_it_so(self, place: Place) -> None:
        """Although events have come since, and although all that the warehouse knew is gone."""
        erased(place)
        key = add(place, clientId=ANNA)
        _drop(place)
        done = backfill(place.source, place.dw_url, HOURS, rebuild=True)
        assert (done.added, done.erased, done.objects) == (6, 1, 8)
        assert ANNA not in str(ask(place, "SELECT row::text FROM clickstream_events AS row"))
        assert project(place, key) == "erased"

    def test_the_projector_keeps_them_out(self, place: Place) -> None:
        """By client or by user; others come in, and a known event is still told from an erased one."""
        erased(place)
        assert project(place, add(place, clientId=ANNA, userId=None)) == "erased"
        assert project(place, add(place, clientId="new", userId=USER)) == "erased"
        assert project(place, add(place, clientId="new", userId=None)) == "projected"
        assert project(place, add(place, clientId="new", userId=None)) == "already_known"

    def test_backfill_and_retry_keep_them_out(self, place: Place) -> None:
        """A dry run does not count them as lacking."""
        erased(place)
        key = add(place, clientId=ANNA)
        for dry_run in (True, False):
            done = backfill(place.source, place.dw_url, HOURS, dry_run=dry_run)
            assert (done.added, done.erased) == (0, 1)
        retry(place.dw_url, place.source, [key])
        assert ask(place, "SELECT count(*) FROM clickstream_events WHERE client_id = %s", ANNA) == [(0,)]

    def test_a_warehouse_made_anew_loses_what_came_before_its_tombstones(self, place: Place) -> None:
        """The projector may be quicker than the backfill that brings them back."""
        erased(place)
        _drop(place)
        assert project(place, add(place, clientId=ANNA)) == "projected"
        backfill(place.source, place.dw_url, HOURS)
        assert ask(place, "SELECT count(*) FROM clickstream_events WHERE client_id = %s", ANNA) == [(0,)]

    def test_a_row_on_its_way_in_is_not_overlooked(self, place: Place) -> None:
        """Erasure waits for it, and then deletes it."""
        late = psycopg.connect(place.dw_url)
        late.execute(
            "INSERT INTO clickstream_events (event_id, event_timestamp, event_name, client_id)"
            " VALUES (gen_random_uuid(), now(), 'click', %s)",
            (ANNA,),
        )
        done = threading.Thread(target=erased, args=(place,))
        done.start()
        while not ask(place, "SELECT FROM pg_locks WHERE NOT granted"):
            assert done.is_alive()
        late.commit()
        late.close()
        done.join()
        assert ask(place, "SELECT count(*) FROM clickstream_events WHERE client_id = %s", ANNA) == [(0,)]

    def test_what_only_mentions_an_id_is_named_and_kept(self, place: Place) -> None:
        """Unless that is asked for, too."""
        key = add(place, clientId="other", userId="ben", product={"urlPath": f"/share/{ANNA}"})
        project(place, key)
        person = anna()
        left = erase(place, person, search(place, person), mentions=False)
        assert ([each.key for each in left.mentions], left.row_mentions, left.own, left.rows) == ([key], 1, [], 0)
        assert erase(place, person, left, mentions=True).is_nothing
        assert ANNA.encode() not in everything(place)

    def test_what_comes_later_is_erased_again(self, place: Place) -> None:
        """Without knowing an id: their hashes are enough. Validation says that it is time."""
        with pytest.raises(AnalysisError, match="nobody was erased"):
            search_again(place)
        erased(place)
        assert search_again(place).is_nothing
        key = add(place, clientId=ANNA, userId=None)
        report = validate(place.source, place.dw_url, START, START + timedelta(hours=2))
        found = {check.name: check.findings for check in report.checks if check.findings}
        assert [each["key"] for each in found.pop("erased_people")] == [key]
        assert "missing_rows" not in found
        assert erase_again(place, search_again(place)).is_nothing
        assert not (Path(place.source) / key).exists()
        report = validate(place.source, place.dw_url, START, START + timedelta(hours=2))
        assert "erased_people" not in {check.name for check in report.checks if check.findings}

    def test_erasing_whom_nobody_knows_bars_them(self, place: Place) -> None:
        """Their events may still be on the way."""
        stranger = Person(["stranger"], [])
        assert erase(place, stranger, search(place, stranger), mentions=False).is_nothing
        assert project(place, add(place, clientId="stranger")) == "erased"

    def test_lost_tombstones_let_nobody_in(self, place: Place) -> None:
        """Not even others, until a backfill brings them back from raw; an upgrade says so."""
        erased(place)
        for table in ("clickstream_tombstones", "clickstream_tombstones_keys"):
            with psycopg.connect(place.dw_url, autocommit=True) as connection:
                connection.execute(f"DROP TABLE {table}")
            with pytest.raises(ProjectionFailed, match="does not exist"):
                project(place, add(place, clientId="new"))
            with pytest.raises(AnalysisError, match="refuses every row: 'python -m analysis backfill' brings"):
                upgrade(place.dw_url, dry_run=False)
            backfill(place.source, place.dw_url, HOURS)
            assert project(place, add(place, clientId=ANNA)) != "projected"

    def test_a_table_made_anew_is_guarded_again(self, place: Place) -> None:
        """With the table its trigger went, though the tombstones stayed."""
        erased(place)
        with psycopg.connect(place.dw_url, autocommit=True) as connection:
            connection.execute("DROP TABLE clickstream_events")
        backfill(place.source, place.dw_url, HOURS)
        assert project(place, add(place, clientId=ANNA)) == "erased"


def _drop(place: Place) -> None:
    """The whole warehouse is lost."""
    with psycopg.connect(place.dw_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")


class TestVacuum:
    """The bytes of deleted rows, in the files of the database."""

    @pytest.fixture
    def person(self, place: Place) -> Person:
        """Give a person of many rows, whose ids nobody has had before."""
        client, user = uuid4().hex, uuid4().hex
        objects = Objects()
        for _ in range(200):
            objects.add(received=60, clientId=client, userId=user, tabId="t3")
        objects.write(Path(place.source))
        backfill(place.source, place.dw_url, HOURS)
        self.run(place, "ANALYZE")
        return Person([client], [user])

    def run(self, place: Place, statement: str) -> None:
        with psycopg.connect(place.dw_url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def files(self, place: Place, person: Person) -> set[str]:
        """The folders of the server's files that hold an id of the person."""
        self.run(place, "CHECKPOINT")
        ((directory,),) = ask(place, "SHOW data_directory")
        names = [name.encode() for _, name in person.ids]
        return {
            path.relative_to(directory).parts[0]
            for path in Path(directory).rglob("*")
            if path.is_file() and any(name in path.read_bytes() for name in names)
        }

    def test_an_erasure_leaves_bytes_and_vacuum_removes_them(self, place: Place, person: Person) -> None:
        """From tables, indexes, statistics and WAL: every file of the local server is searched."""
        assert self.files(place, person) >= {"base", "pg_wal"}
        erase(place, person, search(place, person), mentions=False)
        assert "base" in self.files(place, person)
        assert vacuum(place.dw_url) == Vacuumed(0, with_wal=True)
        assert self.files(place, person) == set()

    def test_others_keep_their_rows(self, place: Place, person: Person) -> None:
        """Of the tables, only the files change."""
        erase(place, person, search(place, person), mentions=False)
        rows = "SELECT events::text FROM clickstream_events AS events ORDER BY 1"
        before = ask(place, rows)
        vacuum(place.dw_url)
        assert ask(place, rows) == before

    def test_no_statistics_name_the_person(self, place: Place, person: Person) -> None:
        """Not even without a vacuum: an analyst may read pg_stats."""
        count = "SELECT count(*) FROM pg_stats WHERE pg_stats::text LIKE %s"
        (client,) = person.client_ids
        assert ask(place, count, f"%{client}%") != [(0,)]
        erase(place, person, search(place, person), mentions=False)
        assert ask(place, count, f"%{client}%") == [(0,)]

    def test_rows_that_a_transaction_may_see_are_counted(self, place: Place, person: Person) -> None:
        """They stay in the files until it ends."""
        with psycopg.connect(place.dw_url) as reader:
            reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            reader.execute("SELECT 1")
            erase(place, person, search(place, person), mentions=False)
            assert vacuum(place.dw_url).still_visible >= 200
        assert vacuum(place.dw_url).still_visible == 0

    def test_a_table_in_use_is_said(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        """Instead of waiting for ever, with the projector behind it."""
        monkeypatch.setattr("analysis.repair.erase.vacuum.LOCK_TIMEOUT", "SET lock_timeout = '100ms'")
        with psycopg.connect(place.dw_url) as reader:
            reader.execute("SELECT FROM clickstream_events")
            with pytest.raises(AnalysisError, match=r"clickstream_events could not be vacuumed.*--again --vacuum"):
                vacuum(place.dw_url)

    def test_a_role_that_does_not_own_the_tables_is_refused(self, place: Place) -> None:
        """PostgreSQL itself only warns, and does nothing."""
        role = f"reader_{uuid4().hex}"
        with psycopg.connect(place.dw_url, autocommit=True) as owner:
            owner.execute(f"CREATE ROLE {role} LOGIN".encode())
            owner.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}".encode())
            with pytest.raises(AnalysisError, match="name the owner of the tables in --dw"):
                vacuum(conninfo.make_conninfo(place.dw_url, user=role))
            owner.execute(f"DROP OWNED BY {role}".encode())
            owner.execute(f"DROP ROLE {role}".encode())

    def test_an_owner_who_is_no_superuser_vacuums_the_tables(self, place: Place, person: Person) -> None:
        """As in a managed PostgreSQL; what it could not do is said."""
        role = f"owner_{uuid4().hex}"
        erase(place, person, search(place, person), mentions=False)
        with psycopg.connect(place.dw_url, autocommit=True) as superuser:
            superuser.execute(f"CREATE ROLE {role} LOGIN".encode())
            for table in ("clickstream_events", "clickstream_rejects"):
                superuser.execute(f"ALTER TABLE {table} OWNER TO {role}".encode())
            assert vacuum(conninfo.make_conninfo(place.dw_url, user=role)) == Vacuumed(0, with_wal=False)
            superuser.execute(f"REASSIGN OWNED BY {role} TO CURRENT_USER".encode())
            superuser.execute(f"DROP ROLE {role}".encode())


@contextmanager
def refused_writes() -> Iterator[None]:
    """Let the system refuse every write to a file, as a full disk does: the file is made, and stays empty."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


class TestFullDisk:
    """Tombstones are written whole or not at all."""

    def test_the_first_erasure_leaves_nothing_behind(self, place: Place) -> None:
        """No row is deleted, every command still works, and the same erasure succeeds once there is space."""
        before = everything(place)
        found = search(place, anna())
        with refused_writes(), pytest.raises(AnalysisError, match=r"erasures/key\.json: "):
            erase(place, anna(), found, mentions=False)
        assert list((Path(place.source) / "erasures").iterdir()) == []
        assert everything(place) == before
        backfill(place.source, place.dw_url, HOURS)
        validate(place.source, place.dw_url, START, START + timedelta(hours=2))
        erased(place)

    def test_a_later_erasure_keeps_the_tombstones_that_are_there(self, place: Place) -> None:
        """The second person gets no empty tombstone."""
        erased(place)
        before = everything(place)
        ben = Person([], ["ben"])
        found = search(place, ben)
        with refused_writes(), pytest.raises(AnalysisError, match=r"erasures/[0-9a-f]+\.json: "):
            erase(place, ben, found, mentions=False)
        assert everything(place) == before

    def test_of_many_who_erase_for_the_first_time_one_key_holds(self, tmp_path: Path) -> None:
        """An empty key from before is replaced once only."""
        (tmp_path / "erasures").mkdir()
        (tmp_path / "erasures" / "key.json").touch()
        bucket = open_bucket(tmp_path)

        def first(number: int) -> bytes:
            bucket.put({"erasures/key.json": str(number).encode() * 10_000})
            return (tmp_path / "erasures" / "key.json").read_bytes()

        with ThreadPoolExecutor(8) as pool:
            assert len(set(pool.map(first, range(40)))) == 1


class TestS3:
    """Versions, which only S3 itself keeps."""

    @pytest.fixture(params=["versions", "none"])
    def bucket(self, request: pytest.FixtureRequest, aws: Any, objects: Objects) -> Any:
        """Give a client of a bucket with, or without, earlier versions: one overwritten, one deleted."""
        self.has_versions = request.param != "none"
        if self.has_versions:
            aws.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        for key, body in objects.bodies.items():
            aws.put_object(Bucket=BUCKET, Key=key, Body=body)
        mine = [key for key, body in objects.bodies.items() if ANNA.encode() in body]
        aws.put_object(Bucket=BUCKET, Key=mine[0], Body=b"{}")
        aws.delete_object(Bucket=BUCKET, Key=mine[1])
        return aws

    @pytest.mark.usefixtures("bucket")
    def test_earlier_versions_are_found_and_deleted(self) -> None:
        """Of what was overwritten, and of what was deleted; those of others stay."""
        raw = open_bucket(f"s3://{BUCKET}")
        mine = [each for each, body in raw.read(raw.versions()) if ANNA.encode() in body]
        others = len(raw.versions()) - len(mine)
        assert len(mine) >= (7 if self.has_versions else 5)
        raw.delete(mine)
        assert [body for _, body in raw.read(raw.versions()) if ANNA.encode() in body] == []
        assert len(raw.versions()) == others
        assert list(raw.read(mine)) == []

    def test_nothing_that_is_there_is_overwritten(self, bucket: Any) -> None:
        """Of two who erase for the first time, one key holds."""
        raw = open_bucket(f"s3://{BUCKET}")
        for body in (b"first", b"second"):
            raw.put({"erasures/key.json": body})
        assert bucket.get_object(Bucket=BUCKET, Key="erasures/key.json")["Body"].read() == b"first"

    def test_an_empty_object_is_replaced(self, bucket: Any) -> None:
        """By one PUT, which fails if somebody else was faster."""
        bucket.put_object(Bucket=BUCKET, Key="erasures/key.json", Body=b"")
        raw = open_bucket(f"s3://{BUCKET}")
        for body in (b"first", b"second"):
            raw.put({"erasures/key.json": body})
        assert bucket.get_object(Bucket=BUCKET, Key="erasures/key.json")["Body"].read() == b"first"

    @pytest.mark.usefixtures("aws")
    def test_a_bucket_that_is_not_there_is_said(self) -> None:
        """In one line."""
        with pytest.raises(AnalysisError, match="s3://nowhere refuses: NoSuchBucket"):
            open_bucket("s3://nowhere")

    @pytest.mark.usefixtures("bucket")
    def test_a_refusal_to_delete_is_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """S3 says so in an answer that is no error."""
        raw = open_bucket(f"s3://{BUCKET}")
        refused = {"Errors": [{"Key": "k", "Code": "AccessDenied"}]}
        monkeypatch.setattr(raw._client, "delete_objects", lambda **_: refused)  # type: ignore[attr-defined]
        with pytest.raises(AnalysisError, match="k was not deleted: AccessDenied"):
            raw.delete([Version("k")])


class TestErased:
    def test_kind(self) -> None:
        """Own, by either column; what is no event is nobody's."""
        whose = Erased(Tombstones.new().and_also([("client_id", "c"), ("user_id", "7")]))
        bodies = (b'{"clientId": "c"}', b'{"userId": 7}', b'{"userId": "c"}', b"{}", b"[")
        assert [whose.kind(body) for body in bodies] == ["own", "own", None, None, None]


class TestCommand:
    def run(self, place: Place, *arguments: str, **options: Any) -> Result:
        where = ("--source", str(place.source), "--dw", place.dw_url)
        return CliRunner().invoke(main, ["erase", *arguments, *where], **options)

    def test_a_dry_run_shows_what_there_is(self, place: Place) -> None:
        """Exit code 1; also the other ids that should be named."""
        before = everything(place)
        done = self.run(place, "--user-id", USER, "--dry-run")
        assert done.exit_code == 1
        assert ANNA in done.stdout
        assert everything(place) == before

    def test_it_asks_first(self, place: Place) -> None:
        """And takes no for an answer; yes ends with what is left: nothing."""
        before = everything(place)
        assert self.run(place, "--client-id", ANNA, input="n\n").exit_code == 1
        assert everything(place) == before
        done = self.run(place, "--client-id", ANNA, input="y\n")
        assert (done.exit_code, "left" in done.stdout) == (0, True)
        assert ANNA.encode() not in everything(place)

    def test_as_json(self, place: Place) -> None:
        """For programs, which have to say yes beforehand."""
        assert self.run(place, "--client-id", ANNA, "--json").exit_code == 2
        done = self.run(place, "--client-id", ANNA, "--user-id", USER, "--yes", "--json")
        said = json.loads(done.stdout)
        assert (said["found"]["objects"], said["found"]["rows"], said["left"]["objects"]) == (7, 6, 0)

    def test_vacuum(self, place: Place) -> None:
        """After the erasure, or later by itself; nothing is vacuumed where nothing is erased."""
        assert self.run(place, "--user-id", USER, "--dry-run", "--vacuum").exit_code == 2
        done = self.run(place, "--client-id", ANNA, "--yes", "--vacuum", "--json")
        assert json.loads(done.stdout)["vacuumed"] == {"still_visible": 0, "with_wal": True}
        done = self.run(place, "--again", "--vacuum")
        assert (done.exit_code, "made a checkpoint" in done.stdout) == (0, True)

    @pytest.mark.parametrize(
        "name", ["--vacuum", "WAL", "backups", "postgres.log", "log_error_verbosity", "CloudWatch"]
    )
    def test_help_says_what_stays(self, name: str) -> None:
        """Each place that an erasure does not reach."""
        assert name in CliRunner().invoke(main, ["erase", "--help"]).stdout

    def test_files_whose_names_are_not_utf_8(self, place: Place) -> None:
        """They hold bytes of the person, though no object can have such a name: they are counted, shown and deleted."""
        bucket = os.fsencode(Path(place.source))
        hour, odd = bucket + b"/events/2026/11/25/09/", bucket + b"/events/odd-\xfe"
        Path(os.fsdecode(odd)).mkdir()
        files = {
            hour + b"event-\xff.json": f'{{"clientId": "{ANNA}"}}',
            odd + b"/event.json": f'{{"clientId": "{ANNA}", ',
            hour + b"later-\xff.json": f'{{"pageUrl": "/share/{ANNA}"}}',
        }
        for name, body in files.items():
            Path(os.fsdecode(name)).write_text(body)
        said = json.loads(self.run(place, "--client-id", ANNA, "--dry-run", "--json").stdout)
        assert said["found"]["objects"] == 9
        assert said["found"]["objects_that_mention"] == ["events/2026/11/25/09/later-\\xff.json"]
        done = self.run(place, "--client-id", ANNA, "--yes")
        assert (done.exit_code, done.exception.__class__) == (1, SystemExit)
        assert "mentions it: events/2026/11/25/09/later-\\xff.json" in done.stdout
        assert [Path(os.fsdecode(name)).exists() for name in files] == [False, False, True]
        assert self.run(place, "--client-id", ANNA, "--mentions", "--yes").exit_code == 0
        assert ANNA.encode() not in everything(place)

    def test_a_file_that_is_not_utf_8_and_may_not_be_read(self, place: Place) -> None:
        """It is named in one line, and nothing is erased."""
        path = Path(os.fsdecode(os.fsencode(Path(place.source)) + b"/events/2026/11/25/09/event-\xff.json"))
        path.write_text("{}")
        path.chmod(0)
        before = search(place, anna()) if os.geteuid() == 0 else None
        with ordinary_user():
            done = self.run(place, "--client-id", ANNA, "--yes")
        assert done.exit_code == 2
        assert done.stderr.splitlines()[-1].endswith("event-\\udcff.json: Permission denied")
        assert before is None or search(place, anna()) == before

    def test_again(self, place: Place) -> None:
        """Asks nothing where there is nothing."""
        erased(place)
        assert self.run(place, "--again").exit_code == 0
        add(place, clientId=ANNA)
        assert self.run(place, "--again", "--dry-run").exit_code == 1
        assert self.run(place, "--again", "--yes").exit_code == 0
        assert ANNA.encode() not in everything(place)

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            ((), "name --client-id or --user-id, or else --again"),
            (("--again", "--client-id", "c"), "which takes no id"),
            (("--again", "--mentions"), "no --mentions"),
            (("--client-id", ""), "it is empty"),
            (("--user-id", "\udcff"), "it is not UTF-8"),
        ],
    )
    def test_wrong_usage(self, arguments: tuple[str, ...], said: str, place: Place) -> None:
        """Exit code 2, in one line."""
        done = self.run(place, *arguments)
        assert done.exit_code == 2
        assert said in " ".join(done.stderr.split())
