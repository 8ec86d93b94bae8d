"""Keys that S3 has and few clients can spell, and objects that nobody may read."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from analysis import AnalysisError, Range, read_events, read_history, read_objects, validate
from analysis.checks.ledger import account, total
from analysis.checks.trace import follow
from analysis.commands.main import main
from analysis.raw.local import LocalSource
from analysis.raw.s3 import S3Source
from analysis.raw.source import open_source
from analysis.repair.backfill.run import Backfilled, backfill
from analysis.repair.erase.person import Person
from analysis.repair.erase.run import Place, erase, search
from analysis.repair.rejects import rejects, retry, stored
from chalicelib.flatten import flatten
from chalicelib.projection.projector import handle
from chalicelib.storage import RawStorage
from chalicelib.warehouse.client import Warehouse
from command_line.home import BUCKET
from emulator.triggers.notification import object_created
from tests.support.ordinary_user import ordinary_user
from tests.support.raw_objects import START, Objects
from tests.support.served_bucket import ServedBucket, served_bucket

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("no_environment")]

END = START + timedelta(hours=1)
SPAN = ("--start", "2026-11-25T09:00Z", "--end", "2026-11-25T10:00Z")
HOUR = "events/2026/11/25/09/"
ODD = [f"{HOUR}/event-x.json", f"{HOUR}./event-x.json", f"{HOUR}../event-x.json", f"{HOUR}a//b/../event%2F é+.json"]


@pytest.fixture(scope="module")
def server() -> Iterator[ServedBucket]:
    """Give one server for all of these tests."""
    with served_bucket() as bucket:
        yield bucket


@pytest.fixture
def objects() -> Objects:
    """Give an hour of a client's events, half of them under odd keys, and an odd key of an object that is no event."""
    objects = Objects()
    for key in ODD:
        objects.add()
        objects.bodies[key] = objects.bodies.pop(objects.add(clientId="odd", tabId=f"tab of {key}", seq=1))
    objects.bodies[f"{HOUR}/reject.json"] = b"[1]"
    return objects


@pytest.fixture
def bucket(server: ServedBucket, objects: Objects, aws_environment: Callable[..., None]) -> ServedBucket:
    """Give the bucket with these objects; the environment leads there."""
    aws_environment(**server.environment)
    server.fill(objects.bodies)
    return server


