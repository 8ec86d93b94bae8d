"""What each function's policy allows, beside what its code has been seen to ask of AWS: no more, no less."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
from botocore.exceptions import ClientError
from moto.core import set_initial_no_auth_action_count

import app as clickstream_app
from chalicelib.errors import ProjectionFailed, StorageUnavailable, WarehouseUnavailable
from chalicelib.projection.reconciler.hours import prefix_of, start_of
from chalicelib.settings import Settings
from chalicelib.storage import RawStorage, s3_client
from chalicelib.warehouse.client import open_warehouse
from command_line.home import BUCKET
from emulator.triggers.notification import object_created
from infra.policies import Policy
from infra.render import render
from tests.support.aws.calls import ACCOUNT, REGION, Call, Names, permissions, recorded
from tests.support.aws.least_privilege import differences
from tests.support.stack_process import ROOT

pytestmark = pytest.mark.deploy

POLICIES = ROOT / "chalice_app" / ".chalice"
SECRET = "clickstream-warehouse"
PARAMETER = "/clickstream/dev/warehouse"
NOBODY = json.dumps({"username": "u", "password": "p", "host": "127.0.0.1", "port": 1})
KEY = "events/2026/11/25/10/event-0f8fad5b-d9cb-469f-a165-70867728950e.json"
REJECT = KEY.replace("event-0", "event-1")
MEMORY = "reconciler/2026/11/25.json"
GONE = KEY.replace("event-0", "event-2")

# A committed policy serves every stage, so these, and none wider, are the patterns that it may name: any region and
# account, buckets, secrets and functions that begin as ours do, parameters below /clickstream/. Of a stage that
# `infra.render` has written, every name is its own, in full.
COMMITTED = Names(
    bucket="clickstream-s3-ingest*",
    place="*:*",
    function="clickstream-*",
    secret="arn:aws:secretsmanager:*:*:secret:clickstream*",
    parameter="clickstream/*",
    queue="arn:aws:sqs:*:*:clickstream-*-failures",
    notifications="arn:aws:sqs:*:*:clickstream-*-notifications",
)
ROLE = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}],
}

Set = Callable[..., None]
ApiEvent = Callable[..., dict[str, Any]]


def committed(function: str) -> Policy:
    policy: Policy = json.loads((POLICIES / f"policy-{function}.json").read_text())
    return policy


@pytest.fixture
def secret(aws: Any) -> str:
    """Give the ARN of a secret of a pretend AWS, where a parameter says the same: where no warehouse is."""
    del aws
    # A session of its own: what prepares the test is not what the code asks for.
    session = boto3.Session()
    session.client("ssm").put_parameter(Name=PARAMETER, Value=NOBODY, Type="SecureString")
    arn: str = session.client("secretsmanager").create_secret(Name=SECRET, SecretString=NOBODY)["ARN"]
    return arn


@pytest.fixture
def calls(secret: str) -> Iterator[list[Call]]:
    """Give the calls that the app makes, as long as the test lasts."""
    del secret
    with recorded() as calls:
        s3_client.cache_clear()
        yield calls
    s3_client.cache_clear()
    open_warehouse.cache_clear()


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Set:
    """Give a function that sets the app's settings."""
    return lambda **values: monkeypatch.setattr(clickstream_app, "settings", Settings(**values))


def post(api_event: ApiEvent, body: str = "{}", method: str = "POST") -> int:
    event = api_event(body)
    event["requestContext"] |= {"httpMethod": method}
    status: int = clickstream_app.app(event, None)["statusCode"]
    return status


def project(*keys: str) -> list[str]:
    event = {"Records": [object_created(BUCKET, key, 1)["Records"][0] for key in keys]}
    return [outcome["outcome"] for outcome in clickstream_app.project(event, None)]


# To the pretend AWS, when it asks for permission, the test's own credentials are nobody's.
refused = set_initial_no_auth_action_count(0)


def run_ingest(api_event: ApiEvent, settings: Set) -> None:
    """Every way that a request can take through ingest."""
    settings()
    assert post(api_event) == 200
    assert post(api_event, method="OPTIONS") == 200
    assert post(api_event, "no event") == 400
    assert refused(post)(api_event) == 503
    settings(api_keys=frozenset({"0" * 64}))
    assert post(api_event) == 401


