import json
import os
import subprocess
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import wraps
from itertools import count
from pathlib import Path
from typing import Any

import click
import psycopg
import pytest
from click.testing import CliRunner
from rich.console import Console

import app as clickstream_app
from analysis import LakeEvents
from analysis.dashboard.pages import PAGES
from analysis.lake.hours import Records
from benchmarks import backfill, batches, cold_start, dashboard, ingest, pipeline, reader, time_index
from benchmarks.__main__ import BENCHMARKS, Benchmark, main
from benchmarks.comparison import Comparison, take_turns
from benchmarks.figures import PER_SECOND, Case, Figures, waits
from benchmarks.lake import growth, reading, writing
from benchmarks.lake.child import command, in_child
from benchmarks.lake.history import END, History, seeded
from benchmarks.table import as_json, as_table
from benchmarks.targets import Line, Targets
from chalicelib import log
from chalicelib.contract import EVENT_NAMES
from chalicelib.warehouse.client import Warehouse

# Exact in binary, so that no ratio is rounded.
MISSED = Comparison("a", "a: title", "ours", "theirs", 1.5, ((2.0, 1.0), (6.0, 2.0), (4.0, 1.0)))
MET = Comparison("b", "b: title", "ours", "theirs", 1.5, ((3e-6, 2e-6),))

SLOW = Case("300 events/s", {"p50": 0.5, "p95": 2.0, "max": 3.0}, {"p95": 1.0})
QUICK = Case("10 events/s", {"p50": 0.1, "p95": 0.2, "max": 0.3}, {"p95": 1.0})
FIGURES = Figures("c", "c: title", (QUICK, SLOW))

METADATA = {"receivedAt", "sourceIp", "userAgent", "method", "path", "requestId", "apiId", "stage", "traceId"}


def always(result: Comparison) -> Callable[[Iterable[object]], Comparison]:
    """Give a benchmark that measures nothing and goes through its rounds."""

    def measure(rounds: Iterable[object]) -> Comparison:
        list(rounds)
        return result

    return measure


class Clock:
    """A clock that stands still, but while a piece of work is done that takes as long as the test says."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def taking(self, seconds: float, work: Callable[..., Any]) -> Callable[..., Any]:
        """Give the same work, during which so many seconds pass."""

        @wraps(work)
        def timed(*arguments: Any, **options: Any) -> Any:
            self.now += seconds
            return work(*arguments, **options)

        return timed


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Give the clock that the benchmarks look at."""
    clock = Clock()
    monkeypatch.setattr("benchmarks.comparison.perf_counter", clock)
    return clock


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """Give the command line, with results known beforehand; returns exit code and standard output."""
    for name in list(BENCHMARKS):
        monkeypatch.delitem(BENCHMARKS, name)
    for name, result in (("ingest", MISSED), ("cold-start", MET)):
        monkeypatch.setitem(BENCHMARKS, name, Benchmark(always(result), rounds=1))

    def invoke(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, [*arguments, "--rounds", "2"])
        return result.exit_code, result.stdout

    return invoke


