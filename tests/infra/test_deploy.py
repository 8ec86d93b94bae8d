"""`infra/deploy.sh` and `infra/destroy.sh` with the real AWS CLI and Chalice, against a pretend AWS."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
import trustme

from chalicelib.operations.handler import handle
from chalicelib.settings import Settings
from chalicelib.storage import RawStorage
from chalicelib.warehouse.schema import SCHEMA
from chalicelib.warehouse.tables import REJECTS
from infra.policies import narrowed
from tests.support.aws.stacks import ACCOUNT_LIMIT, Recorded, aws_server
from tests.support.aws.warm import warm_programs
from tests.support.stack_process import ROOT

pytestmark = pytest.mark.deploy

REGION = "eu-central-1"
BEFORE = ["raw", "base", "lake", "network", "warehouse", "warehouse-alarms", "queue"]  # the functions
AFTER = ["mapping", "operations", "api", "monitoring", "reconciler", "dashboard", "compaction", "budget"]
STACKS = [*BEFORE, *AFTER]
FUNCTIONS = "functions clickstream-dev, projector, operations and reconciler"
RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
ADDRESS = "operator@shop.example"


class Repository:
    """A copy of what the scripts need, with stages of its own, and an AWS for them."""

    def __init__(self, path: Path, url: str, programs: Path) -> None:
        self.path = path
        self._url = url
        self._programs = programs
        shutil.copytree(ROOT / "infra", path / "infra")
        ignore = shutil.ignore_patterns("__pycache__", "deployments", "deployed")
        shutil.copytree(ROOT / "chalice_app", path / "chalice_app", ignore=ignore)
        # What the compaction's zip and the demo shop are made of.
        for name in ("analysis", "command_line", "requirements.lock", "emulator", "publisher"):
            (path / name).symlink_to(ROOT / name)
        authorities = path / "authorities.pem"
        trustme.CA().cert_pem.write_to_path(authorities)
        watched = {"AlarmEmail": ADDRESS, "BudgetDollars": "50"}
        self.stage("dev", WarehouseCa=f"file://{authorities}", Lake="new", Runtime=RUNTIME, **watched)

    def stage(self, name: str, **settings: str) -> None:
        """Write a stage as `dev`, but for these settings."""
        stages = self.path / "infra" / "stages"
        (stages / f"{name}.json").write_text(json.dumps(json.loads((stages / "dev.json").read_text()) | settings))

    def run(self, script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run one script of infra/, with the programs started already."""
        return self.call(str(self.path / "infra" / script), *arguments, **environment)

    def call(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command, as somebody with credentials for the pretend AWS, and none for a real one."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DW_"))}
        ours = {
            "PATH": f"{self._programs}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.path),
            "AWS_ENDPOINT_URL": self._url,
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "SMOKE": "no",
        }
        return subprocess.run(
            command, capture_output=True, text=True, timeout=240, check=False, env=kept | ours | environment
        )

    def client(self, service: str) -> Any:
        return boto3.client(service, REGION, endpoint_url=self._url, aws_access_key_id="a", aws_secret_access_key="b")

    def outputs(self) -> dict[str, str]:
        """What the stacks of `dev` have made, and where, as infra.render takes it."""
        stacks = self.client("cloudformation").describe_stacks()["Stacks"]
        made = {each["OutputKey"]: each["OutputValue"] for stack in stacks for each in stack.get("Outputs", ())}
        return made | {
            "Region": REGION,
            "AccountId": "123456789012",
            "Partition": "aws",
            "DwParameterName": "",
            "Trigger": "sqs",
        }

    def contents(self) -> dict[str, list[str]]:
        """Names of whatever of a stage can be there."""
        client = self.client
        return {
            "stacks": [stack["StackName"] for stack in client("cloudformation").describe_stacks()["Stacks"]],
            "buckets": [bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]],
            "functions": [
                f"{function['FunctionName']} {function['CodeSha256']}"
                for function in client("lambda").list_functions()["Functions"]
            ],
            "roles": [role["RoleName"] for role in client("iam").list_roles()["Roles"]],
            "apis": [api["id"] for api in client("apigateway").get_rest_apis()["items"]],
            "queues": client("sqs").list_queues().get("QueueUrls", []),
            "topics": [topic["TopicArn"] for topic in client("sns").list_topics()["Topics"]],
            "logs": [group["logGroupName"] for group in client("logs").describe_log_groups()["logGroups"]],
            "vpcs": [vpc["VpcId"] for vpc in client("ec2").describe_vpcs()["Vpcs"] if not vpc["IsDefault"]],
            "recorded": sorted(f"{resource.type} {name}" for name, resource in Recorded.there.items()),
        }