class TestOddKeys:
    def test_the_server_holds_them(self, bucket: ServedBucket, objects: Objects) -> None:
        """Neither it nor boto3 makes another key of one."""
        assert sorted(bucket.listed()) == sorted(objects.bodies)

    def test_every_object_is_read(self, bucket: ServedBucket, objects: Objects) -> None:
        """Once, under its own key, whatever the others are called."""
        assert dict(read_objects(bucket.source, START, END)) == objects.bodies
        events = read_events(bucket.source, START, END, fields=["key"])
        assert sorted(events.frame["key"]) == sorted(set(objects.bodies) - {f"{HOUR}/reject.json"})
        assert events.corrupt["key"].to_list() == [f"{HOUR}/reject.json"]

    def test_their_times_are_those_of_a_get(self, bucket: ServedBucket) -> None:
        """In whole seconds, aware, in UTC."""
        source = S3Source(BUCKET)
        list(source.folders([HOUR]))
        for key in ODD:
            expected = RawStorage(bucket.client).get(BUCKET, key).last_modified
            assert source.last_modified(key) == expected
            assert source.last_modified(key).tzinfo is UTC

    def test_every_hour_is_found_beside_them(self, bucket: ServedBucket) -> None:
        """A folder without a name is no hour, at any level."""
        for key in ("events//2026/11/25/08/a.json", "events/2026//11/25/08/a.json", "events/2026/11/25//08/a.json"):
            bucket.client.put_object(Bucket=BUCKET, Key=key, Body=b"{}")
        bucket.client.put_object(Bucket=BUCKET, Key="events/2026/11/24/23/a.json", Body=b"{}")
        assert S3Source(BUCKET).hours() == ["events/2026/11/24/23/", HOUR]

    def test_backfill_projects_what_the_projector_does(
        self, bucket: ServedBucket, warehouse_url: str, new_database: Callable[[], AbstractContextManager[str]]
    ) -> None:
        """By the keys that S3 puts into its events, which are encoded."""
        assert backfill(bucket.source, warehouse_url, [HOUR]) == Backfilled(1, 9, added=8, rejected=1)
        assert backfill(bucket.source, warehouse_url, [HOUR], dry_run=True) == Backfilled(1, 9, known=8, rejected=1)
        with new_database() as other_url:
            warehouse = Warehouse(other_url)
            for key in bucket.listed():
                handle(object_created(BUCKET, key, 1), RawStorage(bucket.client), warehouse)
            warehouse.close()
            assert _reject_keys(other_url) == _reject_keys(warehouse_url) == [f"{HOUR}/reject.json"]
            assert (
                validate(bucket.source, other_url, START, END)
                .as_frame()
                .equals(validate(bucket.source, warehouse_url, START, END).as_frame())
            )

    def test_rejects_are_shown_and_tried_again(self, bucket: ServedBucket, warehouse_url: str) -> None:
        """Also where the object is valid now."""
        key = f"{HOUR}/reject.json"
        backfill(bucket.source, warehouse_url, [HOUR])
        assert stored(bucket.source, key) == b"[1]"
        assert retry(warehouse_url, bucket.source, [key]).rejected == [key]
        bucket.client.put_object(Bucket=BUCKET, Key=key, Body=b"{}")
        assert retry(warehouse_url, bucket.source, [key]).recovered == [key]
        assert rejects(warehouse_url, bucket.source) == []

    def test_the_ledger_and_a_trace_count_them(self, bucket: ServedBucket) -> None:
        """A trace finds one by its key."""
        assert total(account(bucket.source, START, END))["received"] == 8
        for key in ODD:
            assert [each["key"] for each in follow(bucket.source, None, key, START, END).deliveries] == [key]

    def test_erase_finds_and_deletes_them(self, bucket: ServedBucket, warehouse_url: str) -> None:
        """As any other object of the person."""
        backfill(bucket.source, warehouse_url, [HOUR])
        place, person = Place(bucket.source, warehouse_url), Person(["odd"], [])
        found = search(place, person)
        assert sorted(each.key for each in found.own) == sorted(ODD)
        assert erase(place, person, found, mentions=False).own == []
        assert not set(ODD) & set(bucket.listed())

    def test_validation_and_a_history_include_them(self, bucket: ServedBucket, warehouse_url: str) -> None:
        """So does the report, which shows a history."""
        backfill(bucket.source, warehouse_url, [HOUR])
        report = validate(bucket.source, warehouse_url, START, END)
        assert report.hours.select("hour", "objects", "rows", "rejects").rows() == [(START, 9, 8, 1)]
        assert not [check for check in report.checks if check.name == "missing_rows" and check.findings]
        assert read_history(bucket.source, None, Range(START, END)).events.frame.height == 8


