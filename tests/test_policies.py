"""What each function's policy allows, beside what its code has been seen to ask of AWS: no more, no less."""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.core import set_initial_no_auth_action_count

import app as clickstream_app
from chalicelib.errors import ProjectionFailed
from chalicelib.settings import Settings
from chalicelib.storage import RawStorage
from chalicelib.warehouse import open_warehouse
from emulator.home import BUCKET
from emulator.s3_event import object_created
from infra.policies import Policy, narrowed
from tests.aws_calls import Call, Names, permissions, recorded
from tests.stack_process import ROOT
from tests.test_infra_render import OUTPUTS

POLICIES = ROOT / "chalice_app" / ".chalice"
FUNCTIONS = {"ingest": "", "projector": "-projector"}
SECRET = "clickstream-warehouse"
PARAMETER = "/clickstream/dev/warehouse"
NOBODY = json.dumps({"username": "u", "password": "p", "host": "127.0.0.1", "port": 1})
KEY = "events/2026/11/25/10/event-0f8fad5b-d9cb-469f-a165-70867728950e.json"
# The committed policies serve every stage, region and account; a stage's own names are for `narrowed`.
COMMITTED = Names(
    bucket="clickstream-s3-ingest*",
    place="*:*",
    secret="arn:aws:secretsmanager:*:*:secret:clickstream*",
    parameter="clickstream/*",
    queue="arn:aws:sqs:*:*:clickstream-*-failures",
    function="clickstream-*",
)
INTERFACES = (
    "AssignPrivateIpAddresses",
    "CreateNetworkInterface",
    "DeleteNetworkInterface",
    "DescribeNetworkInterfaces",
    "DescribeSubnets",
    "UnassignPrivateIpAddresses",
)

Permissions = set[tuple[str, str]]


def committed(function: str) -> Policy:
    policy: Policy = json.loads((POLICIES / f"policy-{function}.json").read_text())
    return policy


def allowed(policy: Policy) -> Permissions:
    """Every pair of an action and a resource that a policy allows; it must be of a plain form."""
    for statement in policy["Statement"]:
        assert statement.keys() == {"Sid", "Effect", "Action", "Resource"}
        assert statement["Effect"] == "Allow"
    return {
        (action, resource)
        for statement in policy["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
    }


def granted_to_lambda(function: str, names: Names) -> Permissions:
    """What Lambda itself needs in a function's name, so that no call of ours shows it."""
    logs = f"arn:aws:logs:{names.place}:log-group:/aws/lambda/{names.function}:*"
    grants = {(f"logs:{action}", logs) for action in ("CreateLogGroup", "CreateLogStream", "PutLogEvents")}
    grants |= {("xray:PutTraceSegments", "*"), ("xray:PutTelemetryRecords", "*")}
    if function == "projector":
        # The failed invocation goes to the queue; a VPC is entered by a network interface.
        grants |= {("sqs:SendMessage", names.queue)} | {(f"ec2:{action}", "*") for action in INTERFACES}
    return grants


def needed(calls: list[Call], function: str, names: Names) -> Permissions:
    return granted_to_lambda(function, names).union(*(permissions(call, names) for call in calls))


@pytest.fixture
def calls(aws: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Call]]:
    """Give the calls of the app, on a pretend AWS that holds a secret and a parameter."""
    del aws
    boto3.client("secretsmanager").create_secret(Name=SECRET, SecretString=NOBODY)
    boto3.client("ssm").put_parameter(Name=PARAMETER, Value=NOBODY, Type="SecureString")
    with recorded() as calls:
        monkeypatch.setattr(clickstream_app, "storage", RawStorage(boto3.client("s3")))
        yield calls
        open_warehouse.cache_clear()


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Give a function that sets the app's settings."""
    return lambda **values: monkeypatch.setattr(clickstream_app, "settings", Settings(**values))


def post(api_event: Callable[..., dict[str, Any]], body: str) -> int:
    status: int = clickstream_app.app(api_event(body), None)["statusCode"]
    return status


def project(*keys: str) -> list[str]:
    event = {"Records": [object_created(BUCKET, key, 1)["Records"][0] for key in keys]}
    return [outcome["outcome"] for outcome in clickstream_app.project(event, None)]


def arn() -> str:
    found: str = boto3.client("secretsmanager").describe_secret(SecretId=SECRET)["ARN"]
    return found


def run_ingest(api_event: Callable[..., dict[str, Any]], settings: Callable[..., None]) -> None:
    """Every way that an event can take through ingest."""
    settings()
    assert post(api_event, "{}") == 200
    assert post(api_event, "no event") == 400
    settings(raw_bucket=f"{BUCKET}-gone")
    assert post(api_event, "{}") == 503