@pytest.fixture(scope="module")
def warehouse(new_database: Callable[[], AbstractContextManager[str]]) -> Iterator[str]:
    """Give the URL of the warehouse of every stage, which is empty at first."""
    with new_database() as url:
        yield url


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory, warehouse: str) -> Iterator[Repository]:
    """Give a repository and an empty AWS, whose function for operations is run on a real PostgreSQL."""

    def run(_name: str, event: dict[str, Any]) -> object:
        return handle(event, lambda: 900.0, Settings(dw_url=warehouse), RawStorage())

    with aws_server(run) as url, warm_programs() as programs:
        yield Repository(tmp_path_factory.mktemp("infra") / "repository", url, programs)


@pytest.fixture(scope="module")
def deployed(repository: Repository) -> subprocess.CompletedProcess[str]:
    """Deploy the stage `dev` once; give what was said."""
    done = repository.run("deploy.sh", "dev")
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def direct(repository: Repository) -> subprocess.CompletedProcess[str]:
    """Deploy the stage `dev` once with the direct trigger, and without a lake and a warehouse of its own."""
    there = {"Lake": "none", "Warehouse": "none", "Vpc": "none", "DwParameterName": "/clickstream/dev/warehouse"}
    repository.stage("dev", WarehouseCa="", Trigger="s3", **there)
    done = repository.run("deploy.sh", "dev")
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def steps(said: str) -> list[str]:
    """The headings of a run, without the stage's name."""
    return [line.replace("clickstream-dev-", "") for line in re.findall("^== (.*)$", said, re.MULTILINE)]


def ingest_variables(repository: Repository) -> dict[str, str]:
    """The environment of the function that ingests."""
    found = repository.client("lambda").get_function_configuration(FunctionName="clickstream-dev")
    variables: dict[str, str] = found["Environment"]["Variables"]
    return variables


class TestFirstDryRun:
    def test_of_a_stage_that_is_not_there_everything_would_be_new(self, repository: Repository) -> None:
        """And nothing is there afterwards; the functions are shown as they would be, in their VPC."""
        done = repository.run("deploy.sh", "dev", DRY_RUN="1")
        assert done.returncode == 0, done.stderr
        assert '"subnet-to-be-made"' in done.stdout
        added = re.findall(r"^   Add\s+AWS::S3::Bucket\s+(\w+)", done.stdout, re.M)
        assert added == ["RawBucket", "AssetBucket", "LakeBucket"]
        assert {kind: names for kind, names in repository.contents().items() if names} == {}