class TestIngest:
    def test_both_sides_store_every_event_with_its_metadata(self) -> None:
        """They do comparable work: each value of the payload arrives, and the nine members."""
        storage = ingest.LastObject()
        with ingest.handlers(storage) as both:
            for handler in both:
                for event in ingest.api_events():
                    storage.body = b""
                    assert json.loads(handler(event, None)["body"])["success"] is True
                    raw = json.loads(storage.body)
                    assert raw.pop("_ingest").keys() == METADATA
                    assert raw == json.loads(event["body"])

    def test_the_real_payload_of_every_event_name_is_used(self) -> None:
        """In the contract's order."""
        assert [json.loads(event["body"])["eventName"] for event in ingest.api_events()] == list(EVENT_NAMES)

    def test_each_round_has_the_seconds_that_one_event_took(
        self, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By our handler, then by the bare route."""
        handlers = ingest.handlers

        @contextmanager
        def slow(storage: ingest.LastObject) -> Iterator[tuple[ingest.Handler, ...]]:
            with handlers(storage) as (ours, bare):
                yield clock.taking(3.0, ours), clock.taking(2.0, bare)

        monkeypatch.setattr(ingest, "handlers", slow)
        comparison = ingest.measure(range(2))
        assert comparison.rounds == ((3.0, 2.0), (3.0, 2.0))
        assert comparison.ratio == 1.5

    def test_it_leaves_the_app_as_it_was(self) -> None:
        """Whoever measures inside a test must not change the next one."""
        before = clickstream_app.storage, clickstream_app.settings, log.output
        ingest.measure(range(1))
        assert (clickstream_app.storage, clickstream_app.settings, log.output) == before

    def test_a_refusal_is_not_measured(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It would be quick for the wrong reason."""
        event = ingest.api_events()[0] | {"body": "[]"}
        monkeypatch.setattr(ingest, "api_events", lambda: [event])
        with pytest.raises(RuntimeError, match="refused"):
            ingest.measure(range(1))


@pytest.mark.slow
class TestColdStart:
    def test_each_round_starts_a_process_of_both_kinds(self, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
        """Real ones, after one of each that is not counted."""
        started: list[str] = []

        def start(command: list[str], **options: Any) -> Any:
            started.append(command[-1])
            clock.now += 3.0 if command[-1] == cold_start.OURS else 2.0
            return subprocess_run(command, **options)

        subprocess_run = subprocess.run
        monkeypatch.setattr(subprocess, "run", start)
        assert cold_start.measure(range(1)).rounds == ((3.0, 2.0),)
        assert started == [cold_start.OURS, cold_start.ALTERNATIVE] * 2

    def test_a_start_that_fails_is_not_measured(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It would be quick for the wrong reason."""
        monkeypatch.setattr(cold_start, "OURS", "raise SystemExit(1)")
        with pytest.raises(subprocess.CalledProcessError):
            cold_start.measure(range(1))

    def test_what_this_computer_configures_stays_out(self) -> None:
        """No profile, no endpoint, no switch of Python's."""
        inherited = {"PATH": "/bin", "AWS_PROFILE": "mine", "AWS_ENDPOINT_URL": "x", "PYTHONDONTWRITEBYTECODE": "1"}
        variables = cold_start.environment(inherited)
        assert not {"AWS_PROFILE", "AWS_ENDPOINT_URL", "PYTHONDONTWRITEBYTECODE"} & variables.keys()
        assert variables["PATH"] == "/bin"
        assert variables["AWS_CONFIG_FILE"] == os.devnull


class TestReader:
    def test_all_three_find_every_event(self) -> None:
        """Of files that are as large as real ones, spread over a day."""
        with reader.bucket(48) as directory:
            assert {read(directory) for read in (reader.read_all, reader.read_bare, reader.read_with_duckdb)} == {48}
            sizes = [path.stat().st_size for path in directory.rglob("*.json")]
            assert 800 < sum(sizes) / len(sizes) < 1100
            assert len({path.parent for path in directory.rglob("*.json")}) == 24
        assert not directory.exists()

    @pytest.mark.parametrize(
        ("measure", "alternative"),
        [(reader.measure, "read_bare"), (reader.measure_beside_duckdb, "read_with_duckdb")],
    )
    def test_each_round_has_the_seconds_of_both(
        self, measure: Callable[..., Comparison], alternative: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Ours, and those of the alternative that the benchmark names; both read real files."""
        monkeypatch.setattr(reader, "FILES", 28)
        for name, seconds in (("read_all", 3.0), (alternative, 2.0)):
            monkeypatch.setattr(reader, name, clock.taking(seconds, getattr(reader, name)))
        assert measure(range(2)).rounds == ((3.0, 2.0), (3.0, 2.0))

    def test_who_reads_less_is_not_measured(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It would be quick for the wrong reason."""

        def read_nothing(_directory: Path) -> int:
            return 0

        monkeypatch.setattr(reader, "FILES", 28)
        monkeypatch.setattr(reader, "read_all", read_nothing)
        with pytest.raises(RuntimeError, match="read_nothing found 0 of 28 events"):
            reader.measure(range(1))


class TestComparison:
    def test_medians_are_taken_of_the_rounds(self) -> None:
        """The ratio is the rounds' own median, not that of the two medians."""
        assert (MISSED.ours_seconds, MISSED.alternative_seconds, MISSED.ratio) == (4.0, 1.0, 3.0)
        assert MISSED.middle_half == (2.5, 3.5)
        assert (MISSED.is_met, MET.is_met) == (False, True)

    def test_both_take_turns_and_who_is_first_alternates(self) -> None:
        """The clock here only counts calls."""
        calls = count()
        pairs = take_turns(range(3), lambda: float(next(calls)), lambda: float(next(calls)))
        assert pairs == ((0.0, 1.0), (3.0, 2.0), (4.0, 5.0))


class TestOutput:
    @pytest.mark.parametrize(
        ("comparison", "expected"),
        [(MISSED, ["a: title", "4000.0 ms", "3.00x", "<= 1.5x", "no"]), (MET, ["3.0 µs", "1.50x", "<= 1.5x", "yes"])],
    )
    def test_the_table_names_the_target(self, comparison: Comparison, expected: list[str]) -> None:
        """And whether it is met, without a cut at the usual width."""
        console = Console(width=80)
        with console.capture() as capture:
            console.print(as_table(comparison))
        assert not [text for text in ("ours", "theirs", *expected) if text not in capture.get()]

    def test_json_has_everything_that_the_table_has(self) -> None:
        """Times in seconds."""
        record = json.loads(as_json([MISSED]))[0]
        assert (record["name"], record["seconds"], record["alternative_seconds"]) == ("a", 4.0, 1.0)
        assert (record["ratio"], record["target"], record["met"], record["rounds"]) == (3.0, 1.5, False, 3)

    def test_each_case_of_a_stack_has_a_line(self) -> None:
        """With its figures, its target and whether it is met."""
        console = Console(width=80)
        with console.capture() as capture:
            console.print(as_table(FIGURES))
        lines = [" ".join(line.split()) for line in capture.get().splitlines() if "events/s" in line]
        assert lines == [
            "10 events/s 0.10 s 0.20 s 0.30 s p95 <= 1.00 s yes",
            "300 events/s 0.50 s 2.00 s 3.00 s p95 <= 1.00 s no",
        ]
        record = json.loads(as_json([FIGURES]))[0]
        assert (record["name"], record["met"]) == ("c", False)
        assert record["cases"][0] == {
            "what": "10 events/s", "figures": QUICK.figures, "targets": QUICK.targets, "met": True
        }  # fmt: skip


class TestFigures:
    def test_objects_per_second_have_a_least_value_and_waits_a_most(self) -> None:
        """Every target has to be met."""
        targets = {PER_SECOND: 500.0, "p95": 1.0}
        for per_second, p95, is_met in ((500, 1.0, True), (499, 1.0, False), (600, 1.1, False)):
            assert Case("a", {PER_SECOND: per_second, "p95": p95}, targets).is_met is is_met
        assert Case("a", SLOW.figures, {}).is_met
        assert (Figures("c", "c", (QUICK,)).is_met, FIGURES.is_met) == (True, False)

    def test_waits(self) -> None:
        """Median, 95th percentile and the longest."""
        assert waits([n / 100 for n in range(101)]) == {"p50": 0.5, "p95": 0.95, "max": 1.0}


@pytest.mark.slow
class TestTimeIndex:
    def test_every_layout_is_measured_under_every_index(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """With few rows; the B-tree's targets are those of the quickest BRIN in the same run."""
        monkeypatch.setattr(time_index, "SESSIONS", 300)
        cases = time_index.measure(range(1)).cases
        assert [case.what.partition(",")[0] for case in cases] == [
            f"{layout}: {index}".partition(",")[0] for layout in time_index.LAYOUTS for index in time_index.INDEXES
        ]
        for btree, *brins in (cases[first : first + 3] for first in (0, 3, 6)):
            assert btree.figures.keys() == btree.targets.keys() == {*time_index.RANGES, "latest"}
            assert btree.targets["1 day"] == time_index.MOST * min(brin.figures["1 day"] for brin in brins)
            assert all(not brin.targets for brin in brins)

    @pytest.mark.parametrize("layout", time_index.LAYOUTS.values(), ids=list(time_index.LAYOUTS))
    def test_each_layout_ends_with_the_same_rows(
        self, layout: time_index.Layout, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever queries fewer is quick for the wrong reason."""
        monkeypatch.setattr(time_index, "SESSIONS", 300)
        with time_index.warehouse() as url, psycopg.connect(url, autocommit=True) as connection:
            time_index.fill(connection, layout, time_index.INDEXES["BRIN 32"])
            counts = "SELECT count(*), count(DISTINCT event_id), min(event_timestamp) >= %s FROM clickstream_events"
            assert connection.execute(counts, [time_index.START]).fetchone() == (4800, 4800, True)


@pytest.mark.slow
class TestBatches:
    def test_every_size_is_measured_beside_one_by_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """With few rows, all of which arrive; the targets are those of 100 and of 1,000 at once."""
        monkeypatch.setattr(batches, "ROWS", 1000)
        lines = batches.measure(range(1)).lines
        ways = [f"{size} at once, {way}" for size in ("10", "100", "1,000") for way in ("as arrays", "by COPY")]
        sizes = ["one by one", "10 at once", "100 at once", "1,000 at once"]
        measured = [line.what for line in lines if line.unit == "rows/s"]
        assert measured == [*sizes, *ways, *(f"projector, {size}" for size in sizes)]
        assert [(line.what, line.least) for line in lines if line.has_target] == [
            ("100 at once, beside one by one", 8.0),
            ("1,000 at once, beside one by one", 15.0),
        ]
        assert all(line.value > 0 for line in lines)

    def test_rows_that_do_not_arrive_are_no_result(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whoever inserts fewer is quick for the wrong reason."""
        monkeypatch.setattr(batches, "ROWS", 10)
        monkeypatch.setattr(Warehouse, "insert_all", lambda _, rows: ["projected"] * len(rows))
        with pytest.raises(RuntimeError, match="one by one: 0 of 10 rows are there"):
            batches.measure(range(1))


@pytest.mark.stack
class TestPipeline:
    """The benchmarks of the whole stack, with few events."""

    def test_freshness(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """One case per rate; only a rate that ingest can take has a target."""
        monkeypatch.setattr(pipeline, "RATES", (10, 300))
        monkeypatch.setattr(pipeline, "SECONDS", 0.5)
        figures = pipeline.freshness(range(1))
        assert [(case.what, len(case.targets)) for case in figures.cases] == [("10 events/s", 1), ("300 events/s", 0)]
        assert all(0 < case.figures["p50"] <= case.figures["max"] < 60 for case in figures.cases)

    def test_drain(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """All objects become rows, and new events meanwhile."""
        monkeypatch.setattr(pipeline, "BACKLOG", 300)
        (case,) = pipeline.drain(range(1)).cases
        assert case.figures.keys() == {PER_SECOND, "p50", "p95", "max"}
        assert case.figures[PER_SECOND] > 0

    def test_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Healthy events become rows, while the warehouse refuses others."""
        monkeypatch.setattr(pipeline, "REFUSED", (0, 3))
        monkeypatch.setattr(pipeline, "SECONDS", 1.0)
        cases = pipeline.refused(range(1)).cases
        assert [case.what for case in cases] == ["beside 0 refused rows", "beside 3 refused rows"]


class TestMain:
    def test_all_run_unless_named(self, run: Callable[..., tuple[int, str]]) -> None:
        """A name given twice is measured once."""
        assert [record["name"] for record in json.loads(run("--json")[1])] == ["a", "b"]
        assert [record["name"] for record in json.loads(run("--json", "cold-start", "cold-start")[1])] == ["b"]

    def test_standard_output_is_json_and_nothing_else(self) -> None:
        """With a real benchmark, whose progress goes to standard error."""
        result = CliRunner().invoke(main, ["ingest", "--json", "--rounds", "1"])
        (record,) = json.loads(result.stdout)
        assert (record["name"], record["rounds"]) == ("ingest", 1)
        assert record["ratio"] == record["seconds"] / record["alternative_seconds"]

    def test_a_missed_target_is_shown_and_fails_only_if_strict(self, run: Callable[..., tuple[int, str]]) -> None:
        """Machines are noisy: what fails is asked for."""
        code, output = run("ingest")
        assert code == 0
        assert "<= 1.5x" in output
        assert run("ingest", "--strict")[0] == 1
        assert run("cold-start", "--strict")[0] == 0

    def test_an_unknown_name_is_wrong_usage(self, run: Callable[..., tuple[int, str]]) -> None:
        """The message lists the names there are."""
        assert run("nonsense")[0] == 2

    def test_help_names_every_benchmark(self) -> None:
        """And the exit codes."""
        output = CliRunner().invoke(main, ["--help"]).output
        assert not [text for text in (*BENCHMARKS, "Exit codes") if text not in output]


@pytest.mark.slow
class TestBackfill:
    @pytest.mark.parametrize(
        ("measure", "alternative", "seconds", "expected"),
        [
            # Of the two floors the slower one counts: COPY takes no time by this clock.
            (backfill.measure, "read_bare", 2.0, (3.0, 2.0)),
            (backfill.measure_beside_loop, "flatten", 0.125, (3.0, 32 * 0.125)),
        ],
    )
    def test_each_round_has_the_seconds_of_both(
        self,
        measure: Callable[..., Comparison],
        alternative: str,
        seconds: float,
        expected: tuple[float, float],
        clock: Clock,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Ours, and those of the alternative; both load every event into a real warehouse."""
        monkeypatch.setattr(backfill, "FILES", 32)
        monkeypatch.setattr(backfill, "LOOP_FILES", 32)
        for name, taken in (("backfill", 3.0), (alternative, seconds)):
            monkeypatch.setattr(backfill, name, clock.taking(taken, getattr(backfill, name)))
        assert measure(range(2)).rounds == (expected, expected)

    def test_who_loads_less_is_not_measured(self) -> None:
        """It would be quick for the wrong reason."""
        with backfill.raw(3) as events, pytest.raises(RuntimeError, match="of 3 events"):
            events.require_all()


@pytest.fixture
def history() -> Iterator[History]:
    """Give a small history without a lake."""
    with seeded(2_000) as history:
        yield history


@pytest.mark.slow
class TestLake:
    """The benchmarks of the lake, with few events: what they compare is equal, or they fail."""

    def test_a_lake_is_measured_from_compaction_to_erasure(
        self, history: History, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Every line of the table is there, and nobody's byte is left."""
        monkeypatch.setattr(reading, "ROUNDS", 2)
        lines = [*writing.compacting(history), *writing.size(history), *reading.reading(history)]
        lines += writing.erasing(history)
        targets = {line.what for line in lines if line.has_target}
        assert len(targets) == len([line for line in lines if line.has_target]) == 22
        assert all(line.value > 0 for line in lines[:-2])
        assert [(line.unit, line.value, line.is_met) for line in lines[-2:]] == [("rows", 0, True), ("files", 0, True)]

    def test_so_many_times_the_history_has_so_many_times_the_events(
        self, history: History, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each id once, and the same overview of the last days."""
        monkeypatch.setattr(growth, "TIMES", 3)
        monkeypatch.setattr(growth, "ROUNDS", 1)
        history.compact(END)
        lines = list(growth.ten_times(history))
        assert len(lines) == 7
        assert all(0.5 < line.value < 2 for line in lines if line.what.endswith("memory"))
        events = LakeEvents(str(history.directory / "big"))
        count = events.query("SELECT count(*), count(DISTINCT event_id) FROM public.clickstream_events", {}).row(0)
        once = LakeEvents(history.lake.root).query("SELECT count(*) FROM public.clickstream_events", {}).item()
        assert count == (3 * once, 3 * once)

    def test_hourly_commits_are_compared_with_the_fiftieth(self, tmp_path: Path) -> None:
        """By the clock and by CPU; every hour is in the lake, and so are those of another one, up to the 62nd."""
        lines = list(growth.commits(tmp_path, 64))
        assert [line.unit for line in lines] == ["x", "x"]
        hours = [len(Records(History(tmp_path / name).lake.store).hours) for name in ("many", "few")]
        assert hours == [64, 62]


@pytest.mark.slow
@pytest.mark.browser
class TestDashboard:
    """The benchmark of the dashboard, with few events."""

    def test_every_page_is_opened_and_filtered(self, history: History) -> None:
        """Each target of the dashboard has its line, and no view is left out."""
        history.compact(END)
        # Playwright runs once in a thread, and in this one it may run for other tests.
        with ThreadPoolExecutor(1) as threads:
            lines = threads.submit(list, dashboard.shown(history)).result()
        assert all(line.value > 0 for line in lines)
        assert [line.unit for line in lines if line.has_target] == ["s", "MB", "s", "GB"]
        assert len([line for line in lines if "median" in line.what]) == len(PAGES)

    def test_without_a_browser_it_says_what_to_do(self, history: History, monkeypatch: pytest.MonkeyPatch) -> None:
        """In one line."""
        monkeypatch.setenv("PATH", "")
        with pytest.raises(click.UsageError, match="needs chromium: 'make system' installs it"):
            next(dashboard.shown(history))


class TestChild:
    def test_memory_is_that_of_the_process_alone(self) -> None:
        """Whatever this process had in memory before."""
        held = bytearray(400_000_000)
        answer, cost = in_child(len, [1, 2, 3])
        assert (answer, len(held)) == (3, 400_000_000)
        assert 5e6 < cost.memory < 300e6
        assert 0 <= cost.seconds < 5

    def test_wrong_usage_is_not_measured(self) -> None:
        """It would be quick for the wrong reason."""
        with pytest.raises(RuntimeError, match="--nonsense ended with 2"):
            command(["validate", "--nonsense"])


class TestTargets:
    LINES = (
        Line("raw / lake", 90.0, "x", least=100, beside="0.4 s"),
        Line("memory", 0.25, "GB", most=0.5),
        Line("objects", 1234.5, "a day"),
    )

    def test_each_line_has_its_own_unit_and_target(self) -> None:
        """A line without a target is never missed."""
        assert [(line.has_target, line.is_met) for line in self.LINES] == [(True, False), (True, True), (False, True)]
        targets = Targets("d", "d: title", self.LINES)
        assert (targets.is_met, Targets("d", "d", self.LINES[1:]).is_met) == (False, True)
        console = Console(width=80)
        with console.capture() as capture:
            console.print(as_table(targets))
        lines = [" ".join(line.split()) for line in capture.get().splitlines()]
        assert "raw / lake 90 x >= 100 x no 0.4 s" in lines
        assert "memory 0.25 GB <= 0.5 GB yes" in lines
        assert "objects 1,234 a day" in lines
        record = json.loads(as_json([targets]))[0]
        assert [line["met"] for line in record["lines"]] == [False, True, None]
        assert record["met"] is False