def run_projector(settings: Callable[..., None], warehouse_url: str, client: Any) -> None:
    """Every way that an object can take through the projector."""
    reject = KEY.replace("event-0", "event-1")
    client.put_object(Bucket=BUCKET, Key=KEY, Body=b"{}")
    client.put_object(Bucket=BUCKET, Key=reject, Body=b"[]")
    settings(dw_url=warehouse_url)
    outcomes = project(KEY, KEY, reject, KEY.replace("event-0", "event-2"))
    assert outcomes == ["projected", "already_known", "rejected", "gone"]
    open_warehouse(clickstream_app.settings).close()


def read_credentials(settings: Callable[..., None], **where: str) -> None:
    """Twice, for a warehouse that refuses: the second time they are read again."""
    settings(**where)
    for _ in range(2):
        with pytest.raises(ProjectionFailed, match="the warehouse failed"):
            project(KEY)


class TestPolicies:
    def test_ingest_may_do_what_it_does(
        self,
        calls: list[Call],
        settings: Callable[..., None],
        api_event: Callable[..., dict[str, Any]],
    ) -> None:
        """Put events, and nothing else."""
        run_ingest(api_event, settings)
        assert {call.operation for call in calls} == {"PutObject"}
        assert allowed(committed("ingest")) == needed(calls, "ingest", COMMITTED)

    def test_the_projector_may_do_what_it_does(
        self, calls: list[Call], settings: Callable[..., None], warehouse_url: str, aws: Any
    ) -> None:
        """Get events, and read its credentials."""
        run_projector(settings, warehouse_url, aws)
        read_credentials(settings, dw_secret_arn=arn())
        read_credentials(settings, dw_parameter_name=PARAMETER)
        operations = [call.operation for call in calls]
        assert (operations.count("GetSecretValue"), operations.count("GetParameter")) == (2, 2)
        calls[:] = [call for call in calls if call.operation not in {"PutObject", "DescribeSecret"}]
        assert allowed(committed("projector")) == needed(calls, "projector", COMMITTED)

    @pytest.mark.parametrize("kept_in", ["secret", "parameter"])
    def test_a_stage_allows_what_it_needs(
        self, kept_in: str, calls: list[Call], settings: Callable[..., None], warehouse_url: str, aws: Any
    ) -> None:
        """Its bucket, its queue, and where its credentials are kept: one of the two."""
        run_projector(settings, warehouse_url, aws)
        secret = arn()
        where = {"dw_secret_arn": secret} if kept_in == "secret" else {"dw_parameter_name": PARAMETER}
        read_credentials(settings, **where)
        calls[:] = [call for call in calls if call.operation not in {"PutObject", "DescribeSecret"}]
        outputs = OUTPUTS | {"Region": "us-east-1", "RawBucketName": BUCKET}
        outputs |= {
            "DwSecretArn": where.get("dw_secret_arn", ""),
            "DwParameterName": where.get("dw_parameter_name", ""),
        }
        names = Names(
            bucket=BUCKET,
            place="us-east-1:123456789012",
            secret=secret,
            parameter=PARAMETER.lstrip("/"),
            queue=OUTPUTS["FailureQueueArn"],
            function="clickstream-dev-projector",
        )
        policy = narrowed(committed("projector"), outputs, names.function)
        assert allowed(policy) == needed(calls, "projector", names)


class TestComparison:
    """The comparison above finds every change of a policy: it compares sets, which these tests alter."""

    @pytest.mark.parametrize("function", FUNCTIONS)
    def test_nothing_can_be_taken_away(self, function: str) -> None:
        """Each action of each statement counts."""
        policy = committed(function)
        for index, statement in enumerate(policy["Statement"]):
            for action in statement["Action"]:
                less = copy.deepcopy(policy)
                less["Statement"][index]["Action"].remove(action)
                assert allowed(less) < allowed(policy)

    @pytest.mark.parametrize("function", FUNCTIONS)
    @pytest.mark.parametrize("action", ["s3:DeleteObject", "s3:*", "*"])
    def test_nothing_can_be_added(self, function: str, action: str) -> None:
        """Nor can a resource be widened."""
        policy = committed(function)
        for index in range(len(policy["Statement"])):
            more = copy.deepcopy(policy)
            more["Statement"][index]["Action"].append(action)
            assert allowed(more) > allowed(policy)
        wider = copy.deepcopy(policy)
        wider["Statement"][0]["Resource"] = ["*"]
        assert allowed(wider) != allowed(policy)

    def test_other_forms_of_a_statement_are_refused(self) -> None:
        """Which would say something else than they seem to."""
        changes: list[dict[str, Any]] = [{"NotAction": ["s3:*"]}, {"Effect": "Deny"}, {"Condition": {}}]
        for change in changes:
            policy = committed("ingest")
            policy["Statement"][0] |= change
            with pytest.raises(AssertionError):
                allowed(policy)

    def test_a_call_that_nobody_knows_is_an_error(self) -> None:
        """Whoever makes a new one says what it takes."""
        with pytest.raises(KeyError):
            permissions(Call("s3", "DeleteObject", {"Bucket": BUCKET, "Key": KEY}), COMMITTED)
        with pytest.raises(AssertionError, match="is none of"):
            permissions(Call("s3", "PutObject", {"Bucket": BUCKET, "Key": "elsewhere"}), COMMITTED)