class TestDeploy:
    def test_in_order_with_every_step_said(self, deployed: subprocess.CompletedProcess[str]) -> None:
        """Storage, network and warehouse, functions, API, monitoring, reconciler, compaction, warehouse's tables."""
        functions = [
            "notifications of bucket clickstream-s3-ingest-dev",
            FUNCTIONS,
        ]
        before, after = ([f"stack {name}" for name in names] for names in (BEFORE, AFTER))
        tables = "tables of the warehouse"
        stage = "stage dev in account 123456789012, region eu-central-1"
        assert steps(deployed.stdout) == [stage, *before, *functions, *after, tables, "stage dev is deployed"]
        assert re.search(
            r"endpoint +https://api-\w+\.execute-api\.eu-central-1\.\S+/clickstream$", deployed.stdout, re.M
        )

    def test_the_operations_function_makes_the_tables(
        self, deployed: subprocess.CompletedProcess[str], warehouse: str
    ) -> None:
        """Before the first event, so that whoever looks finds them empty."""
        assert f"The warehouse was at version 0.0, and is at {SCHEMA.version} now." in deployed.stdout
        with psycopg.connect(warehouse) as connection:
            assert connection.execute(f"SELECT count(*) FROM {REJECTS}").fetchone() == (0,)

    @pytest.mark.usefixtures("deployed")
    def test_the_functions_know_their_stage(self, repository: Repository) -> None:
        """Its bucket, and the secrets that the warehouse's stack has made: one for each user."""
        outputs = repository.outputs()
        made = {name for name, each in Recorded.there.items() if each.type == "AWS::SecretsManager::Secret"}
        writer, owner, reader = (outputs[f"Dw{user}SecretArn"] for user in ("", "Owner", "Reader"))
        assert made == {writer, owner, reader}
        client = repository.client("lambda")
        projector, operations = (
            client.get_function_configuration(FunctionName=f"clickstream-dev-{name}")["Environment"]["Variables"]
            for name in ("projector", "operations")
        )
        assert projector["RAW_BUCKET_NAME"] == operations["RAW_BUCKET_NAME"] == "clickstream-s3-ingest-dev"
        assert (projector["DW_SECRET_ARN"], operations["DW_SECRET_ARN"]) == (writer, owner)
        assert (operations["DW_WRITER_SECRET_ARN"], operations["DW_READER_SECRET_ARN"]) == (writer, reader)

    @pytest.mark.usefixtures("deployed")
    def test_it_is_written_down_which_code_they_run(self, repository: Repository) -> None:
        """One line for each deployment, in the asset bucket, so that somebody finds the version before."""
        listed = (
            repository.client("s3").get_object(Bucket="clickstream-s3-sbw-dev", Key="deployed/dev.txt")["Body"].read()
        )
        for line in listed.decode().splitlines():
            assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ (no git checkout|\S+)", line)
        assert repository.run("deploy.sh", "dev").returncode == 0
        again = (
            repository.client("s3").get_object(Bucket="clickstream-s3-sbw-dev", Key="deployed/dev.txt")["Body"].read()
        )
        assert again.startswith(listed)
        assert len(again.splitlines()) == len(listed.splitlines()) + 1

    @pytest.mark.usefixtures("deployed")
    @pytest.mark.parametrize("suffix", ["", "-projector", "-operations", "-reconciler"])
    def test_each_function_may_do_what_its_policy_says_and_no_more(self, repository: Repository, suffix: str) -> None:
        """One role for each, with one policy: the committed one, narrowed to this stage."""
        client, function = repository.client, f"clickstream-dev{suffix}"
        role = client("lambda").get_function_configuration(FunctionName=function)["Role"].rpartition("/")[2]
        (name,) = client("iam").list_role_policies(RoleName=role)["PolicyNames"]
        found = client("iam").get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        file = f"policy{suffix or '-ingest'}.json"
        committed = json.loads((ROOT / "chalice_app" / ".chalice" / file).read_text())
        assert found == narrowed(committed, repository.outputs(), function, is_owner=suffix == "-operations")
        assert client("iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []

    @pytest.mark.usefixtures("deployed")
    def test_each_function_is_as_the_configuration_says(self, repository: Repository) -> None:
        """Memory, time, tracing, tags; whatever reaches the warehouse is in the VPC, and nothing is reserved for it."""
        stage = json.loads((ROOT / "chalice_app" / ".chalice" / "config.json").read_text())["stages"]["dev"]
        network = repository.outputs()
        others = {name: f"-{name}" for name in ("projector", "operations", "reconciler")}
        for name, suffix in {"api_handler": "", **others}.items():
            component = suffix.removeprefix("-") or "ingest"
            function = repository.client("lambda").get_function(FunctionName=f"clickstream-dev{suffix}")
            found, wanted = function["Configuration"], stage["lambda_functions"][name]
            assert found["MemorySize"] == wanted["lambda_memory_size"]
            assert found["Timeout"] == wanted["lambda_timeout"]
            assert found["TracingConfig"] == {"Mode": "Active"}
            assert function["Tags"]["component"] == f"clickstream-lambda-{component}"
            reserved = function.get("Concurrency", {}).get("ReservedConcurrentExecutions")
            assert reserved == (None if suffix else wanted.get("reserved_concurrency"))
            vpc = {key: found.get("VpcConfig", {}).get(key, []) for key in ("SubnetIds", "SecurityGroupIds")}
            assert vpc == {key: network[key].split(",") if suffix else [] for key in vpc}

    @pytest.mark.usefixtures("deployed")
    def test_nobody_walks_round_the_http_api(self, repository: Repository) -> None:
        """Chalice's REST API is there, and closed to everybody."""
        (api,) = repository.client("apigateway").get_rest_apis()["items"]
        (statement,) = (
            json.loads(api["policy"])["Statement"] if isinstance(api["policy"], str) else api["policy"]["Statement"]
        )
        assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
        assert (statement["Action"], statement["Resource"]) == ("execute-api:Invoke", "execute-api:/*")

    @pytest.mark.usefixtures("deployed")
    def test_the_queue_is_told_of_events_and_the_projector_gets_batches(self, repository: Repository) -> None:
        """Events of the raw bucket, by prefix and suffix; nobody else is told of them, and nobody else may send."""
        found = repository.client("s3").get_bucket_notification_configuration(Bucket="clickstream-s3-ingest-dev")
        assert "LambdaFunctionConfigurations" not in found
        (configuration,) = found["QueueConfigurations"]
        rules = {rule["Name"].lower(): rule["Value"] for rule in configuration["Filter"]["Key"]["FilterRules"]}
        assert rules == {"prefix": "events/", "suffix": ".json"}
        (mapping,) = Recorded.all_of("AWS::Lambda::EventSourceMapping")
        assert mapping["EventSourceArn"] == configuration["QueueArn"]
        assert configuration["QueueArn"].endswith(":clickstream-dev-notifications")
        assert (mapping["FunctionName"], mapping["FunctionResponseTypes"]) == (
            "clickstream-dev-projector",
            ["ReportBatchItemFailures"],
        )
        assert (str(mapping["BatchSize"]), str(mapping["MaximumBatchingWindowInSeconds"])) == ("1000", "1")
        assert str(mapping["ScalingConfig"]["MaximumConcurrency"]) == "5"

    @pytest.mark.usefixtures("deployed")
    def test_failures_and_alarms_have_somewhere_to_go(self, repository: Repository) -> None:
        """The dead letters and the topic of this stage; Lambda gives up on nothing."""
        page, ticket = sorted(repository.contents()["topics"])
        sqs = repository.client("sqs")
        url = sqs.get_queue_url(QueueName="clickstream-dev-notifications")["QueueUrl"]
        policy = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]["RedrivePolicy"]
        assert json.loads(policy)["deadLetterTargetArn"].endswith(":clickstream-dev-dead-letters")
        assert [each["MaximumRetryAttempts"] for each in Recorded.all_of("AWS::Lambda::EventInvokeConfig")] == [0]
        alarms = Recorded.all_of("AWS::CloudWatch::Alarm")
        # Nobody is called because nobody shops on `dev`. Two alarms are the compaction's, three the queue's, four the
        # warehouse's, three the reconciler's.
        assert len(alarms) == 19
        (age,) = [alarm for alarm in alarms if alarm["AlarmName"] == "clickstream-dev-queue-age"]
        assert str(age["Threshold"]) == "600"
        assert {topic for alarm in alarms for topic in alarm["AlarmActions"]} == {page, ticket}
        subscriptions = Recorded.all_of("AWS::SNS::Subscription")
        assert {(each["TopicArn"], each["Endpoint"]) for each in subscriptions} == {(page, ADDRESS), (ticket, ADDRESS)}

    @pytest.mark.usefixtures("deployed")
    def test_logs_are_kept_as_long_as_the_stage_says(self, repository: Repository) -> None:
        """Of all functions and the API: Lambda has made none of its own."""
        groups = repository.client("logs").describe_log_groups()["logGroups"]
        assert {group["logGroupName"]: group["retentionInDays"] for group in groups} == {
            "/aws/lambda/clickstream-dev": 7,
            "/aws/lambda/clickstream-dev-projector": 7,
            "/aws/lambda/clickstream-dev-operations": 7,
            "/aws/lambda/clickstream-dev-reconciler": 7,
            "/aws/vendedlogs/clickstream-dev-http-api": 7,
            "/aws/codebuild/clickstream-dev-compaction": 7,
        }

    @pytest.mark.usefixtures("deployed")
    def test_a_dry_run_shows_what_would_change_and_changes_nothing(self, repository: Repository) -> None:
        """Here the patience of the queue, and the files of the package."""
        template = repository.path / "infra" / "templates" / "base.yaml"
        text = template.read_text()
        before = repository.contents()
        template.write_text(text.replace("MessageRetentionPeriod: 1209600", "MessageRetentionPeriod: 60"))
        try:
            done = repository.run("deploy.sh", "dev", DRY_RUN="1")
        finally:
            template.write_text(text)
        assert done.returncode == 0, done.stderr
        assert re.findall(r"^   (Add|Modify|Remove)\s+(\S+)", done.stdout, re.M) == [("Modify", "AWS::SQS::Queue")]
        assert done.stdout.count("no change") == len(STACKS) - 1
        assert re.search(r"^   app\.py ", done.stdout, re.M)
        assert repository.contents() == before

    @pytest.mark.usefixtures("deployed")
    def test_a_second_time_changes_nothing(self, repository: Repository) -> None:
        """From any machine: what Chalice has to remember is in the asset bucket."""
        before = repository.contents()
        again = repository.run("deploy.sh", "dev")
        assert again.returncode == 0, again.stderr
        assert again.stdout.count("No changes to deploy") == len(STACKS)
        assert f"The warehouse is at version {SCHEMA.version}: nothing to do." in again.stdout
        assert repository.contents() == before
        assert len(before["apis"]) == 1