def run_projector(client: Any, settings: Set, warehouse_url: str, *read_from: dict[str, str]) -> None:
    """Every way that an object can take through the projector, and where it reads its credentials, each time twice."""
    client.put_object(Bucket=BUCKET, Key=KEY, Body=b"{}")
    client.put_object(Bucket=BUCKET, Key=REJECT, Body=b"[]")
    settings(dw_url=warehouse_url)
    assert project(KEY, KEY, REJECT, GONE) == ["projected", "already_known", "rejected", "gone"]
    with pytest.raises(ProjectionFailed, match="S3 did not give"):
        refused(project)(KEY)
    open_warehouse(clickstream_app.settings).close()
    for where in read_from:
        settings(**where)
        # The second time, the known ones are refused, and read once more.
        for _ in range(2):
            with pytest.raises(ProjectionFailed, match="the warehouse failed"):
                project(KEY)


def operate(operation: str, **arguments: Any) -> Any:
    return clickstream_app.operate({"operation": operation, **arguments}, Invocation())


def run_operations(client: Any, settings: Set, warehouse_url: str, user: str, read_from: dict[str, str]) -> None:
    """Every way that an operation can take, and where it reads the credentials of the owner and of a user."""
    client.put_object(Bucket=BUCKET, Key=KEY, Body=b"{}")
    client.put_object(Bucket=BUCKET, Key=REJECT, Body=b"[]")
    settings(raw_bucket=BUCKET, dw_url=warehouse_url, dw_writer_secret_arn=user)
    assert operate("upgrade", dryRun=False)["users"] == ["u"]
    hours = [f"{KEY.rpartition('/')[0]}/"]
    done = operate("backfill", hours=hours, after="", dryRun=False, beyondHorizon=False)
    assert (done["added"], done["rejected"]) == (1, 1)
    tried = operate("retry", keys=[REJECT, GONE])
    assert (tried["rejected"], tried["gone"]) == ([REJECT], [GONE])
    assert operate("dismiss", key=REJECT, reason="a test")["dismissed"] == 1
    assert operate("count", ids=None, keys=[REJECT])["rejects"] == 1
    with psycopg.connect(warehouse_url, autocommit=True) as connection:
        connection.execute("DROP OWNED BY u")
        connection.execute("DROP ROLE u")
    settings(raw_bucket=BUCKET, **read_from)
    with pytest.raises(WarehouseUnavailable, match="the warehouse failed"):
        operate("upgrade", dryRun=False)


def run_reconciler(client: Any, settings: Set, warehouse_url: str, *read_from: dict[str, str]) -> None:
    """Every way that an object can take through the reconciler, and where it reads its credentials."""
    settings(dw_url=warehouse_url)
    for key in (KEY, reject := f"{prefix_of(start_of(datetime.now(UTC)))}reject.json"):
        client.put_object(Bucket=BUCKET, Key=key, Body=b"[]")
    # An object that was a reject is read, also while others are left to the projector.
    open_warehouse(clickstream_app.settings).reject(BUCKET, reject, "not an event")
    assert clickstream_app.reconcile({}, Invocation())["compared"] == 2
    with pytest.raises(StorageUnavailable):
        refused(clickstream_app.reconcile)({}, Invocation())
    open_warehouse(clickstream_app.settings).close()
    client.put_object(Bucket=BUCKET, Key=f"{prefix_of(start_of(datetime.now(UTC)))}new.json", Body=b"{}")
    for where in read_from:
        settings(**where)
        with pytest.raises(WarehouseUnavailable):
            clickstream_app.reconcile({}, Invocation())


class Invocation:
    """As Lambda tells a function of its invocation."""

    def get_remaining_time_in_millis(self) -> int:
        return 240_000


