import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import boto3
import httpx2
import polars as pl
import pytest
from click.testing import CliRunner, Result
from moto import mock_aws
from polars.testing import assert_frame_equal

from analysis.checks.smoke import EVENT_NAME, in_log
from analysis.commands.main import main
from analysis.errors import AnalysisError
from tests.analysis.engines.test_agreement import METRICS
from tests.support.collector import Collector
from tests.support.event_rows import RANGE, event, raw_of
from tests.support.stack_process import StackProcess

GROUP = "/aws/lambda/clickstream-test-projector"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["smoke", *map(str, arguments)])


pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("no_environment")]


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Give an endpoint that is not an ingest endpoint."""
    collector = Collector()
    yield collector
    collector.stop()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackProcess]:
    """Give one running stack, without a page."""
    stack = StackProcess(tmp_path_factory.mktemp("smoke") / "home", "--headless").start()
    yield stack
    stack.clean_up()


def switch(stack: StackProcess, **faults: bool) -> None:
    httpx2.put(f"{stack.stack.web_url}/api/faults", json=faults, timeout=30).raise_for_status()


class TestSmoke:
    def test_an_event_goes_all_the_way(self, stack: StackProcess, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of the running local stack, without an argument; the times are those since it was sent."""
        monkeypatch.setenv("CLICKSTREAM_HOME", str(stack.home.path))
        result = run("--json")
        report = json.loads(result.stdout)
        assert (result.exit_code, report["passed"], report["problem"]) == (0, True, None)
        assert list(report["seconds"]) == ["accepted", "in raw", "in the warehouse"]
        assert sorted(report["seconds"].values()) == list(report["seconds"].values())
        assert report["key"] in stack.raw_keys()
        rows = stack.ask("SELECT event_name FROM clickstream_events WHERE event_id = %s", report["event_id"])
        assert rows == [("smoke_test",)]

    def test_it_is_recognised_and_counts_for_nobody(self, stack: StackProcess) -> None:
        """By its name; it names no client, user, session or product."""
        stack.post(json.dumps({"eventName": "click", "clientId": "somebody"}))
        result = run("--url", stack.stack.endpoint, "--source", stack.bucket, "--dw", stack.stack.dw_url, "--json")
        raw = json.loads((stack.bucket / json.loads(result.stdout)["key"]).read_bytes())
        assert raw.keys() == {"eventId", "eventName", "eventTimestamp", "_ingest"}
        assert raw["eventName"] == EVENT_NAME

    def test_people_read_lines(self, stack: StackProcess) -> None:
        """One for each place."""
        result = run("--url", stack.stack.endpoint, "--source", stack.bucket, "--dw", stack.stack.dw_url)
        first, *places = result.stdout.splitlines()
        assert first.startswith("smoke_test ")
        assert [line.partition(" s  ")[2] for line in places] == ["accepted", "in raw", "in the warehouse"]

    def test_an_event_that_does_not_arrive_is_a_finding(self, stack: StackProcess) -> None:
        """Exit code 1, after the timeout; what came before it is said."""
        switch(stack, triggersOff=True)
        try:
            result = run(
                "--url", stack.stack.endpoint, "--source", stack.bucket, "--dw", stack.stack.dw_url, "--timeout", "1"
            )
        finally:
            switch(stack, triggersOff=False)
        assert result.exit_code == 1
        assert "s  in raw" in result.stdout
        assert "failed: not in the warehouse after 1 s (events/" in result.stdout

    def test_an_event_that_is_not_accepted_is_a_finding(self, stack: StackProcess) -> None:
        """With what ingest says."""
        switch(stack, storageDown=True)
        try:
            result = run("--url", stack.stack.endpoint, "--source", stack.bucket)
        finally:
            switch(stack, storageDown=False)
        assert result.exit_code == 1
        assert "failed: not accepted: 503 the event was not stored" in result.stdout

    def test_without_a_warehouse_it_says_so(self, stack: StackProcess) -> None:
        """On stderr: stdout stays what it is."""
        result = run("--url", stack.stack.endpoint, "--source", stack.bucket, "--json")
        assert (result.exit_code, list(json.loads(result.stdout)["seconds"])) == (0, ["accepted", "in raw"])
        assert "The warehouse is not searched" in result.stderr