class TestWarmPrograms:
    @pytest.mark.usefixtures("deployed")
    @pytest.mark.parametrize(
        ("command", "code"),
        [
            ("aws --version", 0),
            ("aws cloudformation describe-stacks --output json", 0),
            ("aws s3api head-bucket --bucket nobodys", 255),
            ("aws s3 cp infra/stages/dev.json -", 255),
            ("aws cloudformation no-such-command", 2),
            ("chalice --version", 0),
            ("chalice --project-dir chalice_app url --stage nowhere", 2),
        ],
    )
    def test_they_do_what_they_do_when_they_are_started(self, repository: Repository, command: str, code: int) -> None:
        """The scripts are run with programs that are started already: same output, same exit code."""
        name, *arguments = command.split()
        warm = repository.call(name, *arguments)
        cold = repository.call(str(Path(sys.executable).with_name(name)), *arguments)
        assert warm.returncode == code
        assert (warm.returncode, warm.stdout, warm.stderr) == (cold.returncode, cold.stdout, cold.stderr)
        assert warm.stdout + warm.stderr

    def test_input_environment_and_directory_are_the_callers(self, tmp_path: Path) -> None:
        """A profile is written from standard input, to where the environment says, seen from where the caller is."""
        with warm_programs() as programs:
            done = subprocess.run(
                [str(programs / "aws"), "configure"],
                input="key\nsecret\nmoon-1\njson\n",
                cwd=tmp_path,
                env={
                    "AWS_CONFIG_FILE": "aws/config",
                    "AWS_SHARED_CREDENTIALS_FILE": "aws/keys",
                    "PATH": os.environ["PATH"],
                },
                capture_output=True,
                text=True,
                check=False,
            )
        assert done.returncode == 0, done.stderr
        assert "region = moon-1" in (tmp_path / "aws" / "config").read_text()
        assert "aws_secret_access_key = secret" in (tmp_path / "aws" / "keys").read_text()