class TestPolicies:
    def test_ingest_may_do_what_it_does(self, calls: list[Call], settings: Set, api_event: ApiEvent) -> None:
        """Put events, and nothing else."""
        run_ingest(api_event, settings)
        assert [call.operation for call in calls] == ["PutObject"] * 2
        assert differences(committed("ingest"), calls, "ingest", COMMITTED) == []

    def test_the_projector_may_do_what_it_does(
        self, calls: list[Call], settings: Set, secret: str, warehouse_url: str, aws: Any
    ) -> None:
        """Get events, and read its credentials."""
        run_projector(aws, settings, warehouse_url, {"dw_secret_arn": secret}, {"dw_parameter_name": PARAMETER})
        operations = [call.operation for call in calls if call.operation != "GetObject"]
        assert operations == ["GetSecretValue"] * 2 + ["GetParameter"] * 2
        assert differences(committed("projector"), calls, "projector", COMMITTED) == []

    @pytest.mark.parametrize("kept_in", ["dw_secret_arn", "dw_parameter_name"])
    def test_the_operations_function_may_do_what_it_does(
        self, kept_in: str, calls: list[Call], settings: Set, secret: str, warehouse_url: str, aws: Any
    ) -> None:
        """List and get events, and read the credentials of the owner and of the users that it makes."""
        where = secret if kept_in == "dw_secret_arn" else PARAMETER
        run_operations(aws, settings, warehouse_url, secret, {kept_in: where})
        names = {call.operation for call in calls}
        assert names >= {"ListObjectsV2", "GetObject", "GetSecretValue"}
        policy = committed("operations")
        unused = {"dw_secret_arn": "ParameterOfWarehouse", "dw_parameter_name": ""}[kept_in]
        policy["Statement"] = [each for each in policy["Statement"] if each["Sid"] != unused]
        assert differences(policy, calls, "operations", COMMITTED) == []

    def test_the_operations_function_of_a_stage_reads_the_secrets_of_its_users_only(
        self, calls: list[Call], settings: Set, secret: str, warehouse_url: str, aws: Any, tmp_path: Path
    ) -> None:
        """The owner's, the writer's and the reader's."""
        session = boto3.Session()
        owner = session.client("secretsmanager").create_secret(Name=f"{SECRET}-owner", SecretString=NOBODY)["ARN"]
        outputs = {"Region": REGION, "AccountId": ACCOUNT, "Partition": "aws", "RawBucketName": BUCKET}
        outputs |= {"AllowedOrigins": "*", "SubnetIds": "subnet-1", "SecurityGroupIds": "sg-1"}
        outputs |= {"DwSecretArn": secret, "DwOwnerSecretArn": owner, "DwReaderSecretArn": f"{secret}-reader"}
        render("dev", outputs, tmp_path)
        policy = json.loads((tmp_path / ".chalice" / "policy-operations.json").read_text())
        allowed = {each["Sid"]: each["Resource"] for each in policy["Statement"]}
        assert allowed["SecretOfWarehouse"] == [owner]
        assert allowed["SecretsOfUsers"] == [secret, f"{secret}-reader"]
        run_operations(aws, settings, warehouse_url, secret, {"dw_secret_arn": owner})
        read = {call.parameters["SecretId"] for call in calls if call.operation == "GetSecretValue"}
        assert read == {owner, secret}

    def test_the_reconciler_may_do_what_it_does(
        self, calls: list[Call], settings: Set, secret: str, warehouse_url: str, aws: Any
    ) -> None:
        """List the bucket, get events, get and put what it remembers, and read its credentials."""
        run_reconciler(aws, settings, warehouse_url, {"dw_secret_arn": secret}, {"dw_parameter_name": PARAMETER})
        assert {call.operation for call in calls} == {
            "ListObjectsV2",
            "GetObject",
            "PutObject",
            "GetSecretValue",
            "GetParameter",
        }
        assert differences(committed("reconciler"), calls, "reconciler", COMMITTED) == []

    @pytest.mark.parametrize(
        ("kept_in", "trigger"), [("DwSecretArn", "sqs"), ("DwSecretArn", "s3"), ("DwParameterName", "s3")]
    )
    def test_a_stage_allows_what_it_needs(
        self,
        kept_in: str,
        trigger: str,
        calls: list[Call],
        settings: Set,
        api_event: ApiEvent,
        secret: str,
        warehouse_url: str,
        aws: Any,
        tmp_path: Path,
    ) -> None:
        """Its own bucket and logs, the queue of its trigger; of secret and parameter the one there is; interfaces."""
        has_secret = kept_in == "DwSecretArn"
        queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:clickstream-dev-failures"
        outputs = {"Region": REGION, "AccountId": ACCOUNT, "Partition": "aws", "RawBucketName": BUCKET}
        outputs |= {"AllowedOrigins": "*", "FailureQueueArn": queue, kept_in: secret if has_secret else PARAMETER}
        notifications = queue.replace("failures", "notifications")
        outputs |= {"Trigger": trigger, "NotificationQueueArn": notifications if trigger == "sqs" else ""}
        outputs |= {"SubnetIds": "subnet-1", "SecurityGroupIds": "sg-1"} if has_secret else {}
        render("dev", outputs, tmp_path)
        ingest, projector, reconciler = (
            json.loads((tmp_path / ".chalice" / f"policy-{function}.json").read_text())
            for function in ("ingest", "projector", "reconciler")
        )

        names = Names(BUCKET, f"{REGION}:{ACCOUNT}", "clickstream-dev")
        run_ingest(api_event, settings)
        assert differences(ingest, calls, "ingest", names) == []

        calls.clear()
        run_projector(
            aws, settings, warehouse_url, {"dw_secret_arn": secret} if has_secret else {"dw_parameter_name": PARAMETER}
        )
        kept = {"secret": secret} if has_secret else {"parameter": PARAMETER.lstrip("/")}
        kept |= {"notifications": notifications} if trigger == "sqs" else {"queue": queue}
        names = Names(names.bucket, names.place, "clickstream-dev-projector", has_vpc=has_secret, **kept)
        assert differences(projector, calls, "projector", names) == []

        calls.clear()
        run_reconciler(
            aws, settings, warehouse_url, {"dw_secret_arn": secret} if has_secret else {"dw_parameter_name": PARAMETER}
        )
        kept = {name: value for name, value in kept.items() if name in ("secret", "parameter")}
        names = Names(names.bucket, names.place, "clickstream-dev-reconciler", has_vpc=has_secret, **kept)
        assert differences(reconciler, calls, "reconciler", names) == []


