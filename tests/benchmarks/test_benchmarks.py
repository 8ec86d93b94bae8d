import json
import os
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

import app as clickstream_app
from benchmarks import backfill, cold_start, ingest, reader
from benchmarks.__main__ import BENCHMARKS, Benchmark, main
from benchmarks.comparison import Comparison, take_turns
from benchmarks.table import as_json, as_table
from chalicelib import log
from chalicelib.contract import EVENT_NAMES

# Exact in binary, so that no ratio is rounded.
MISSED = Comparison("a", "a: title", "ours", "theirs", 1.5, ((2.0, 1.0), (6.0, 2.0), (4.0, 1.0)))
MET = Comparison("b", "b: title", "ours", "theirs", 1.5, ((3e-6, 2e-6),))

METADATA = {"receivedAt", "sourceIp", "userAgent", "method", "path", "requestId", "apiId", "stage", "traceId"}


def always(result: Comparison) -> Callable[[Iterable[object]], Comparison]:
    """Give a benchmark that measures nothing and goes through its rounds."""

    def measure(rounds: Iterable[object]) -> Comparison:
        list(rounds)
        return result

    return measure


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

    def test_it_gives_a_ratio(self) -> None:
        """One pair of times per round."""
        comparison = ingest.measure(range(2))
        assert len(comparison.rounds) == 2
        assert comparison.ratio > 0

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


class TestColdStart:
    def test_it_gives_a_ratio(self) -> None:
        """From real processes."""
        assert cold_start.measure(range(1)).ratio > 0

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

    @pytest.mark.parametrize("measure", [reader.measure, reader.measure_beside_duckdb])
    def test_it_gives_a_ratio(self, measure: Callable[..., Comparison], monkeypatch: pytest.MonkeyPatch) -> None:
        """Beside either alternative."""
        monkeypatch.setattr(reader, "FILES", 28)
        assert measure(range(2)).ratio > 0

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


class TestMain:
    def test_all_run_unless_named(self, run: Callable[..., tuple[int, str]]) -> None:
        """A name given twice is measured once."""
        assert [record["name"] for record in json.loads(run("--json")[1])] == ["a", "b"]
        assert [record["name"] for record in json.loads(run("--json", "cold-start", "cold-start")[1])] == ["b"]

    def test_standard_output_is_json_and_nothing_else(self) -> None:
        """With a real benchmark, whose progress goes to standard error."""
        result = CliRunner().invoke(main, ["ingest", "--json", "--rounds", "1"])
        (record,) = json.loads(result.stdout)
        assert record["ratio"] > 0

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


class TestBackfill:
    def test_both_ways_load_every_event(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Into a warehouse of its own; whoever loads less fails."""
        monkeypatch.setattr(backfill, "FILES", 30)
        monkeypatch.setattr(backfill, "LOOP_FILES", 30)
        for measure in (backfill.measure, backfill.measure_beside_loop):
            comparison = measure(range(2))
            assert len(comparison.rounds) == 2
            assert all(ours > 0 and theirs > 0 for ours, theirs in comparison.rounds)
        with backfill.raw(3) as events, pytest.raises(RuntimeError, match="of 3 events"):
            events.require_all()