class TestShop:
    def test_a_stage_without_an_endpoint_has_no_shop(self, repository: Repository) -> None:
        """It would have nowhere to send its events; nor may a shop without a key send any."""
        repository.stage("silent")
        done = repository.run("shop.sh", "silent")
        assert (done.returncode, done.stderr) == (
            2,
            "error: stage silent has no endpoint yet: run 'make deploy STAGE=silent' first\n",
        )

    @pytest.fixture
    def strict(self, deployed: object, repository: Repository) -> Iterator[None]:
        """Let the stage allow one origin only, and its ingest too, unless the shop was added already."""
        del deployed
        settings = repository.path / "infra" / "stages" / "dev.json"
        text = settings.read_text()
        repository.stage("dev", AllowedOrigins="https://shop.example")
        variables = ingest_variables(repository)
        if variables["ALLOWED_ORIGINS"] == "*":
            variables["ALLOWED_ORIGINS"] = "https://shop.example"
            functions = repository.client("lambda")
            functions.update_function_configuration(
                FunctionName="clickstream-dev", Environment={"Variables": variables}
            )
        yield
        settings.write_text(text)

    @pytest.mark.usefixtures("strict")
    def test_a_dry_run_changes_nothing(self, repository: Repository) -> None:
        """It says that the stage would be deployed again."""
        before = repository.contents()
        done = repository.run("shop.sh", "dev", DRY_RUN="1")
        assert done.returncode == 0, done.stderr
        assert "'make deploy STAGE=dev' would be run" in done.stdout
        assert repository.contents() == before

    @pytest.mark.usefixtures("strict")
    def test_it_is_published_and_ingest_allows_its_origin(self, repository: Repository) -> None:
        """For that, the stage is deployed again, once."""
        done = repository.run("shop.sh", "dev")
        assert done.returncode == 0, done.stdout + done.stderr
        (origin,) = re.findall(r"^   shop +(https://\S+)/$", done.stdout, re.MULTILINE)
        assert ingest_variables(repository)["ALLOWED_ORIGINS"] == f"https://shop.example,{origin}"

    @pytest.mark.usefixtures("strict")
    def test_its_files_are_in_its_bucket(self, repository: Repository) -> None:
        """With types by which browsers run them, and the stage's endpoint; files of an earlier version are gone."""
        client, made = repository.client("s3"), repository.outputs()
        bucket = {"Bucket": made["ShopBucketName"]}
        client.put_object(**bucket, Key="web/shop/earlier.js", Body=b"")
        done = repository.run("shop.sh", "dev")
        assert done.returncode == 0, done.stderr
        assert f"the shop may post: https://shop.example,{made['ShopOrigin']}" in done.stdout
        assert "== functions" not in done.stdout
        keys = {each["Key"] for each in client.list_objects_v2(**bucket)["Contents"]}
        assert {"index.html", "api/stack", "web/shop/shop.js", "publisher/src/index.js"} <= keys
        assert "web/shop/earlier.js" not in keys
        kinds = {key: client.head_object(**bucket, Key=key) for key in ("api/stack", "index.html", "web/shop/shop.js")}
        assert {kind["CacheControl"] for kind in kinds.values()} == {"no-cache"}
        assert kinds["api/stack"]["ContentType"] == "application/json"
        assert kinds["index.html"]["ContentType"] == "text/html"
        assert kinds["web/shop/shop.js"]["ContentType"].endswith("/javascript")
        stack = json.loads(client.get_object(**bucket, Key="api/stack")["Body"].read())
        assert stack == {"endpoint": made["Endpoint"]}