class TestDeniedObjects:
    @pytest.fixture
    def denied(self, bucket: ServedBucket, objects: Objects) -> list[str]:
        """Deny one object with an ordinary key and one with an odd key, and archive a third."""
        ordinary = [key for key in objects.bodies if key not in ODD and "reject" not in key]
        bucket.client.put_object(Bucket=BUCKET, Key=ordinary[2], Body=b"{}", StorageClass="GLACIER")
        bucket.deny([ordinary[1], ODD[0]])
        return [ordinary[1], ODD[0], ordinary[2]]

    def test_the_first_is_an_error_that_names_it(self, bucket: ServedBucket, objects: Objects) -> None:
        """Which is the default: figures without some events would look like all others."""
        key = next(iter(objects.bodies))
        bucket.deny([key])
        with pytest.raises(AnalysisError, match=rf"^cannot read s3://{BUCKET}/{key}: AccessDenied$"):
            read_events(bucket.source, START, END)
        with pytest.raises(AnalysisError, match=key):
            list(read_objects(bucket.source, START, END))

    def test_the_rest_is_read_on_request(self, bucket: ServedBucket, denied: list[str]) -> None:
        """The result names every key with S3's reason."""
        events = read_events(bucket.source, START, END, fields=["key"], on_error="report")
        reasons = dict(zip(denied, ["AccessDenied", "AccessDenied", "InvalidObjectState"], strict=True))
        assert events.unreadable.rows() == sorted(reasons.items())
        assert set(events.frame["key"]) == set(bucket.listed()) - set(denied) - {f"{HOUR}/reject.json"}

    def test_backfill_inserts_the_rest(self, bucket: ServedBucket, denied: list[str], warehouse_url: str) -> None:
        """It names each in its result, and the command ends with exit code 1."""
        arguments = ["backfill", "--source", bucket.source, "--dw", warehouse_url, *SPAN]
        result = CliRunner().invoke(main, [*arguments, "--json"])
        assert result.exit_code == 1
        done = json.loads(result.stdout)
        assert (done["added"], done["rejected"]) == (5, 1)
        assert sorted(each["key"] for each in done["unreadable"]) == sorted(denied)
        shown = CliRunner().invoke(main, arguments)
        assert shown.exit_code == 1
        assert f"not readable: {denied[0]}: AccessDenied" in shown.stdout

    def test_validation_names_each_and_goes_on(
        self, bucket: ServedBucket, denied: list[str], objects: Objects, warehouse_url: str
    ) -> None:
        """It does not call the row of such an object a row without an object. In other hours it finds them."""
        bucket.fill(objects.bodies)
        backfill(bucket.source, warehouse_url, [HOUR])
        warehouse = Warehouse(warehouse_url)
        warehouse.insert(flatten(b"{}", "events/2026/11/25/10/deleted.json", END))
        warehouse.close()
        bucket.deny(denied)
        report = validate(bucket.source, warehouse_url, START, END + timedelta(hours=1))
        found = {check.name: check.findings for check in report.checks if check.findings}
        assert [each["key"] for each in found.pop("unreadable_objects")] == sorted(denied)
        assert [each["event_timestamp"] for each in found["rows_without_object"]] == [END]
        assert "missing_rows" not in found
        assert not report.is_passed

    @pytest.mark.usefixtures("denied")
    def test_a_history_without_them_says_so(self, bucket: ServedBucket, tmp_path: Path) -> None:
        """So do the report's page and its output; by default there is no such history."""
        within = Range(START, END)
        with pytest.raises(AnalysisError, match="AccessDenied"):
            read_history(bucket.source, None, within)
        history = read_history(bucket.source, None, within, on_error="report")
        assert history.events.frame.height == 5
        assert "3 objects could not be read, so every figure lacks them" in repr(history)
        arguments = ["report", "--source", bucket.source, *SPAN, "--out", str(tmp_path / "report.html")]
        assert CliRunner().invoke(main, arguments).exit_code == 2
        result = CliRunner().invoke(main, [*arguments, "--on-error", "report"])
        assert result.exit_code == 0, result.output
        assert "3 objects could not be read" in result.stdout
        assert '"unreadable":3' in (tmp_path / "report.html").read_text()

    def test_erase_names_it_and_erases_nothing(
        self, bucket: ServedBucket, denied: list[str], warehouse_url: str
    ) -> None:
        """The object may be the person's."""
        before = bucket.listed()
        arguments = ["erase", "--client-id", "odd", "--source", bucket.source, "--dw", warehouse_url, "--yes"]
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 2
        assert any(key in result.stderr for key in denied), result.stderr
        assert bucket.listed() == before

    def test_wrong_credentials_are_no_denied_object(self, bucket: ServedBucket) -> None:
        """Nor is a missing bucket: nothing could be read, so nothing is reported."""
        bucket.fill({})
        with pytest.raises(AnalysisError, match=r"^cannot read s3://another-bucket: NoSuchBucket$"):
            read_events("s3://another-bucket", START, END, on_error="report")

    def test_another_word_is_an_error(self, bucket: ServedBucket) -> None:
        """Which says what to write."""
        with pytest.raises(AnalysisError, match="on_error is 'skip': write 'raise' or 'report'"):
            read_events(bucket.source, START, END, on_error="skip")  # type: ignore[arg-type]


