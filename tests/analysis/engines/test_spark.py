"""Apache Spark over a lake, on two worker processes, beside DuckDB over the same table."""

import gc
import hashlib
import os
import re
import signal
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import sleep
from typing import Any

import polars as pl
import psutil
import pytest
from polars.testing import assert_frame_equal

import analysis
from analysis import AnalysisError, Range, RawEvents
from analysis.engines import spark
from analysis.engines.spark import SparkEvents, spark_session
from analysis.lake.compaction import compact
from analysis.lake.location import Location
from tests.support.hostile_history.transport import hostile_history, write
from tests.support.metric_calls import ALL, Call

# Nothing else uses Spark, and a file is a group for pytest-xdist: so there is one session.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.spark,
    # PySpark leaves the sockets of results to the garbage collector.
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"),
]

SEEDS = (1, 2, 3)
HOUR = timedelta(hours=1)
SESSION = {"spark_sql_shuffle_partitions": "2", "spark_default_parallelism": "2"}
# Enough to tell whether the right events are chosen.
SOME: Sequence[Call] = (("overview", {}), ("sessions", {}), ("events_over_time", {"grain": "hour"}), ("revenue", {}))


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a lake of three histories, as `compact` writes it."""
    directory = tmp_path_factory.mktemp("spark")
    for seed in SEEDS:
        write(directory / "bucket", hostile_history(seed))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PRICE_DECIMALS", "2")
        compact(directory / "bucket", Location(str(directory / "lake")))
    return directory / "lake"


@pytest.fixture(scope="module")
def session(lake: Path) -> Iterator[Any]:
    """Give a session on two worker processes. Without Java or the extra, this fails, and says how to install them."""
    with pytest.MonkeyPatch.context() as environment:
        # Quick to start, rather than quick after minutes.
        environment.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        session = spark_session(str(lake), "local-cluster[2,1,1024]", **SESSION)
    yield session
    session.stop()
    gc.collect()  # its sockets, before warnings are errors again


@pytest.fixture(scope="module")
def engine(session: Any) -> SparkEvents:
    """Give the engine over it."""
    return SparkEvents(session)


@pytest.fixture(scope="module")
def table(lake: Path) -> pl.DataFrame:
    """Give all rows of the lake's events, as pyiceberg reads them."""
    rows = Location(str(lake)).catalog().load_table("clickstream.events").scan().to_arrow()
    frame = pl.from_arrow(rows)
    assert isinstance(frame, pl.DataFrame)
    return frame


@pytest.fixture(scope="module")
def raw(table: pl.DataFrame) -> RawEvents:
    """Give DuckDB over the same rows."""
    return RawEvents(table, price_decimals=2)


@pytest.fixture(scope="module")
def whole(table: pl.DataFrame) -> Range:
    """Give the range of all events, from and to no round moment, in a zone whose hours are not those of UTC."""
    times = table["event_timestamp"]
    first, last = times.min(), times.max()
    assert isinstance(first, datetime)
    assert isinstance(last, datetime)
    return Range(first + HOUR / 7, last - HOUR / 60, zone="Asia/Kathmandu")


def workers() -> set[int]:
    """The ids of the session's worker processes that are alive."""
    found = set()
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.ZombieProcess, psutil.NoSuchProcess):
            if "CoarseGrainedExecutorBackend" in " ".join(child.cmdline()):
                found.add(child.pid)
    return found