CALLS = {
    "ingest": [Call("s3", "PutObject", {"Bucket": BUCKET, "Key": KEY})],
    "projector": [
        Call("s3", "GetObject", {"Bucket": BUCKET, "Key": KEY}),
        Call("secretsmanager", "GetSecretValue", {"SecretId": f"arn:aws:secretsmanager:r:1:secret:{SECRET}"}),
        Call("ssm", "GetParameter", {"Name": PARAMETER}),
    ],
}
CALLS["reconciler"] = [
    *CALLS["projector"],
    Call("s3", "GetObject", {"Bucket": BUCKET, "Key": MEMORY}),
    Call("s3", "PutObject", {"Bucket": BUCKET, "Key": MEMORY, "Body": b"{}"}),
]


def found(policy: Policy, function: str = "ingest") -> list[str]:
    return differences(policy, CALLS[function], function, COMMITTED)


def altered(function: str) -> Iterator[Policy]:
    """Every policy that has, somewhere, one thing less, more, or wider than the committed one."""
    for index, statement in enumerate(committed(function)["Statement"]):
        # The action of each call is there; what is added is more, wherever it is added.
        others: list[dict[str, list[str]]] = [
            {"Action": [*statement["Action"], more]} for more in ("s3:DeleteObject", "s3:*", "kms:Decrypt", "*")
        ]
        others += [
            {"Action": [action for action in statement["Action"] if action != less]} for less in statement["Action"]
        ]
        for resource in statement["Resource"]:
            wider = {"*", resource + "*", resource.replace("events/*", "*"), resource.rpartition(":")[0] + ":*"}
            narrower = {resource.replace("*", "one", 1), resource + "/one"}
            others += [{"Resource": [other]} for other in (wider | narrower) - {resource}]
            others += [{"Resource": [resource, other]} for other in wider - {resource}]
        for other in others:
            policy = committed(function)
            policy["Statement"][index] |= other
            yield policy
        policy = committed(function)
        del policy["Statement"][index]
        yield policy