class TestBuckets:
    @pytest.mark.usefixtures("deployed")
    def test_a_bucket_that_is_gone_is_named(self, repository: Repository) -> None:
        """Before anything is changed, and with what to do."""
        bucket = {"Bucket": "clickstream-s3-ingest-dev"}
        client = repository.client("s3")
        client.delete_bucket(**bucket)
        done = repository.run("deploy.sh", "dev")
        client.create_bucket(**bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        assert done.returncode == 2
        assert done.stderr.splitlines()[-1].startswith(
            "error: bucket clickstream-s3-ingest-dev of stack clickstream-dev-raw is gone: delete that stack"
        )
        assert "== stack" not in done.stdout


class TestUsage:
    @pytest.mark.parametrize("script", ["deploy.sh", "destroy.sh", "shop.sh"])
    @pytest.mark.parametrize(
        ("stage", "environment", "problem"),
        [
            ("", {}, "no stage is named: say STAGE=… (there are: dev prod"),
            ("nowhere", {}, "there is no stage nowhere: write infra/stages/nowhere.json"),
            ("../dev", {}, "a stage's name is up to 16 letters a-z and digits, not ../dev"),
            ("dev", {"AWS_DEFAULT_REGION": ""}, "no region is named: set Region in infra/stages/dev.json"),
            (
                "dev",
                {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
                "AWS does not know who you are: run 'aws configure'",
            ),
        ],
    )
    def test_what_is_missing_is_said(
        self, repository: Repository, script: str, stage: str, environment: dict[str, str], problem: str
    ) -> None:
        """In one line, with exit code 2."""
        done = repository.run(script, stage, **environment)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"error: {problem}")
        assert len(done.stderr.splitlines()) == 1

    @pytest.mark.parametrize(
        ("settings", "problem"),
        [
            ({"Trigger": "lambda"}, "Trigger is s3 or sqs"),
            ({"Warehouse": "mysql"}, "Warehouse is aurora or none"),
            ({"Vpc": "none"}, "Warehouse aurora needs a Vpc"),
            ({"Vpc": "vpc-1"}, "Vpc vpc-1 needs VpcSubnetIds"),
            ({"Vpc": "vpc-1", "VpcSubnetIds": "subnet-1"}, "Vpc vpc-1 needs VpcRouteTableIds, or S3Endpoint no"),
            ({"Warehouse": "none"}, "Warehouse none needs the DwSecretArn or DwParameterName of another"),
            ({"RawBucketName": "somebody-elses"}, "there is a bucket somebody-elses already"),
            ({"AlarmEmail": ""}, "AlarmEmail names nobody who is told of alarms: name an address, or say none"),
            ({"AlarmEmail": "none", "BudgetDollars": "9"}, "BudgetDollars needs an AlarmEmail, or 0"),
            ({"BudgetDollars": "50 dollars"}, "BudgetDollars is a number"),
            (
                {"Runtime": "python3.10"},
                f"says Runtime python3.10, but this Python is {RUNTIME}: run 'make clean setup",
            ),
            ({"Runtime": ""}, "says no Runtime, but this Python is"),
            ({"DomainName": "events.shop.example"}, "DomainName needs a DomainCertificateArn"),
        ],
    )
    def test_a_stage_that_cannot_be_is_refused_before_anything_is_made(
        self, repository: Repository, settings: dict[str, str], problem: str
    ) -> None:
        """In one line, which names the file."""
        repository.client("s3").create_bucket(
            Bucket="somebody-elses", CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        repository.stage("odd", **settings)
        done = repository.run("deploy.sh", "odd")
        repository.client("s3").delete_bucket(Bucket="somebody-elses")
        assert done.returncode == 2
        assert problem in done.stderr
        assert "infra/stages/odd.json" in done.stderr
        assert not [name for name in repository.contents()["stacks"] if "odd" in name]

    @pytest.mark.usefixtures("deployed")
    @pytest.mark.parametrize(
        ("settings", "stack"),
        [({"Warehouse": "none", "DwSecretArn": "arn:of:another"}, "warehouse"), ({"Trigger": "s3"}, "queue")],
    )
    def test_a_part_that_is_there_does_not_just_go(
        self, settings: dict[str, str], stack: str, repository: Repository
    ) -> None:
        """Its outputs would win over what the stage names instead, and what waits in a queue would be forgotten."""
        path = repository.path / "infra" / "stages" / "dev.json"
        text = path.read_text()
        repository.stage("dev", **settings)
        try:
            done = repository.run("deploy.sh", "dev")
        finally:
            path.write_text(text)
        assert (done.returncode, done.stderr.partition(",")[0]) == (2, f"error: stack clickstream-dev-{stack} exists")


class TestAwsCli:
    def test_version_2_of_the_machine_is_preferred(self, repository: Repository, tmp_path: Path) -> None:
        """The environment brings version 1, which does not know every way to sign in that version 2 knows."""
        own = repository.path / ".venv" / "bin" / "aws"
        own.parent.mkdir(parents=True)
        own.write_text('#!/bin/sh\n[ "$1" = --version ] && echo aws-cli/1.46.3 || exit 9\n')
        called = tmp_path / "called"
        installed = tmp_path / "bin" / "aws"
        installed.parent.mkdir()
        real = Path(sys.executable).with_name("aws")
        installed.write_text(
            f'#!/bin/sh\necho "$1" >> {called}\n[ "$1" = --version ] && echo aws-cli/2.31.0 || exec {real} "$@"\n'
        )
        for program in (own, installed):
            program.chmod(0o755)
        repository.stage("odd", Warehouse="mysql")
        try:
            done = repository.call(
                str(repository.path / "infra" / "deploy.sh"),
                "odd",
                PATH=f"{installed.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            )
        finally:
            shutil.rmtree(own.parent)
        assert "Warehouse is aurora or none" in done.stderr
        assert called.read_text().split() == ["--version", "sts", "cloudformation"]


class TestLargeBuckets:
    def test_s3_itself_deletes_what_is_much(self, repository: Repository) -> None:
        """By its life cycle, without a request for each; nobody deploys over it meanwhile, and a rerun ends it."""
        client, bucket = repository.client("s3"), "clickstream-s3-ingest-big"
        repository.stage("big", RawBucketName=bucket, AssetBucketName="clickstream-s3-sbw-big")
        raw = repository.path / "infra" / "templates" / "raw.yaml"
        made = repository.call(
            *("aws", "cloudformation", "deploy", "--stack-name", "clickstream-big-raw", "--template-file", str(raw)),
            *("--parameter-overrides", f"RawBucketName={bucket}", "RawVersioning=yes"),
        )
        assert made.returncode == 0, made.stderr
        for number in range(3):
            client.put_object(Bucket=bucket, Key=f"events/2026/11/25/09/event-{number}.json", Body=b"{}")
        rules = [{"ID": "privacy", "Status": "Enabled", "Filter": {"Prefix": "events/"}, "Expiration": {"Days": 365}}]
        client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
        said = repository.run("destroy.sh", "big", DELETE_RAW="yes", DELETE_AT_ONCE="2", DRY_RUN="1")
        assert "more than 2 objects: S3 would delete them by its life cycle" in said.stdout
        assert client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] == rules

        done = repository.run("destroy.sh", "big", DELETE_RAW="yes", DELETE_AT_ONCE="2")
        assert done.returncode == 1, done.stderr
        assert "run this again in two days" in done.stdout
        assert client.list_objects_v2(Bucket=bucket)["KeyCount"] == 3
        rule, markers = client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
        assert (rule["ID"], rule["Expiration"]["Days"]) == ("clickstream-destroy", 1)
        assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] == 1
        assert rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 1
        assert markers["Expiration"]["ExpiredObjectDeleteMarker"] is True

        refused = repository.run("deploy.sh", "big")
        assert refused.returncode == 2
        assert f"bucket {bucket} is being emptied, as DELETE_RAW=yes has asked" in refused.stderr

        done = repository.run("destroy.sh", "big", DELETE_RAW="yes", DELETE_AT_ONCE="3")
        assert done.returncode == 0, done.stderr
        assert bucket not in repository.contents()["buckets"]
        assert not [name for name in repository.contents()["stacks"] if "big" in name]


class TestDestroy:
    @pytest.mark.usefixtures("deployed")
    def test_everything_goes_but_raw_events_and_the_lake(self, repository: Repository) -> None:
        """In the opposite order, whatever Chalice remembers; first a dry run says so, and deletes nothing."""
        events = repository.client("s3")
        # As after a deployment that failed half-way. The REST API of another stage has the same name.
        events.delete_object(Bucket="clickstream-s3-sbw-dev", Key="deployed/dev.json")
        other = repository.client("apigateway").create_rest_api(name="clickstream")["id"]
        events.put_object(Bucket="clickstream-s3-ingest-dev", Key="events/2026/11/25/09/event-1.json", Body=b"{}")
        events.put_object(Bucket="clickstream-s3-lake-dev", Key="hours/2026-11-25.json", Body=b"{}")
        before = repository.contents()
        assert repository.run("destroy.sh", "dev", DRY_RUN="1", DELETE_RAW="yes").returncode == 0
        assert repository.contents() == before
        done = repository.run("destroy.sh", "dev")
        assert done.returncode == 0, done.stderr
        removed = [
            step.removeprefix("stack ") for step in steps(done.stdout) if step.startswith(("stack ", "functions"))
        ]
        assert removed == [
            "shop",
            "budget",
            "compaction",
            "dashboard",
            "reconciler",
            "monitoring",
            "api",
            "mapping",
            "operations",
            FUNCTIONS,
            "queue",
            "warehouse-alarms",
            "warehouse",
            "network",
            "base",
        ]
        left = {kind: names for kind, names in repository.contents().items() if names}
        kept = {name.split()[0] for name in left.pop("recorded")}
        assert left.pop("apis") == [other]
        repository.client("apigateway").delete_rest_api(restApiId=other)
        assert {kind: sorted(names) for kind, names in left.items()} == {
            "stacks": ["clickstream-dev-lake", "clickstream-dev-raw"],
            "buckets": ["clickstream-s3-ingest-dev", "clickstream-s3-lake-dev"],
        }
        assert kept == {"AWS::S3::BucketPolicy", "AWS::Glue::Database", "AWS::Athena::WorkGroup"}
        assert events.list_objects_v2(Bucket="clickstream-s3-lake-dev")["KeyCount"] == 1
        assert events.list_objects_v2(Bucket="clickstream-s3-ingest-dev")["KeyCount"] == 1
        found = events.get_bucket_notification_configuration(Bucket="clickstream-s3-ingest-dev")
        assert found.keys() == {"ResponseMetadata"}

    @pytest.mark.usefixtures("deployed")
    def test_raw_events_go_if_that_is_said(self, repository: Repository) -> None:
        """And then nothing is left; a third time finds nothing to do."""
        done = repository.run("destroy.sh", "dev", DELETE_RAW="yes")
        assert done.returncode == 0, done.stderr
        assert {kind: names for kind, names in repository.contents().items() if names} == {}


class TestTrigger:
    """A stage whose trigger is S3 itself, and its change to a queue."""

    BUCKET = "clickstream-s3-ingest-dev"

    def notified(self, repository: Repository) -> list[str]:
        """Names of the functions and queues that the raw bucket notifies."""
        found = repository.client("s3").get_bucket_notification_configuration(Bucket=self.BUCKET)
        arns = [each["LambdaFunctionArn"] for each in found.get("LambdaFunctionConfigurations", [])]
        arns += [each["QueueArn"] for each in found.get("QueueConfigurations", [])]
        return [arn.rpartition(":")[2] for arn in arns]

    def test_s3_calls_the_projector_itself(
        self, direct: subprocess.CompletedProcess[str], repository: Repository
    ) -> None:
        """Nothing of a queue is there. Copies are reserved, and what Lambda gives up on goes to the failure queue."""
        assert self.notified(repository) == ["clickstream-dev-projector"]
        assert [step for step in steps(direct.stdout) if "queue" in step or "mapping" in step] == []
        # The other one is of the reconciler, which is not tried again.
        (failures,) = [
            each for each in Recorded.all_of("AWS::Lambda::EventInvokeConfig") if "DestinationConfig" in each
        ]
        assert failures["DestinationConfig"]["OnFailure"]["Destination"].endswith(":clickstream-dev-failures")
        function = repository.client("lambda").get_function(FunctionName="clickstream-dev-projector")
        assert function["Concurrency"]["ReservedConcurrentExecutions"] == 5
        assert function["Configuration"]["Environment"]["Variables"]["TRIGGER"] == "s3"

    @pytest.mark.usefixtures("direct")
    @pytest.mark.parametrize(("unreserved", "is_reserved"), [(100, True), (99, False)])
    def test_what_others_have_reserved_is_left_to_them(
        self, repository: Repository, unreserved: int, *, is_reserved: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The stage has 5 of its own, and Lambda keeps 100 that nobody may reserve."""
        monkeypatch.setitem(ACCOUNT_LIMIT, "UnreservedConcurrentExecutions", unreserved)
        done = repository.run("deploy.sh", "dev", DRY_RUN="1")
        assert done.returncode == 0, done.stderr
        assert ('"reserved_concurrency": 5' in done.stdout) == is_reserved
        assert ("too few to reserve 5" in done.stdout) == (not is_reserved)

    @pytest.mark.usefixtures("direct")
    def test_a_queue_takes_its_place_without_a_gap(self, repository: Repository) -> None:
        """The bucket notifies the queue before the function is deployed: what is stored meanwhile waits there."""
        path = repository.path / "infra" / "stages" / "dev.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"Trigger": "sqs"}))
        done = repository.run("deploy.sh", "dev")
        assert done.returncode == 0, done.stdout + done.stderr
        said = steps(done.stdout)
        order = ["stack queue", f"notifications of bucket {self.BUCKET}", FUNCTIONS]
        assert [step for step in said if step in {*order, "stack mapping"}] == [*order, "stack mapping"]
        assert self.notified(repository) == ["clickstream-dev-notifications"]
        function = repository.client("lambda").get_function(FunctionName="clickstream-dev-projector")
        assert "Concurrency" not in function
        assert function["Configuration"]["Environment"]["Variables"]["TRIGGER"] == "sqs"

    @pytest.mark.usefixtures("direct")
    def test_and_goes_without_a_trace(self, repository: Repository) -> None:
        """With the rest of the stage."""
        done = repository.run("destroy.sh", "dev", DELETE_RAW="yes")
        assert done.returncode == 0, done.stderr
        assert {kind: names for kind, names in repository.contents().items() if names} == {}


class TestScripts:
    def test_shellcheck_finds_nothing(self) -> None:
        """With no rule left out."""
        scripts = sorted(map(str, (ROOT / "infra").glob("*.sh")))
        command = [str(Path(sys.executable).with_name("shellcheck")), "-x", "--severity=style", *scripts]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "")
        assert not any("shellcheck disable" in Path(script).read_text() for script in scripts)

    @pytest.mark.parametrize("target", ["deploy", "destroy", "shop"])
    def test_make_runs_them(self, target: str) -> None:
        """With the stage that is named."""
        done = subprocess.run(
            ["make", "-n", target, "STAGE=dev"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert f'infra/{target}.sh "dev"' in done.stdout