class TestDeniedFiles:
    @pytest.fixture
    def directory(self, tmp_path: Path) -> Iterator[Path]:
        """Give a bucket's directory with three events, in two folders of one hour, and one in the next hour."""
        for name in (f"{HOUR}a.json", f"{HOUR}b.json", f"{HOUR}deep/c.json", "events/2026/11/25/10/d.json"):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b'{"eventTimestamp": "2026-11-25T09:30:00Z"}')
        yield tmp_path
        for folder, _, names in os.walk(tmp_path):
            for name in names:
                Path(folder, name).chmod(0o600)

    @pytest.fixture
    def denied(self, directory: Path) -> Iterator[Path]:
        """Deny one file and one folder of the first hour."""
        (directory / HOUR / "a.json").chmod(0)
        (directory / HOUR / "deep").chmod(0)
        with ordinary_user():
            yield directory
        (directory / HOUR / "deep").chmod(0o700)

    def test_the_first_is_an_error_that_names_it(self, denied: Path) -> None:
        """With its whole path."""
        with pytest.raises(AnalysisError, match=rf"^cannot list {denied}/{HOUR}deep/: Permission denied$"):
            read_events(denied, START, END)
        (denied / HOUR / "deep").chmod(0o700)
        with pytest.raises(AnalysisError, match=rf"^cannot read {denied}/{HOUR}a.json: Permission denied$"):
            read_events(denied, START, END)

    def test_the_rest_is_read_on_request(self, denied: Path) -> None:
        """A folder is named by its prefix."""
        events = read_events(denied, START, END + timedelta(hours=1), fields=["key"], on_error="report")
        assert sorted(events.frame["key"]) == [f"{HOUR}b.json", "events/2026/11/25/10/d.json"]
        reason = "Permission denied"
        assert events.unreadable.rows() == [(f"{HOUR}a.json", reason), (f"{HOUR}deep/", reason)]

    def test_an_unlistable_day_is_an_error_for_all_that_read_every_hour(
        self, directory: Path, warehouse_url: str
    ) -> None:
        """Never a bucket with fewer hours: a rebuild and an erasure would leave them out."""
        day = directory / "events/2026/11/25"
        day.chmod(0)
        place, person = Place(directory, warehouse_url), Person(["c"], [])
        with ordinary_user():
            for look in (LocalSource(directory).hours, lambda: search(place, person)):
                with pytest.raises(AnalysisError, match=rf"{day}/?: Permission denied"):
                    look()
        day.chmod(0o700)

    def test_a_home_that_may_not_be_opened_is_named(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Instead of `no events`."""
        home = directory / "home"
        (home / "s3" / BUCKET / "events").mkdir(parents=True)
        monkeypatch.setenv("CLICKSTREAM_HOME", str(home))
        for denied in (home, home / "s3", home / "s3" / BUCKET / "events"):
            denied.chmod(0)
            with ordinary_user():
                result = CliRunner().invoke(main, ["report"])
                from analysis import open_history

                with pytest.raises(AnalysisError, match=f"cannot (open|list) {home}.*: Permission denied"):
                    open_history()
            denied.chmod(0o700)
            assert result.exit_code in (0, 2)
            assert result.exit_code == 0 or "Permission denied" in result.stderr

    def test_a_folder_that_is_gone_by_now_is_left_out(self, directory: Path) -> None:
        """It was listed, and was then deleted."""
        source = open_source(directory)
        listed = [each for found in source.folders([HOUR]) for each in found]
        (directory / HOUR / "deep/c.json").unlink()
        (directory / HOUR / "deep").rmdir()
        assert sorted(key for key, _ in source.read(listed)) == [f"{HOUR}a.json", f"{HOUR}b.json"]


def _reject_keys(url: str) -> list[str]:
    return [reject.key for reject in rejects(url, f"s3://{BUCKET}")]