class TestDifferences:
    """The comparison above finds every change of a policy, and says what is wrong with it."""

    @pytest.mark.parametrize(("function", "least"), [("ingest", 20), ("projector", 60), ("reconciler", 60)])
    def test_no_change_goes_unnoticed(self, function: str, least: int) -> None:
        """Each statement, action and resource left out, each one more, each resource wider or narrower."""
        assert found(committed(function), function) == []
        policies = list(altered(function))
        assert len(policies) >= least
        assert [policy for policy in policies if not found(policy, function)] == []

    @pytest.mark.parametrize(
        ("change", "difference"),
        [
            ({"Action": ["s3:PutObject", "s3:DeleteObject"]}, ["too much: s3:DeleteObject on {events}"]),
            ({"Action": ["s3:*"]}, ["missing: s3:PutObject on {events}", "too much: s3:* on {events}"]),
            ({"Action": []}, ["missing: s3:PutObject on {events}"]),
            (
                {"Resource": ["{bucket}/*"]},
                ["missing: s3:PutObject on {events}", "too much: s3:PutObject on {bucket}/*"],
            ),
            ({"Resource": ["*"]}, ["missing: s3:PutObject on {events}", "too much: s3:PutObject on *"]),
        ],
    )
    def test_a_difference_is_named(self, change: dict[str, list[str]], difference: list[str]) -> None:
        """By action and resource, with what is wrong about it."""
        names = {
            "bucket": "arn:aws:s3:::clickstream-s3-ingest*",
            "events": "arn:aws:s3:::clickstream-s3-ingest*/events/*",
        }
        policy = committed("ingest")
        policy["Statement"][0] |= {name: [value.format(**names) for value in values] for name, values in change.items()}
        assert found(policy) == [line.format(**names) for line in difference]

    @pytest.mark.parametrize(
        "change",
        [{"NotAction": ["s3:*"]}, {"Effect": "Deny"}, {"Condition": {}}, {"Action": "s3:*"}, {"Resource": "*"}],
    )
    def test_other_forms_of_a_statement_are_refused(self, change: dict[str, Any]) -> None:
        """Which could say something else than they seem to."""
        policy = committed("ingest")
        policy["Statement"][0] |= change
        with pytest.raises(AssertionError, match="has"):
            found(policy)

    def test_a_call_that_nobody_knows_is_an_error(self) -> None:
        """Whoever makes a new one says what it takes."""
        with pytest.raises(KeyError, match="DeleteObject"):
            permissions(Call("s3", "DeleteObject", {"Bucket": BUCKET, "Key": KEY}), COMMITTED)

    @pytest.mark.parametrize(
        ("operation", "parameter"), [("PutObject", "Tagging"), ("PutObject", "ACL"), ("GetObject", "VersionId")]
    )
    def test_a_parameter_that_nobody_knows_is_an_error(self, operation: str, parameter: str) -> None:
        """It may take another permission."""
        with pytest.raises(AssertionError, match=parameter):
            permissions(Call("s3", operation, {"Bucket": BUCKET, "Key": KEY, parameter: "some"}), COMMITTED)

    @pytest.mark.parametrize("operation", ["PutObject", "GetObject"])
    @pytest.mark.parametrize("where", [{"Bucket": BUCKET, "Key": "elsewhere"}, {"Bucket": "another", "Key": KEY}])
    def test_a_call_about_something_else_is_an_error(self, operation: str, where: dict[str, str]) -> None:
        """No policy of ours could ever allow it."""
        with pytest.raises(AssertionError, match="is not"):
            permissions(Call("s3", operation, where), COMMITTED)


