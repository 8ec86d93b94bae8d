import json
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from polars.testing import assert_frame_equal

from analysis import LakeWarning, Range, ValidationReport, read_events, validate
from analysis.commands.main import main as analysis_main
from analysis.lake.compaction import compact
from analysis.lake.files import Files
from analysis.lake.hours import Records
from analysis.lake.location import Location
from analysis.lake.tables import open_tables
from analysis.raw.local import LocalSource
from analysis.rows.oddities.evidence import ODDITIES
from chalicelib.envelope import iso_milliseconds
from chalicelib.keys import object_key
from emulator.commands.main import main as emulator_main
from tests.support.lake_bytes import lake_bytes
from tests.support.raw_objects import START, Objects

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_environment")]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CROWD, GOOGLEBOT = "203.0.113.77", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def run(main: Any, *arguments: str) -> None:
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output


def require_same(bucket: Path, place: Location, within: Range, dw_url: str | None = None) -> ValidationReport:
    """Give the report with the lake, whose findings and hours are those of raw alone, to the last key."""
    raw, lake = (
        validate(bucket, dw_url, within.start, within.end, within.zone, lake=which) for which in (False, place.root)
    )
    for of_raw, of_lake in zip(raw.checks, lake.checks, strict=True):
        assert of_raw == of_lake
    assert_frame_equal(raw.hours, lake.hours)
    assert raw.lake_hours == 0
    return lake


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys of all objects whose bodies are read from raw."""
    keys: list[str] = []
    original = LocalSource.read

    def reading(self: LocalSource, folders: Any) -> Any:
        for key, body in original(self, folders):
            keys.append(key)
            yield key, body

    monkeypatch.setattr(LocalSource, "read", reading)
    return keys


class TestSeeded:
    """A history of four days in which events are late, repeated, lost, misplaced and odd."""

    END = datetime(2026, 11, 20, tzinfo=UTC)
    WHOLE = Range(END - 4 * DAY, END, zone="UTC")
    # Neither bound is a whole hour.
    PART = Range(END - 4 * DAY + timedelta(hours=30.4), END - timedelta(hours=20.7), zone="Asia/Kathmandu")

    @pytest.fixture(params=["1", "2", "3"])
    def bucket(self, request: pytest.FixtureRequest, tmp_path: Path) -> Path:
        """Give the bucket, with what the seed does not plant: a crowd of one address, and odd members."""
        bucket = tmp_path / "shop-raw"
        given = ["--days", "4", "--shoppers", "300", "--end", "2026-11-20T00", "--seed", request.param]
        run(emulator_main, "seed", *given, "--out", str(bucket), "--answers", str(tmp_path / "answers.json"))
        for number in range(60):
            self.plant(bucket, number, f"crowd {number}", CROWD)
        return bucket

    def plant(self, bucket: Path, number: int, client: str, address: str, **members: Any) -> str:
        """Store an event of another publisher, in one of the hours of all days. Its key."""
        at = self.WHOLE.start + number % 95 * HOUR + timedelta(minutes=number % 60)
        name = f"{number:08x}-1111-4111-8111-111111111111"
        event = {
            "eventId": name,
            "eventName": "product_view" if number % 2 else "click",
            "eventTimestamp": at.timestamp() if number % 3 else iso_milliseconds(at),
            "clientId": client,
            "element": {"tag": "a"} if number % 4 else "a",
            "product": {"price": "12.995", "id": {}, f"größe {number % 5}": 1},
            "publisher": {"name": "other", "version": number % 2},
            **members,
            "_ingest": {"receivedAt": iso_milliseconds(at), "sourceIp": address, "userAgent": GOOGLEBOT},
        }
        key = object_key(at, name)  # type: ignore[arg-type]  # a UUID as text
        path = bucket / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(event))
        return key

    @pytest.mark.timeout(900)
    def test_findings_are_those_of_raw(self, bucket: Path, tmp_path: Path, warehouse_url: str) -> None:
        """With the last day not in the lake, with late objects, after an erasure, and over the lake alone."""
        place = Location(str(tmp_path / "lake"))
        compact(bucket, place, now=self.END - timedelta(hours=22))
        report = require_same(bucket, place, self.WHOLE)
        assert {"one_hit_clients", "lost_values", "unknown_fields", "rounded_prices", "bots"} <= {
            check.name for check in report.checks if check.findings
        }
        assert 24 < report.lake_hours < 96
        # Late ones, of which the first makes its hour, and the second day, one of raw again.
        for number in (60, 61, 62):
            self.plant(bucket, number, f"crowd {number}", CROWD, seq="x")
        require_same(bucket, place, self.WHOLE)
        run(analysis_main, "backfill", "--source", str(bucket), "--dw", warehouse_url)
        (client,) = read_events(bucket, *self.span, lake=False).frame["client_id"].drop_nulls().mode().sort().head(1)
        erase = ["erase", "--client-id", client, "--source", str(bucket), "--dw", warehouse_url, "--yes"]
        run(analysis_main, *erase, "--lake", place.root)
        require_same(bucket, place, self.WHOLE, warehouse_url)
        require_same(bucket, place, self.PART)
        self.plant(bucket, 63, client, "198.51.100.1")
        compact(bucket, place, now=self.END + DAY)
        report = require_same(bucket, place, self.WHOLE, warehouse_url)
        assert "erased_people" in {check.name for check in report.checks if check.findings}
        assert report.lake_hours > 60
        assert not {CROWD.encode(), b"198.51.100.1"} & {*lake_bytes(Path(place.root)).split(b'"')}
        require_same(bucket, place, self.PART)

    @property
    def span(self) -> tuple[datetime, datetime]:
        return self.WHOLE.start, self.WHOLE.end


class TestDescribed:
    """Six hours with ten events each, one of them with a member that the contract does not know."""

    WITHIN = Range(START, START + 6 * HOUR, zone="UTC")
    LATER = START + 3 * DAY

    @pytest.fixture
    def bucket(self, tmp_path: Path) -> Path:
        objects = Objects()
        for number in range(59):
            objects.add(received=number * 360.0)
        objects.add(received=59 * 360.0, color="red")
        return objects.write(tmp_path / "shop-raw")

    @pytest.fixture
    def place(self, bucket: Path, tmp_path: Path) -> Location:
        """Give the lake of the bucket."""
        place = Location(str(tmp_path / "lake"))
        compact(bucket, place, now=self.LATER)
        return place

    def from_raw(self, bucket: Path, place: Location, read: list[str]) -> int:
        """Give how many objects a validation reads from raw; its findings are those of raw in any case."""
        read.clear()
        validate(bucket, None, self.WITHIN.start, self.WITHIN.end, "UTC", lake=place.root)
        number = len(read)
        report = require_same(bucket, place, self.WITHIN)
        assert [check.name for check in report.checks if check.findings] == ["unknown_fields"]
        return number

    def test_nothing_is_read_from_raw_if_the_lake_has_its_evidence(
        self, bucket: Path, place: Location, read: list[str]
    ) -> None:
        """All hours come from the lake."""
        assert self.from_raw(bucket, place, read) == 0

    def test_only_objects_that_are_not_rows_are_read_from_raw(
        self, bucket: Path, place: Location, read: list[str]
    ) -> None:
        """Rejects and repeats, whose evidence is nowhere."""
        objects = Objects()
        objects.add(received=2.0, eventId="e")
        objects.add(received=HOUR.total_seconds(), eventId="e")
        objects.put("[1]")
        objects.bodies = {key.replace("event-", "event-a"): body for key, body in objects.bodies.items()}
        objects.write(bucket)
        compact(bucket, place, now=self.LATER)
        read.clear()
        validate(bucket, None, self.WITHIN.start, self.WITHIN.end, "UTC", lake=place.root)
        assert len(read) == 2
        require_same(bucket, place, self.WITHIN)

    @pytest.mark.parametrize("key", [b"", b"x" * 32, None])
    def test_hours_whose_evidence_was_made_by_another_key_come_from_raw(
        self, bucket: Path, place: Location, read: list[str], key: bytes | None
    ) -> None:
        """So do all hours if the key is damaged or gone, until they are compacted again."""
        path = Path(place.root, "hours", "address.key")
        path.unlink() if key is None else path.write_bytes(key)
        assert self.from_raw(bucket, place, read) == 60
        compact(bucket, place, (START, START + 2 * HOUR), now=self.LATER)
        assert self.from_raw(bucket, place, read) == 40

    def test_hours_without_evidence_come_from_raw(self, bucket: Path, place: Location, read: list[str]) -> None:
        """Such as hours that another version of this code has compacted, with other rules."""
        records = Records(place.store)
        hour = START + HOUR
        content = json.loads(Path(place.root, "hours", "2026-11-25.json").read_text())
        content[f"{hour:%Y-%m-%dT%H}"]["evidence"] = None
        place.store.put("hours/2026-11-25.json", json.dumps(content).encode())
        assert records.hours[hour] != Records(place.store).hours[hour]
        assert self.from_raw(bucket, place, read) == 10

    def test_a_damaged_file_is_named_and_raw_is_read(self, bucket: Path, place: Location, read: list[str]) -> None:
        """As for all readers."""
        (file,) = Path(place.root).rglob("events/data/**/*.parquet")
        file.write_bytes(file.read_bytes()[:1000])
        with pytest.warns(LakeWarning, match="damaged"):
            assert self.from_raw(bucket, place, read) == 60

    @pytest.mark.parametrize("text", ["red", "[]", '{"other": []}'])
    def test_evidence_that_another_program_wrote_is_not_used(
        self, bucket: Path, place: Location, read: list[str], text: str
    ) -> None:
        """Raw is read instead."""
        files = Files(open_tables(place).events, "event_id", "event_timestamp")
        rows = files.read(files.tasks).with_columns(pl.lit(text).alias(ODDITIES))
        files.replace(files.tasks, files.write(rows, START.date()))
        assert self.from_raw(bucket, place, read) == 60

    def test_an_object_that_changed_in_place_is_not_read(self, bucket: Path, place: Location) -> None:
        """Nobody changes objects of raw: what the lake has of an hour is the truth while its objects are the same."""
        before = validate(bucket, None, self.WITHIN.start, self.WITHIN.end, "UTC", lake=place.root)
        for path in bucket.rglob("*.json"):
            path.write_text("{}")
        after = validate(bucket, None, self.WITHIN.start, self.WITHIN.end, "UTC", lake=place.root)
        assert before.checks == after.checks

    def test_it_warns_of_nothing(self, bucket: Path, place: Location) -> None:
        """And says how many hours the lake gave."""
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            report = validate(bucket, None, self.WITHIN.start, self.WITHIN.end, "UTC", lake=place.root)
        assert report.lake_hours == 6
