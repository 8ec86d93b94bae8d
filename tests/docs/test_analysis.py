"""The recipes of docs/analysis.md for reading raw directly hold on a bucket full of hostile objects."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import polars as pl
import pytest

from analysis import read_events

PAGE = (Path(__file__).parents[2] / "docs" / "analysis.md").read_text()
SECTION = PAGE.partition("\n## Read raw directly\n")[2].partition("\n## ")[0]
RECIPES = re.findall(r"^```python\n(.*?)^```", SECTION, re.DOTALL | re.MULTILINE)

HOUR = datetime(2026, 11, 24, 9, tzinfo=UTC)
BUCKET = Path(".clickstream/s3/clickstream-s3-ingest")
FOLDER = BUCKET / "events/2026/11/24/09"
INGEST = '"_ingest": {"receivedAt": "2026-11-24T09:30:00.123Z"}'
RECEIVED = datetime(2026, 11, 24, 9, 30, 0, 123_000, UTC)


class Names(NamedTuple):
    """The event name that each reader gives; None for an object that it leaves out."""

    duckdb: str | None
    polars: str | None
    read_events: str | None


def with_member(member: str, name: str = "view") -> bytes:
    """An event with one more member."""
    return f'{{"eventName": "{name}", {member}, {INGEST}}}'.encode()


ALL = Names("view", "view", "view")
NOBODY = Names(None, None, None)
GOOD = with_member('"product": {"price": 12.5}')
OBJECTS: dict[str, tuple[bytes, Names]] = {
    "good": (GOOD, ALL),
    "pretty": (json.dumps(json.loads(GOOD), indent=4).encode(), ALL),
    "windows": (GOOD.replace(b", ", b",\r\n"), ALL),
    "bom": (b"\xef\xbb\xbf" + GOOD, ALL),
    "space": (b" \t\r\n" + GOOD + b"\n\n", ALL),
    "twice": (with_member('"eventName": "second"', "first"), Names("first", "second", "second")),
    "twice_inside": (with_member('"product": {"id": "a", "id": "b"}'), ALL),
    "other_case": (with_member('"EVENTNAME": "other"'), ALL),
    "surrogate": (with_member(r'"pageUrl": "\ud800"'), Names(None, None, "view")),
    "surrogate_in_name": (rf'{{"eventName": "\ud800", {INGEST}}}'.encode(), Names(None, None, "\ufffd")),
    "nul": (with_member(r'"pageUrl": "\u0000"'), ALL),
    "infinite": (with_member('"product": {"price": 1e999}'), Names("view", None, "view")),
    "long_integer": (with_member(f'"seq": {"9" * 25}'), ALL),
    "longer_integer": (with_member(f'"seq": {"9" * 400}'), Names("view", None, "view")),
    "deep_100": (with_member(f'"x": {"[" * 99}{"]" * 99}'), ALL),
    "deep_101": (with_member(f'"x": {"[" * 100}{"]" * 100}'), Names("view", "view", None)),
    "deep_127": (with_member(f'"x": {"[" * 126}{"]" * 126}'), Names("view", "view", None)),
    "deep_128": (with_member(f'"x": {"[" * 127}{"]" * 127}'), Names("view", None, None)),
    "deep_100000": (with_member('"x": ' + '[{"y": ' * 50_000 + "1" + "}]" * 50_000), Names("view", None, None)),
    "nan": (with_member('"x": NaN'), Names("view", None, None)),
    "price_as_object": (with_member('"product": {"price": {"amount": 1}}'), ALL),
    "product_as_text": (with_member('"product": "[1]"'), ALL),
    "large": (with_member(f'"x": "{"a" * 3_000_000}"'), ALL),
    "empty": (b"", NOBODY),
    "only_space": (b" \n", NOBODY),
    "not_json": (b"<html>", NOBODY),
    "cut_off": (GOOD[:-1], NOBODY),
    "two": (GOOD + b"\n" + GOOD, NOBODY),
    "latin_1": (with_member('"x": "\xe9"').decode().encode("latin-1"), NOBODY),
    "utf_16": (GOOD.decode().encode("utf-16"), NOBODY),
    "array": (b"[" + GOOD + b"]", NOBODY),
    "text": (b'"{}"', NOBODY),
    "number": (b"5", NOBODY),
    "null": (b"null", NOBODY),
}


@pytest.fixture(autouse=True)
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write the objects where the page looks for them, and work there."""
    monkeypatch.chdir(tmp_path)
    FOLDER.mkdir(parents=True)
    for name, (body, _) in OBJECTS.items():
        (FOLDER / f"event-{name}.json").write_bytes(body)


def run() -> dict[str, Any]:
    """Run the recipes; gives what they define."""
    names: dict[str, Any] = {}
    for code in RECIPES:
        exec(compile(code, "docs/analysis.md", "exec"), names)  # noqa: S102  # our own page
    return names


def by_object(frame: pl.DataFrame, column: str = "event_name") -> dict[str, Any]:
    """A column by the object's name, as in OBJECTS."""
    name = pl.col("filename").str.extract(r"event-(.*)\.json$")
    return dict(frame.select(name, column).rows())


def expected(reader: str) -> dict[str, str]:
    """The event names that a reader gives, by object."""
    names = {name: getattr(found, reader) for name, (_, found) in OBJECTS.items()}
    return {name: found for name, found in names.items() if found is not None}


class TestRecipes:
    @pytest.mark.parametrize("reader", ["duckdb", "polars"])
    def test_each_reads_what_the_page_says(self, reader: str) -> None:
        """One row for each object that is one, and nothing fails."""
        assert len(RECIPES) == 2
        frame = run()[f"from_{reader}"]
        assert by_object(frame) == expected(reader)
        assert set(frame["received_at"]) == {RECEIVED}
        assert by_object(frame, "price")["good"] == 12.5
        assert by_object(frame, "price")["price_as_object"] is None
        assert by_object(frame, "price")["product_as_text"] is None

    def test_read_events_gives_what_the_page_says(self) -> None:
        """And every other object with its reason."""
        events = read_events(BUCKET, HOUR, HOUR + timedelta(hours=1), fields=["key"])
        frame = events.frame.rename({"key": "filename"})
        assert by_object(frame) == expected("read_events")
        assert by_object(frame, "context_product_price")["infinite"] is None
        assert len(events.corrupt) == len(OBJECTS) - len(frame)

    def test_infinite_prices_are_what_the_page_says(self) -> None:
        """In DuckDB."""
        assert by_object(run()["from_duckdb"], "price")["infinite"] == float("inf")

    def test_the_usual_readers_fail_or_count_something_else(self) -> None:
        """Or else the page would warn of nothing."""
        for name in OBJECTS.keys() - {"good", "twice", "pretty"}:
            (FOLDER / f"event-{name}.json").unlink()
        every = f"{FOLDER}/*.json"
        with pytest.raises(duckdb.Error, match=r"(?i)duplicate"):
            duckdb.execute(f"SELECT * FROM read_json('{every}')").fetchall()
        with pytest.raises(pl.exceptions.ComputeError):
            pl.scan_ndjson(every).collect()
        (FOLDER / "event-twice.json").unlink()
        assert pl.scan_ndjson(every).select(pl.len()).collect().item() > 2