class TestDenials:
    """A pretend AWS that asks for permission, and roles that carry exactly the policies.

    It judges S3 by action and resource. Of Secrets Manager and Parameter Store it judges the action alone, and lets in
    only a role that may do it with every resource. It calls a missing object missing to everybody, also to clients that
    may not list the bucket. S3 itself does otherwise, which no test here can show.
    """

    @pytest.fixture
    def client_of(self, aws: Any) -> Callable[..., Any]:
        """Give a function that gives a client of somebody who has assumed a role with one policy."""
        del aws

        def make(policy: Policy, service: str = "s3") -> Any:
            iam, sts = boto3.client("iam"), boto3.client("sts")
            name = f"role-{len(iam.list_roles()['Roles'])}"
            role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(ROLE))["Role"]
            iam.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=json.dumps(policy))
            keys = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="test")["Credentials"]
            return boto3.client(
                service,
                aws_access_key_id=keys["AccessKeyId"],
                aws_secret_access_key=keys["SecretAccessKey"],
                aws_session_token=keys["SessionToken"],
            )

        return make

    @pytest.fixture
    def objects(self, aws: Any) -> None:
        """Put an event, an object elsewhere, and one in another bucket."""
        aws.create_bucket(Bucket="another")
        for bucket, key in ((BUCKET, KEY), (BUCKET, "elsewhere.json"), ("another", KEY)):
            aws.put_object(Bucket=bucket, Key=key, Body=b"{}")

    @pytest.mark.usefixtures("objects")
    def test_ingest_can_put_events_and_nothing_else(self, client_of: Callable[..., Any]) -> None:
        """No other object, no read, no list, no deletion, no other bucket."""
        client = client_of(committed("ingest"))
        event = {"Bucket": BUCKET, "Key": KEY}
        assert not is_denied(client.put_object, **event, Body=b"{}")
        assert is_denied(client.put_object, Bucket=BUCKET, Key="elsewhere.json", Body=b"{}")
        assert is_denied(client.put_object, Bucket="another", Key=KEY, Body=b"{}")
        assert is_denied(client.get_object, **event)
        assert is_denied(client.head_object, **event)
        assert is_denied(client.delete_object, **event)
        assert is_denied(client.list_objects_v2, Bucket=BUCKET)

    @pytest.mark.usefixtures("objects")
    def test_the_projector_can_get_events_and_nothing_else(self, client_of: Callable[..., Any]) -> None:
        """No other object, no write, no deletion, no other bucket; of one that is gone it is told so."""
        client = client_of(committed("projector"))
        event = {"Bucket": BUCKET, "Key": KEY}
        assert not is_denied(client.get_object, **event)
        assert not is_denied(client.list_objects_v2, Bucket=BUCKET)
        assert is_denied(client.get_object, Bucket=BUCKET, Key="elsewhere.json")
        assert is_denied(client.get_object, Bucket="another", Key=KEY)
        assert is_denied(client.list_objects_v2, Bucket="another")
        assert is_denied(client.put_object, **event, Body=b"{}")
        assert is_denied(client.delete_object, **event)
        with pytest.raises(ClientError, match="NoSuchKey"):
            refused(client.get_object)(Bucket=BUCKET, Key=GONE)

    @pytest.mark.usefixtures("objects")
    def test_the_reconciler_can_write_what_it_remembers_and_no_event(self, client_of: Callable[..., Any]) -> None:
        """It reads events, and deletes nothing."""
        client = client_of(committed("reconciler"))
        event = {"Bucket": BUCKET, "Key": KEY}
        assert not is_denied(client.get_object, **event)
        assert not is_denied(client.list_objects_v2, Bucket=BUCKET)
        assert not is_denied(client.put_object, Bucket=BUCKET, Key=MEMORY, Body=b"{}")
        assert not is_denied(client.get_object, Bucket=BUCKET, Key=MEMORY)
        assert is_denied(client.put_object, **event, Body=b"{}")
        assert is_denied(client.delete_object, **event)
        assert is_denied(client.delete_object, Bucket=BUCKET, Key=MEMORY)
        assert is_denied(client.get_object, Bucket=BUCKET, Key="elsewhere.json")
        assert is_denied(client.list_objects_v2, Bucket="another")

    def test_ingest_reads_no_credentials(self, client_of: Callable[..., Any], secret: str) -> None:
        """Not even if its policy were for every resource; the projector's, then, lets it."""
        answers = {}
        for function in ("ingest", "projector"):
            policy = committed(function)
            policy["Statement"] = [statement | {"Resource": ["*"]} for statement in policy["Statement"]]
            answers[function] = [
                is_denied(client_of(policy, "secretsmanager").get_secret_value, SecretId=secret),
                is_denied(client_of(policy, "ssm").get_parameter, Name=PARAMETER, WithDecryption=True),
            ]
        assert answers == {"ingest": [True, True], "projector": [False, False]}

    def test_the_real_handlers_work_with_their_own_policies(
        self,
        client_of: Callable[..., Any],
        settings: Set,
        api_event: ApiEvent,
        warehouse_url: str,
        aws: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """With the other's they do not: an event that cannot be stored is never acknowledged, nor is it there."""
        ingest, projector = (RawStorage(client_of(committed(function))) for function in ("ingest", "projector"))
        settings(dw_url=warehouse_url)
        monkeypatch.setattr(clickstream_app, "storage", ingest)
        assert refused(post)(api_event) == 200
        (stored,) = aws.list_objects_v2(Bucket=BUCKET)["Contents"]
        with pytest.raises(ProjectionFailed, match="AccessDenied"):
            refused(project)(stored["Key"])

        monkeypatch.setattr(clickstream_app, "storage", projector)
        assert refused(project)(stored["Key"], GONE) == ["projected", "gone"]
        assert refused(post)(api_event) == 503
        assert aws.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 1
        open_warehouse(clickstream_app.settings).close()


@refused
def is_denied(call: Callable[..., Any], **parameters: Any) -> bool:
    """Whether a pretend AWS that asks for permission denies a call; another error is an error."""
    try:
        call(**parameters)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 403:
            return True
        raise
    return False