class TestSparkEvents:
    @pytest.mark.parametrize(("name", "arguments"), ALL, ids=lambda value: str(value) if value else "")
    def test_every_metric_is_equal_to_that_of_duckdb(
        self, engine: SparkEvents, raw: RawEvents, whole: Range, name: str, arguments: Mapping[str, Any]
    ) -> None:
        """To the last digit, type and row, over three histories."""
        metric = getattr(analysis, name)
        found, expected = (metric(each, whole, **arguments) for each in (engine, raw))
        assert_frame_equal(found, expected, check_exact=True)
        assert not found.is_empty()

    @pytest.mark.parametrize(("name", "arguments"), SOME, ids=lambda value: str(value) if value else "")
    def test_other_ranges(
        self, engine: SparkEvents, raw: RawEvents, whole: Range, name: str, arguments: Mapping[str, Any]
    ) -> None:
        """Of a zone whose clocks change, and without events."""
        metric = getattr(analysis, name)
        nothing = Range(whole.end + 9 * HOUR, whole.end + 10 * HOUR, zone="UTC")
        for within in (Range(whole.start, whole.end, zone="America/New_York"), nothing):
            assert_frame_equal(metric(engine, within, **arguments), metric(raw, within, **arguments), check_exact=True)

    def test_a_login_state(self, engine: SparkEvents, raw: RawEvents, whole: Range) -> None:
        """Only its events count."""
        within = Range(whole.start, whole.end, "logged_in", whole.zone)
        found, expected = (analysis.overview(each, within) for each in (engine, raw))
        assert_frame_equal(found, expected, check_exact=True)

    def test_the_decimals_of_prices_are_those_of_the_table(self, engine: SparkEvents) -> None:
        """As compaction recorded them."""
        assert engine.price_decimals == 2

    def test_a_killed_worker_changes_no_answer(self, engine: SparkEvents, raw: RawEvents, whole: Range) -> None:
        """`kill -9` while the query runs: Spark starts another worker, and does the lost work again."""
        before = workers()
        assert len(before) == 2
        killed = min(before)
        status = engine._session.sparkContext.statusTracker()
        with ThreadPoolExecutor(1) as threads:
            answer = threads.submit(analysis.funnel, engine, whole)
            while not status.getActiveStageIds() and not answer.done():
                sleep(0.01)
            assert not answer.done()
            os.kill(killed, signal.SIGKILL)
            found = answer.result(timeout=200)
        assert_frame_equal(found, analysis.funnel(raw, whole), check_exact=True)
        assert found["visitors"].to_list()[-1] > 0
        assert killed not in workers()

    @pytest.mark.parametrize("text", ["it's", "back\\slash\\'", "new\nline", "%s $b :c ?", "ÄÖ🛒", '`"', "--", ""])
    def test_parameters_are_values(self, engine: SparkEvents, text: str) -> None:
        """Whatever they look like."""
        moment = datetime(2026, 11, 2, 9, 30, 0, 123_456, tzinfo=UTC)
        sql = "SELECT CAST($text AS TEXT) AS text, CAST($moment AS TIMESTAMPTZ) AS moment, $number AS number"
        frame = engine.query(sql, {"text": text, "moment": moment, "number": -7, "other": object()})
        assert frame.rows() == [(text, moment, -7)]

    def test_the_example_in_the_docs_runs(
        self, session: Any, lake: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """From top to bottom, over this lake and in this session."""
        page = (Path(__file__).parents[3] / "docs" / "scale.md").read_text()
        example = next(
            code for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "spark_session()" in code
        )
        monkeypatch.setenv("LAKE", str(lake))
        monkeypatch.setattr(type(session), "stop", lambda _session: None)
        exec(compile(example, "docs/scale.md", "exec"), {})  # noqa: S102  # our own page
        assert capsys.readouterr().out.count("shape: ") == 4

    def test_nothing_is_written(self, engine: SparkEvents, lake: Path, whole: Range) -> None:
        """Neither to the catalog, nor by a query."""
        catalog = lake / "catalog.db"
        before = hashlib.sha256(catalog.read_bytes()).digest()
        analysis.overview(engine, whole)
        with pytest.raises(AnalysisError, match="one query is needed, which begins with SELECT or WITH"):
            engine.query("DELETE FROM public.clickstream_events", {})
        assert hashlib.sha256(catalog.read_bytes()).digest() == before

    def test_a_query_that_fails_is_one_line(self, engine: SparkEvents) -> None:
        """Without Java's stack."""
        with pytest.raises(AnalysisError, match=r"Spark cannot run this query: .*colour") as caught:
            engine.query("SELECT colour FROM public.clickstream_events", {})
        assert "\n" not in str(caught.value)

    def test_tables_that_are_not_there_are_an_error(self, session: Any) -> None:
        """It says what to do."""
        with pytest.raises(AnalysisError, match=r"sees no tables in clickstream\.elsewhere: run"):
            SparkEvents(session, "clickstream.elsewhere").query("SELECT 1 FROM public.clickstream_events", {})

    def test_a_session_of_another_zone_is_refused(self, session: Any) -> None:
        """Its days would be others."""
        session.conf.set("spark.sql.session.timeZone", "Asia/Ho_Chi_Minh")
        try:
            with pytest.raises(AnalysisError, match=r"counts hours and days in Asia/Ho_Chi_Minh: run session\.conf"):
                SparkEvents(session)
        finally:
            session.conf.set("spark.sql.session.timeZone", "UTC")


class TestSparkSession:
    def test_a_lake_that_is_not_there_is_an_error(self, tmp_path: Path) -> None:
        """And is not made by looking for it."""
        with pytest.raises(AnalysisError, match=r"there is no lake in .*: make one with 'python -m analysis compact'"):
            spark_session(str(tmp_path / "lake"))
        assert not (tmp_path / "lake").exists()

    @pytest.mark.parametrize(
        ("missing", "line"),
        [
            ("find_spec", r"Apache Spark is not installed: run 'make spark' \(or install requirements-spark.txt\)"),
            (
                "which",
                "Spark needs Java, and Java's driver for SQLite: run 'apt-get install -y openjdk-17-jre-headless",
            ),
        ],
    )
    def test_what_is_not_installed_is_named(
        self, lake: Path, monkeypatch: pytest.MonkeyPatch, missing: str, line: str
    ) -> None:
        """With the command that installs it."""
        owner = spark.shutil if missing == "which" else spark  # type: ignore[attr-defined]
        monkeypatch.setattr(owner, missing, lambda _name: None)
        with pytest.raises(AnalysisError, match=line):
            spark_session(str(lake))
