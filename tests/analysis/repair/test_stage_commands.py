"""The commands with --stage: over the stacks of a pretend AWS, with exactly the policies of whoever runs them."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from moto.core import set_initial_no_auth_action_count

from analysis.commands.main import main
from analysis.repair import operations as module
from chalicelib.warehouse.schema import SCHEMA
from tests.support.aws.calls import Call, recorded
from tests.support.aws.deployed_stage import DeployedStage, allows, deployed_stage
from tests.support.raw_objects import START, Objects

pytestmark = [pytest.mark.deploy, pytest.mark.slow]

SPAN = ("--start", "2026-11-25T09:00Z", "--end", "2026-11-25T12:00Z")
ROLES = {
    "analyst": ("analyst",),
    "operator": ("analyst", "operator"),
    "eraser": ("analyst", "operator", "eraser"),
}
Become = Callable[..., list[Call]]

# To the pretend AWS, when it asks for permission, the test's own credentials are nobody's.
refused = set_initial_no_auth_action_count(0)


@refused
def run(*arguments: str) -> Result:
    """Run a command, as whoever the environment says, in an AWS that asks for permission."""
    return CliRunner().invoke(main, arguments)


def said(*arguments: str, code: int = 0) -> Any:
    """The JSON that a command prints."""
    result = run(*arguments, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def objects_of(hours: int = 3, each: int = 4) -> Objects:
    objects = Objects()
    for hour in range(hours):
        for second in range(each):
            objects.add(received=hour * 3600.0 + second, sessionId=f"s{hour}", isFirstVisit=hour == 0)
    return objects


@pytest.fixture(scope="module")
def deployed(new_database: Callable[[], AbstractContextManager[str]]) -> Iterator[DeployedStage]:
    """Deploy a stage once, since that takes a while."""
    with new_database() as url, deployed_stage(url) as stage:
        yield stage
        drop_users(url)


@pytest.fixture
def stage(deployed: DeployedStage) -> DeployedStage:
    """Give a stage with twelve events of three hours in raw, whose warehouse is new."""
    drop_users(deployed.warehouse_url)
    with psycopg.connect(deployed.warehouse_url) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    deployed.empty()
    deployed.fill(objects_of().bodies)
    return deployed


def drop_users(url: str) -> None:
    """Users are of the whole server, which other tests use too."""
    with psycopg.connect(url, autocommit=True) as connection:
        for (name,) in connection.execute(
            "SELECT rolname FROM pg_roles WHERE rolname LIKE 'clickstream\\_%'"
        ).fetchall():
            connection.execute(f"DROP OWNED BY {name}".encode())
            connection.execute(f"DROP ROLE {name}".encode())


@pytest.fixture
def become(stage: DeployedStage, aws_environment: Callable[..., None], no_environment: None) -> Iterator[Become]:
    """Give a function that makes the environment that of a role, and gives the calls from then on."""
    del no_environment
    with recorded() as calls:

        def become(role: str, without: str | None = None) -> list[Call]:
            documents = [stage.policy(name) for name in ROLES[role]]
            for document in documents:
                for statement in document["Statement"]:
                    statement["Action"] = [action for action in statement["Action"] if action != without]
                document["Statement"] = [each for each in document["Statement"] if each["Action"]]
            import boto3

            events = boto3.DEFAULT_SESSION.events
            aws_environment(**stage.somebody(documents))
            boto3.DEFAULT_SESSION = boto3.Session()
            boto3.DEFAULT_SESSION._session.register_component("event_emitter", events)
            calls.clear()
            return calls

        yield become


def rows(stage: DeployedStage) -> int:
    with psycopg.connect(stage.warehouse_url) as connection:
        (count,) = connection.execute("SELECT count(*) FROM clickstream_events").fetchone() or (0,)
        return int(count)


@pytest.fixture
def filled(stage: DeployedStage, become: Become) -> DeployedStage:
    """Give the stage with its tables, users and rows."""
    become("operator")
    assert run("upgrade", "--stage", "dev").exit_code == 0
    assert run("backfill", "--stage", "dev", *SPAN).exit_code == 0
    return stage


class TestUpgrade:
    def test_the_function_makes_tables_and_users(self, stage: DeployedStage, become: Become) -> None:
        """And says so; the second time there is nothing to do."""
        become("operator")
        first = run("upgrade", "--stage", "dev")
        assert first.exit_code == 0, first.output
        assert f"was at version 0.0, and is at {SCHEMA.version} now" in first.stdout
        assert first.stdout.endswith("Its users have their privileges: clickstream_writer, clickstream_reader.\n")
        assert "nothing to do" in run("upgrade", "--stage", "dev").stdout
        assert rows(stage) == 0

    def test_a_dry_run_changes_nothing(self, stage: DeployedStage, become: Become) -> None:
        """Exit code 1, since there is something to do."""
        become("operator")
        assert run("upgrade", "--stage", "dev", "--dry-run").exit_code == 1
        with psycopg.connect(stage.warehouse_url) as connection:
            assert connection.execute("SELECT to_regclass('clickstream_events')").fetchone() == (None,)


class TestBackfill:
    def test_the_rows_are_inserted_by_the_function(self, stage: DeployedStage, become: Become) -> None:
        """All hours of the span; the second time, all are known."""
        become("operator")
        run("upgrade", "--stage", "dev")
        done = said("backfill", "--stage", "dev", *SPAN)
        assert (done["hours"], done["objects"], done["added"], done["known"]) == (3, 12, 12, 0)
        again = said("backfill", "--stage", "dev", *SPAN)
        assert (again["added"], again["known"], rows(stage)) == (0, 12, 12)

    def test_a_dry_run_only_counts(self, stage: DeployedStage, become: Become) -> None:
        """Exit code 1, since rows are missing."""
        become("operator")
        run("upgrade", "--stage", "dev")
        assert said("backfill", "--stage", "dev", *SPAN, "--dry-run", code=1)["added"] == 12
        assert rows(stage) == 0

    def test_it_goes_slice_by_slice(
        self, stage: DeployedStage, become: Become, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each slice begins where the one before has ended."""
        become("operator")
        run("upgrade", "--stage", "dev")
        monkeypatch.setattr("chalicelib.operations.handler.SECONDS", 0.0)
        done = said("backfill", "--stage", "dev", *SPAN)
        asked = [event["hours"] for event in stage.asked if event["operation"] == "backfill"]
        assert [len(hours) for hours in asked] == [3, 2, 1]
        assert (done["hours"], done["added"], rows(stage)) == (3, 12, 12)

    def test_an_hour_that_lambda_has_no_time_for_is_inserted_in_parts(
        self, stage: DeployedStage, become: Become, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each part goes on behind the last key."""
        become("operator")
        run("upgrade", "--stage", "dev")
        monkeypatch.setattr("chalicelib.storage.PAGE", 3)
        stage.seconds_left = lambda: 1.0
        done = said("backfill", "--stage", "dev", *SPAN)
        assert len([event for event in stage.asked if event["operation"] == "backfill"]) > 3
        assert (done["hours"], done["objects"], done["added"], rows(stage)) == (3, 12, 12, 12)

    def test_a_slice_that_fails_says_which_hours_are_left(
        self, stage: DeployedStage, become: Become, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """And where to go on; what is done is not done again."""
        become("operator")
        run("upgrade", "--stage", "dev")
        monkeypatch.setattr("chalicelib.operations.handler.SECONDS", 0.0)
        monkeypatch.setattr(module, "TRIES", 1)
        stage.fails = lambda event: len(event.get("hours", ())) == 2
        result = run("backfill", "--stage", "dev", *SPAN)
        assert result.exit_code == 2
        assert "2 hours are left, from events/2026/11/25/10/ to events/2026/11/25/11/" in result.stderr
        assert result.stderr.rstrip().endswith("1 hours are done: continue with --start 2026-11-25T10:00Z")
        assert rows(stage) == 4

    def test_a_warehouse_that_wakes_up_is_waited_for(
        self, stage: DeployedStage, become: Become, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """And a function of which all copies are busy."""
        become("operator")
        monkeypatch.setattr(module, "PAUSE_SECONDS", 0.01)
        asleep = [True, True]
        stage.fails = lambda _event: bool(asleep and asleep.pop())
        assert run("upgrade", "--stage", "dev").exit_code == 0

    def test_rebuild_fills_an_empty_warehouse_from_all_of_raw(self, stage: DeployedStage, become: Become) -> None:
        """And refuses one with rows."""
        become("operator")
        run("upgrade", "--stage", "dev")
        assert said("backfill", "--stage", "dev", "--rebuild")["added"] == 12
        refused_ = run("backfill", "--stage", "dev", "--rebuild")
        assert refused_.exit_code == 2
        assert "is not empty" in refused_.stderr
        assert rows(stage) == 12

    def test_an_object_that_is_no_event_is_a_reject(self, stage: DeployedStage, become: Become) -> None:
        """One that may not be read is named, and everything else inserted."""
        become("operator")
        run("upgrade", "--stage", "dev")
        stage.fill({"events/2026/11/25/09/event-bad.json": b"[]"})
        done = said("backfill", "--stage", "dev", *SPAN)
        assert (done["added"], done["rejected"]) == (12, 1)


class TestReads:
    def test_validate_compares_raw_with_the_warehouse(self, filled: DeployedStage, become: Become) -> None:
        """Through the Data API; a row that is missing is found."""
        calls = become("analyst")
        report = said("validate", "--stage", "dev", *SPAN)
        assert report["warehouse"] is True
        with psycopg.connect(filled.warehouse_url) as connection:
            connection.execute(
                "DELETE FROM clickstream_events WHERE event_timestamp >= %s", (START + timedelta(hours=2),)
            )
        # The objects were stored just now, and would not be judged yet.
        report = said("validate", "--stage", "dev", *SPAN, "--settle", "0", code=1)
        missing = {each["name"]: each for each in report["checks"]}["missing_rows"]
        assert len(missing["findings"]) == 4
        assert {call.service for call in calls} <= {"cloudformation", "s3", "rds-data"}

    @pytest.mark.parametrize(
        "command", [("ledger", *SPAN), ("trace", "nothing", *SPAN), ("rejects", "list"), ("report", *SPAN)]
    )
    @pytest.mark.usefixtures("filled")
    def test_an_analyst_may_look(
        self, command: tuple[str, ...], become: Become, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With every command that only reads."""
        monkeypatch.chdir(tmp_path)
        become("analyst")
        result = run(*command, "--stage", "dev", "--json")
        assert result.exit_code in (0, 1), result.output
        assert json.loads(result.stdout) is not None

    def test_trace_finds_the_row(self, filled: DeployedStage, become: Become) -> None:
        """Of an object's key."""
        become("analyst")
        assert said("trace", filled.keys()[0], "--stage", "dev", *SPAN)["row"]["client_id"] == "c"

    @pytest.mark.usefixtures("filled")
    @pytest.mark.parametrize(
        ("without", "text"),
        [
            ("cloudformation:DescribeStacks", "stack clickstream-dev-raw cannot be read"),
            ("rds-data:BeginTransaction", "rds-data:BeginTransaction on"),
            ("rds-data:ExecuteStatement", "rds-data:ExecuteStatement on"),
            ("secretsmanager:GetSecretValue", "secretsmanager:GetSecretValue on"),
            ("s3:GetObject", ""),
            ("s3:ListBucket", ""),
        ],
    )
    def test_each_right_of_an_analyst_is_needed(self, without: str, text: str, become: Become) -> None:
        """Without one, the command says which."""
        become("analyst", without)
        result = run("validate", "--stage", "dev", *SPAN)
        assert result.exit_code != 0
        assert text in result.stderr
        assert "Traceback" not in result.output

    def test_without_the_right_to_end_a_transaction_one_stays_open(self, filled: DeployedStage, become: Become) -> None:
        """So this right is needed, too."""
        become("analyst", "rds-data:RollbackTransaction")
        assert run("rejects", "list", "--stage", "dev").exit_code == 0
        assert filled.service.transactions
        for connection in filled.service.transactions.values():
            connection.close()  # it would hold the tables, which are dropped at the end

    @pytest.mark.usefixtures("filled")
    @pytest.mark.parametrize(
        "command", [("backfill", *SPAN), ("upgrade",), ("rejects", "retry", "--all"), ("retain", "--days", "1")]
    )
    def test_an_analyst_may_not_repair(self, command: tuple[str, ...], become: Become) -> None:
        """In one line, with the name of the right."""
        become("analyst")
        result = run(*command, "--stage", "dev")
        if command[:2] == ("rejects", "retry"):
            assert result.exit_code == 0 or "lambda:Invoke" in result.stderr
        else:
            assert result.exit_code == 2
            assert "lambda:Invoke" in result.stderr


class TestOperator:
    def test_every_call_is_allowed_on_exactly_its_resource(self, filled: DeployedStage, become: Become) -> None:
        """Stacks of the stage, its function and no other."""
        calls = become("operator")
        for command in (("backfill", *SPAN), ("validate", *SPAN), ("upgrade",), ("rejects", "list")):
            assert run(*command, "--stage", "dev").exit_code == 0
        documents = [filled.policy(name) for name in ROLES["operator"]]
        needed = {need for call in calls if (need := need_of(call))}
        assert {action for action, _ in needed} == {"cloudformation:DescribeStacks", "lambda:InvokeFunction"}
        for action, resource in needed:
            assert any(allows(document, action, resource) for document in documents), (action, resource)
        other = "arn:aws:lambda:eu-central-1:123456789012:function:clickstream-prod-operations"
        assert not any(allows(document, "lambda:InvokeFunction", other) for document in documents)


def need_of(call: Call) -> tuple[str, str] | None:
    """What a call takes: an action on a resource. S3 and the Data API are judged by the pretend AWS."""
    place = "eu-central-1:123456789012"
    if (call.service, call.operation) == ("cloudformation", "DescribeStacks"):
        return (
            "cloudformation:DescribeStacks",
            f"arn:aws:cloudformation:{place}:stack/{call.parameters['StackName']}/id",
        )
    if (call.service, call.operation) == ("lambda", "Invoke"):
        return "lambda:InvokeFunction", f"arn:aws:lambda:{place}:function:{call.parameters['FunctionName']}"
    return None


class TestRejects:
    BAD = "events/2026/11/25/09/event-bad.json"

    @pytest.fixture
    def rejected(self, filled: DeployedStage) -> DeployedStage:
        """Give the stage with one reject."""
        filled.fill({self.BAD: b"[]"})
        assert run("backfill", "--stage", "dev", *SPAN).exit_code == 0
        return filled

    def test_a_reject_that_is_an_event_now_becomes_a_row(self, rejected: DeployedStage, become: Become) -> None:
        """The function projects it, and it is no longer listed."""
        become("operator")
        (reject,) = said("rejects", "list", "--stage", "dev", code=1)
        assert reject["key"] == self.BAD
        assert said("rejects", "retry", "--all", "--stage", "dev", code=1)["rejected"] == [self.BAD]
        rejected.fill({self.BAD: b'{"eventName": "click"}'})
        assert said("rejects", "retry", self.BAD, "--stage", "dev")["recovered"] == [self.BAD]
        assert said("rejects", "list", "--stage", "dev") == []
        assert rows(rejected) == 13

    def test_a_reject_is_shown_and_dismissed(self, rejected: DeployedStage, become: Become) -> None:
        """With its reason; another key is refused."""
        del rejected
        become("operator")
        assert run("rejects", "show", self.BAD, "--stage", "dev").stdout == "[]\n"
        assert run("rejects", "dismiss", self.BAD, "--reason", "a test", "--stage", "dev").exit_code == 0
        assert said("rejects", "list", "--every", "--stage", "dev")[0]["dismissed"] == "a test"
        none = run("rejects", "dismiss", "events/none", "--reason", "a test", "--stage", "dev")
        assert (none.exit_code, "is not a reject" in none.stderr) == (2, True)


class TestErase:
    PERSON = ("erase", "--client-id", "anna", "--stage", "dev")

    @pytest.fixture
    def of_anna(self, filled: DeployedStage) -> DeployedStage:
        """Give the stage with two events of Anna, who is not the other."""
        objects = objects_of()
        bodies = dict(objects.bodies)
        for second in (100.0, 101.0):
            objects.add(received=second, clientId="anna", userId="anna-maria")
        filled.fill({key: body for key, body in objects.bodies.items() if key not in bodies})
        assert run("backfill", "--stage", "dev", *SPAN).exit_code == 0
        assert rows(filled) == 14
        return filled

    def test_a_person_is_erased_from_raw_and_warehouse(self, of_anna: DeployedStage, become: Become) -> None:
        """Rows by the function, objects by the command; a later backfill brings nobody back."""
        become("eraser")
        found = said(*self.PERSON, "--dry-run", code=1)["found"]
        assert (found["objects"], found["rows"]) == (2, 2)
        done = said(*self.PERSON, "--yes")
        assert (done["left"]["objects"], done["left"]["rows"]) == (0, 0)
        assert (rows(of_anna), len(of_anna.keys())) == (12, 12)
        assert not any("anna" in json.dumps(event) for event in of_anna.asked if event["operation"] == "backfill")

    def test_their_later_events_become_no_row(self, of_anna: DeployedStage, become: Become) -> None:
        """Neither by a backfill, nor by one into a new warehouse; `--again` deletes them from raw."""
        become("eraser")
        said(*self.PERSON, "--yes")
        objects = objects_of(1, 20)
        key = objects.add(received=200.0, clientId="anna")
        of_anna.fill({key: objects.bodies[key]})
        assert said("backfill", "--stage", "dev", *SPAN)["erased"] == 1
        with psycopg.connect(of_anna.warehouse_url, autocommit=True) as connection:
            connection.execute("DROP TABLE clickstream_events, clickstream_tombstones, clickstream_tombstones_keys")
        assert said("backfill", "--stage", "dev", "--rebuild")["erased"] == 1
        assert rows(of_anna) == 12
        assert said("erase", "--again", "--yes", "--stage", "dev")["left"]["objects"] == 0
        assert len(of_anna.keys()) == 12

    def test_an_operator_deletes_no_object(self, of_anna: DeployedStage, become: Become) -> None:
        """The row stays too, since the tombstone cannot be stored."""
        become("operator")
        result = run(*self.PERSON, "--yes")
        assert (result.exit_code, rows(of_anna), len(of_anna.keys())) == (2, 14, 14)

    def test_tables_are_not_written_anew(self, become: Become, filled: DeployedStage) -> None:
        """It could take longer than a function may: the command says what to do."""
        del filled
        become("eraser")
        result = run(*self.PERSON, "--yes", "--vacuum")
        assert (result.exit_code, "from within the VPC" in result.stderr) == (2, True)


class TestRetain:
    def test_old_rows_are_deleted_by_the_function(self, filled: DeployedStage, become: Become) -> None:
        """Batch by batch; a dry run only counts."""
        with psycopg.connect(filled.warehouse_url) as connection:
            connection.execute(
                "UPDATE clickstream_events SET event_timestamp = now() WHERE event_timestamp >= %s",
                (START + timedelta(hours=2),),
            )
        become("operator")
        assert said("retain", "--days", "1", "--stage", "dev", "--dry-run", code=1)["rows"] == 8
        done = said("retain", "--days", "1", "--stage", "dev")
        assert (done["rows"], done["left"], rows(filled)) == (8, 0, 4)
        assert said("backfill", "--stage", "dev", *SPAN)["horizon_hours"] == 3
        back = run("retain", "--days", "9", "--stage", "dev")
        assert (back.exit_code, "--move-back" in back.stderr) == (2, True)


class TestStage:
    @pytest.mark.parametrize("option", [("--source", "s3://other"), ("--dw", "postgresql://other")])
    def test_it_stands_for_bucket_and_warehouse(self, option: tuple[str, str]) -> None:
        """Exit code 2 if they are named too."""
        result = run("validate", "--stage", "dev", *option)
        assert (result.exit_code, "leave out --source and --dw" in result.stderr) == (2, True)

    @pytest.mark.parametrize("name", ["Prod", "", "-", "a" * 17])
    def test_a_name_that_no_stage_can_have_is_refused(self, name: str) -> None:
        """Before AWS is asked."""
        result = run("validate", "--stage", name)
        assert (result.exit_code, "a stage's name is" in result.stderr) == (2, True)

    @pytest.mark.usefixtures("stage")
    def test_redrive_takes_the_queue_of_the_stage(self, become: Become) -> None:
        """Which is empty."""
        become("operator")
        assert said("redrive", "--stage", "dev") == {"taken": 0, "done": 0, "failed": []}