class TestDenials:
    """A pretend AWS that asks for permission, and each function's own policy; it does so for S3 only."""

    @pytest.fixture
    def client_of(self, aws: Any) -> Callable[[Policy], Any]:
        """Give a function that gives the S3 client of somebody who has one policy."""
        del aws

        def make(policy: Policy) -> Any:
            iam = boto3.client("iam")
            name = f"user-{len(iam.list_users()['Users'])}"
            iam.create_user(UserName=name)
            iam.put_user_policy(UserName=name, PolicyName="policy", PolicyDocument=json.dumps(policy))
            key = iam.create_access_key(UserName=name)["AccessKey"]
            return boto3.client(
                "s3", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
            )

        return make

    def test_ingest_can_put_events_and_nothing_else(self, client_of: Callable[[Policy], Any], aws: Any) -> None:
        """No other object, no read, no list, no deletion, no other bucket."""
        aws.create_bucket(Bucket="another")
        client = client_of(committed("ingest"))
        event = {"Bucket": BUCKET, "Key": KEY}

        @set_initial_no_auth_action_count(0)
        def try_everything() -> list[bool]:
            client.put_object(**event, Body=b"{}")
            return [
                is_denied(client.put_object, Bucket=BUCKET, Key="elsewhere.json", Body=b"{}"),
                is_denied(client.put_object, Bucket="another", Key=KEY, Body=b"{}"),
                is_denied(client.get_object, **event),
                is_denied(client.delete_object, **event),
                is_denied(client.list_objects_v2, Bucket=BUCKET),
            ]

        assert try_everything() == [True] * 5

    def test_the_projector_can_get_events_and_nothing_else(self, client_of: Callable[[Policy], Any], aws: Any) -> None:
        """No other object, no write, no deletion, no other bucket; of one that is gone it is told so."""
        aws.create_bucket(Bucket="another")
        for bucket, key in ((BUCKET, KEY), (BUCKET, "elsewhere.json"), ("another", KEY)):
            aws.put_object(Bucket=bucket, Key=key, Body=b"{}")
        client = client_of(committed("projector"))
        event = {"Bucket": BUCKET, "Key": KEY}

        @set_initial_no_auth_action_count(0)
        def try_everything() -> list[bool]:
            client.get_object(**event)
            with pytest.raises(ClientError, match="NoSuchKey"):
                client.get_object(Bucket=BUCKET, Key=f"{KEY}.gone")
            return [
                is_denied(client.get_object, Bucket=BUCKET, Key="elsewhere.json"),
                is_denied(client.get_object, Bucket="another", Key=KEY),
                is_denied(client.put_object, **event, Body=b"{}"),
                is_denied(client.delete_object, **event),
            ]

        assert try_everything() == [True] * 4

    def test_the_real_handlers_work_with_their_own_policies(
        self,
        client_of: Callable[[Policy], Any],
        settings: Callable[..., None],
        api_event: Callable[..., dict[str, Any]],
        warehouse_url: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """And with the other's they do not: an event that cannot be stored is never acknowledged."""
        ingest, projector = (client_of(committed(function)) for function in FUNCTIONS)
        settings(dw_url=warehouse_url)

        @set_initial_no_auth_action_count(0)
        def run() -> tuple[int, list[str], int]:
            monkeypatch.setattr(clickstream_app, "storage", RawStorage(ingest))
            answer = clickstream_app.app(api_event("{}"), None)
            with pytest.raises(ProjectionFailed, match="AccessDenied"):
                project(json.loads(answer["body"])["key"])
            monkeypatch.setattr(clickstream_app, "storage", RawStorage(projector))
            return answer["statusCode"], project(json.loads(answer["body"])["key"]), post(api_event, "{}")

        assert run() == (200, ["projected"], 503)
        open_warehouse(clickstream_app.settings).close()


def is_denied(call: Callable[..., Any], **parameters: Any) -> bool:
    try:
        call(**parameters)
    except ClientError as error:
        return bool(error.response["Error"]["Code"] == "AccessDenied")
    return False