class TestHeaders:
    def test_a_token_is_sent_along(self, collector: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """From the command line, or from the environment, where no other process sees it."""
        run("--url", collector.url, "--source", tmp_path, "--header", "X-Api-Key: one", "--header", "X-More:two")
        monkeypatch.setenv("SMOKE_HEADER", "Authorization: Bearer a:b")
        run("--url", collector.url, "--source", tmp_path)
        first, second = collector.headers
        assert (first["X-Api-Key"], first["X-More"]) == ("one", "two")
        assert second["Authorization"] == "Bearer a:b"


class TestMetrics:
    @pytest.mark.parametrize("place", range(len(METRICS)))
    def test_only_counts_of_all_events_have_it(self, place: int) -> None:
        """Whatever is about visitors, sessions, products, carts or paths stays the same."""
        anna: dict[str, Any] = {
            "client": "a",
            "session": "s",
            "first": True,
            "login": "anonymous",
            "product": "p",
            "price": 5,
        }
        history = [
            event(0, "product_view", **anna),
            event(9, "add_to_cart_click", **anna),
            event(20, "checkout_complete", client="b", session="t", first=False, login="logged_in"),
        ]
        before, after = (
            METRICS[place](raw_of(events), RANGE) for events in (history, [*history, event(12, EVENT_NAME)])
        )
        # Its name, and that it has no login state and no visitor type, are rows of their own.
        for label in {"event_name", "user_login_state", "visitor_type"} & {*before.columns}:
            after = after.filter(~pl.col(label).is_in([EVENT_NAME, "unknown"]).fill_null(value=False))
        same = [column for column in before.columns if column not in ("events", "share", "last_event")]
        assert_frame_equal(before.select(same), after.select(same), check_exact=True)


class TestLog:
    @pytest.fixture
    def logs(self, aws_environment: Any) -> Iterator[Any]:
        """Give a client of a pretend CloudWatch with the projector's log."""
        aws_environment(AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b", AWS_DEFAULT_REGION="eu-central-1")
        with mock_aws():
            client = boto3.client("logs")
            client.create_log_group(logGroupName=GROUP)
            client.create_log_stream(logGroupName=GROUP, logStreamName="s")
            yield client

    @pytest.mark.parametrize(("outcome", "is_there"), [("projected", True), ("already_known", True), ("failed", False)])
    def test_the_projector_says_whether_the_row_is_there(self, logs: Any, outcome: str, *, is_there: bool) -> None:
        """In the line of this event; what stands before and after it says nothing."""
        look = in_log(GROUP)
        lines = [
            "START RequestId: 1",
            json.dumps({"component": "projector", "outcome": "projected", "event_id": str(UUID(int=2))}),
            json.dumps({"component": "projector", "outcome": outcome, "event_id": str(UUID(int=1))}),
        ]
        now = round(datetime.now(UTC).timestamp() * 1000)
        events = [{"timestamp": now, "message": line} for line in lines]
        logs.put_log_events(logGroupName=GROUP, logStreamName="s", logEvents=events)
        assert look(str(UUID(int=1)), "events/key.json") is is_there
        assert not look(str(UUID(int=3)), "events/key.json")

    def test_a_log_that_is_not_there_is_wrong_usage(self, logs: Any) -> None:
        """In one line."""
        logs.delete_log_group(logGroupName=GROUP)
        with pytest.raises(AnalysisError, match=f"cannot read the log group {GROUP}: ResourceNotFoundException"):
            in_log(GROUP)(str(UUID(int=1)), "events/key.json")


class TestUsage:
    @pytest.mark.parametrize(
        ("arguments", "problem"),
        [
            ((), "name one with --url"),
            (("--url", "http://127.0.0.1:1/clickstream"), "name it with --source s3://BUCKET"),
            (("--url", "http://127.0.0.1:1/clickstream", "--source", "."), "does not answer"),
            (("--url", "nonsense", "--source", "."), "nonsense does not answer"),
            (
                ("--url", "http://127.0.0.1:1/", "--source", ".", "--header", "secret"),
                "a header is written as Name: value",
            ),
            (("--url", "http://127.0.0.1:1/clickstream", "--source", "nowhere"), "no directory nowhere"),
            (("--url", "http://127.0.0.1:1/", "--source", ".", "--dw", "nonsense"), "is not a PostgreSQL URL"),
        ],
    )
    def test_wrong_usage(self, arguments: tuple[str, ...], problem: str) -> None:
        """Exit code 2, and one line that says what is wrong."""
        result = run(*arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert problem in result.stderr.splitlines()[-1]

    def test_an_endpoint_that_is_none_of_ours(self, collector: Collector, tmp_path: Path) -> None:
        """A 2xx without a key does not confirm the event."""
        result = run("--url", collector.url, "--source", tmp_path)
        assert result.exit_code == 1
        assert "failed: not accepted: 200" in result.stdout
