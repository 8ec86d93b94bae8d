"""The compaction as CodeBuild runs it: its zip, command and role, in a pretend AWS that asks for permission."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib.metadata import distribution
from pathlib import Path
from typing import Any
from uuid import uuid4
from zipfile import ZipFile

import boto3
import pytest
import yaml
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from moto.core import set_initial_no_auth_action_count
from moto.moto_api._internal.models import moto_api_backend

from analysis.lake.compaction import compact
from analysis.lake.location import location_of
from analysis.lake.tables import open_tables
from analysis.lake.upkeep import sweep
from command_line.home import BUCKET
from infra.compactor import DISTRIBUTIONS, build, locked
from infra.package.target import PackageError
from tests.support.aws.stacks import template
from tests.support.raw_objects import Objects
from tests.support.served_bucket import ServedBucket, served_bucket

LAKE = "shop-lake"
DATABASE = "shop_dev"
VALUES = {
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "123456789012",
    "Stage": "dev",
    "RawBucketName": BUCKET,
    "LakeBucketName": LAKE,
    "LakeDatabaseName": DATABASE,
    "AssetBucketName": "shop-assets",
    "CompactorZip": "compactor.zip",
    "CompactionLogs.Arn": "arn:aws:logs:us-east-1:123456789012:log-group:compaction:*",
    "PriceDecimals": "0",
}
RESOURCES = template("compaction")["Resources"]
PROJECT = RESOURCES["Compaction"]["Properties"]
# CodeBuild's own part, and an upload that is given up: no run here shows them.
NOT_SEEN = {"Code", "Logs"}, {"s3:AbortMultipartUpload"}

refused = set_initial_no_auth_action_count(0)


def resolved(value: Any) -> Any:
    """A part of the template with VALUES put in."""
    if isinstance(value, list):
        return [resolved(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"Fn::Sub"}:
        return re.sub(r"\$\{([\w:.]+)\}", lambda found: VALUES[found[1]], value["Fn::Sub"])
    if value.keys() == {"Ref"}:
        return VALUES[value["Ref"]]
    if value.keys() == {"Fn::GetAtt"}:
        return VALUES[".".join(value["Fn::GetAtt"])]
    return {key: resolved(each) for key, each in value.items()}


def statements() -> list[dict[str, Any]]:
    """What the role may do."""
    (policy,) = RESOURCES["CompactionRole"]["Properties"]["Policies"]
    found: list[dict[str, Any]] = resolved(policy["PolicyDocument"]["Statement"])
    return found


def needed() -> list[tuple[str, str]]:
    """Each right of the role that a run here shows, by its statement."""
    return [
        (statement["Sid"], action)
        for statement in statements()
        for action in statement["Action"]
        if statement["Sid"] not in NOT_SEEN[0] and action not in NOT_SEEN[1]
    ]


def environment() -> dict[str, str]:
    """What the project sets."""
    return {each["Name"]: str(resolved(each["Value"])) for each in PROJECT["Environment"]["EnvironmentVariables"]}


@pytest.fixture
def objects() -> Objects:
    """Give events of 30 hours."""
    objects = Objects()
    for number in range(30):
        objects.add(received=number * 3600.0)
    return objects


@pytest.fixture
def served(objects: Objects) -> Iterator[ServedBucket]:
    """Give a pretend AWS with events and a tombstone in raw, and an empty lake, as the stacks make them."""
    # What another test has left in this process would be there, too.
    moto_api_backend.reset()
    with served_bucket() as bucket:
        bucket.client.create_bucket(Bucket=LAKE)
        bucket.fill(objects.bodies)
        _client("glue", bucket).create_database(DatabaseInput={"Name": DATABASE})
        yield bucket


def _client(service: str, bucket: ServedBucket, **keys: str) -> Any:
    access = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"} | keys
    url = bucket.environment["AWS_ENDPOINT_URL_S3"]
    return boto3.client(service, endpoint_url=url, region_name="us-east-1", **access)


@pytest.fixture
def become(
    served: ServedBucket, aws_environment: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, str]]:
    """Give a function that makes the environment that of the role, without one right if it is named.

    Of Glue, the pretend AWS judges the action alone, and lets in only somebody who may do it with every resource. Of
    several objects that are deleted at once, it judges the bucket.
    """
    as_judged = {"LakeTables": ["*"], "LakeFiles": [f"arn:aws:s3:::{LAKE}"]}

    def become(without: tuple[str, str] | None = None) -> dict[str, str]:
        iam, name = _client("iam", served), f"role-{uuid4()}"
        allowed = [
            statement
            | {"Action": [each for each in statement["Action"] if (statement["Sid"], each) != without]}
            | {"Resource": statement["Resource"] + as_judged.get(statement["Sid"], [])}
            for statement in statements()
        ]
        policy = {"Version": "2012-10-17", "Statement": [each for each in allowed if each["Action"]]}
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName=name, PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        url = served.environment["AWS_ENDPOINT_URL_S3"]
        ours = served.environment | {
            "AWS_ENDPOINT_URL": url,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }
        aws_environment(**ours)
        for variable, value in environment().items():
            monkeypatch.setenv(variable, value)
        return ours | environment()

    return become


@refused
def run_everything(source: str) -> None:
    """Make the tables, compact, compact again, and sweep a file that nobody needs."""
    place = location_of()
    done = compact(source, place)
    assert (done.left, done.unreadable) == (0, [])
    compact(source, place, verify=True)
    place.store.put("clickstream/events/data/nobody.parquet", b"x")
    tables = open_tables(place)
    assert sweep(place, (tables.events, tables.orders), datetime.now(UTC) + timedelta(days=1)).files == 1


class TestZip:
    def test_it_is_the_same_whenever_it_is_built(self) -> None:
        """So that a deployment without a change changes nothing."""
        assert build() == build()

    def test_a_lock_that_lacks_something_is_refused(self) -> None:
        """By name, before anything is deployed."""
        with pytest.raises(PackageError, match=r"lacks .*polars"):
            locked("click==8.5.1 \\\n    --hash=sha256:00\n")

    @pytest.mark.slow
    def test_its_command_runs_with_nothing_else(
        self, tmp_path: Path, served: ServedBucket, become: Callable[..., dict[str, str]]
    ) -> None:
        """The build's own shell line, the project's environment and role, the zip, and only the locked packages."""
        (tmp_path / "code.zip").write_bytes(build())
        code, packages, programs = (tmp_path / name for name in ("code", "packages", "programs"))
        with ZipFile(tmp_path / "code.zip") as zipped:
            zipped.extractall(code)
        packages.mkdir()
        for name in DISTRIBUTIONS:
            _link(name, packages)
        programs.mkdir()
        (programs / "python").write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
        (programs / "python").chmod(0o755)
        ours = become() | {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": str(packages),
            "HOME": str(tmp_path),
        }

        command = ["sh", "-ec", "\n".join(buildspec()["phases"]["build"]["commands"])]
        done = refused(subprocess.run)(command, cwd=code, env=ours, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        (line,) = done.stdout.splitlines()
        said = json.loads(line)
        assert (said["component"], said["outcome"]) == ("compaction", "compacted")
        assert (said["hours"], said["rows"], said["hours_left"], said["oldest_left_seconds"]) == (30, 30, 0, 0)
        tables = _client("glue", served).get_tables(DatabaseName=DATABASE)["TableList"]
        assert sorted(table["Name"] for table in tables) == ["events", "orders"]


def buildspec() -> Any:
    return yaml.safe_load(PROJECT["Source"]["BuildSpec"])


def _link(name: str, folder: Path) -> None:
    """Make the files of an installed distribution importable from a folder."""
    found = distribution(name)
    tops = {file.parts[0] for file in found.files or () if file.parts[0] not in ("..", "__pycache__")}
    for top in tops:
        link = folder / top
        if not link.exists():
            link.symlink_to(Path(str(found.locate_file(top))))


class TestBuild:
    def test_every_line_is_a_command(self) -> None:
        """YAML reads some lines as something else."""
        for phase in buildspec()["phases"].values():
            assert all(isinstance(line, str) for line in phase["commands"])

    def test_packages_are_installed_by_their_hashes(self) -> None:
        """And nothing that the lock does not name."""
        (line,) = buildspec()["phases"]["install"]["commands"]
        assert {"--require-hashes", "--no-deps"} <= set(line.split())

    @pytest.mark.parametrize(("moment", "recent"), [("703", ""), ("704", "--recent"), ("103", "--recent")])
    def test_once_a_week_every_hour_is_looked_at(self, moment: str, recent: str, tmp_path: Path) -> None:
        """On Sundays at three; `date` says which day of the week and which hour it is."""
        (tmp_path / "date").write_text(f"#!/bin/sh\necho {moment}\n")
        (tmp_path / "date").chmod(0o755)
        line = buildspec()["phases"]["build"]["commands"][0]
        path = f"{tmp_path}:{os.environ['PATH']}"
        command = ["sh", "-ec", f'{line}\nprintf %s "$recent"']
        done = subprocess.run(command, env={"PATH": path}, capture_output=True, text=True, check=True)
        assert done.stdout == recent

    def test_there_is_one_writer_and_it_starts_every_hour(self) -> None:
        """After the hour is closed, which takes ten minutes."""
        assert PROJECT["ConcurrentBuildLimit"] == 1
        minute = re.fullmatch(r"cron\((\d+) \* \* \* \? \*\)", RESOURCES["Hourly"]["Properties"]["ScheduleExpression"])
        assert minute
        assert 10 < int(minute[1]) < 60

    def test_only_the_schedule_may_start_it(self) -> None:
        """And may do nothing else."""
        (policy,) = RESOURCES["ScheduleRole"]["Properties"]["Policies"]
        (statement,) = policy["PolicyDocument"]["Statement"]
        assert (statement["Action"], statement["Resource"]) == (
            ["codebuild:StartBuild"],
            [{"Fn::GetAtt": ["Compaction", "Arn"]}],
        )


@pytest.mark.slow
class TestRole:
    def test_the_rights_are_enough(self, become: Callable[..., dict[str, str]], served: ServedBucket) -> None:
        """For tables that are not there yet, for hours, and for what is swept."""
        become()
        run_everything(served.source)

    @pytest.mark.parametrize("right", needed(), ids=" ".join)
    def test_each_right_is_needed(
        self, right: tuple[str, str], become: Callable[..., dict[str, str]], served: ServedBucket
    ) -> None:
        """Without one of them something is refused."""
        become(without=right)
        with pytest.raises(Exception, match=r"(?i)denied|forbidden|not authorized|refuse|assert"):
            run_everything(served.source)

    def test_glue_is_asked_for_nothing_else(
        self, become: Callable[..., dict[str, str]], served: ServedBucket, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of each call, the action and the table are in the policy."""
        calls: list[tuple[str, dict[str, Any]]] = []
        call = BaseClient._make_api_call

        def record(client: Any, name: str, parameters: dict[str, Any]) -> Any:
            if client.meta.service_model.service_name == "glue":
                calls.append((name, parameters))
            return call(client, name, parameters)

        become()
        monkeypatch.setattr(BaseClient, "_make_api_call", record)
        run_everything(served.source)
        (tables,) = [each for each in statements() if each["Sid"] == "LakeTables"]
        assert {f"glue:{name}" for name, _ in calls} == set(tables["Action"])
        for name, parameters in calls:
            if name == "GetDatabase":
                assert parameters["Name"] == DATABASE
            else:
                table = parameters.get("Name") or parameters["TableInput"]["Name"]
                assert f"table/{parameters['DatabaseName']}/{table}" in "\n".join(tables["Resource"])

    def test_it_changes_nothing_of_raw_and_nothing_else(
        self, become: Callable[..., dict[str, str]], objects: Objects
    ) -> None:
        """It may not even read what lies beside events and tombstones."""
        become()
        client = boto3.client("s3")
        key = next(iter(objects.bodies))
        assert not is_denied(client.get_object, Bucket=BUCKET, Key=key)
        assert is_denied(client.put_object, Bucket=BUCKET, Key=key, Body=b"{}")
        assert is_denied(client.delete_object, Bucket=BUCKET, Key=key)
        assert is_denied(client.get_object, Bucket=BUCKET, Key="elsewhere.json")
        assert is_denied(client.put_object, Bucket=LAKE, Key="athena/result.csv", Body=b"")
        assert is_denied(client.put_bucket_policy, Bucket=LAKE, Policy="{}")


@refused
def is_denied(call: Callable[..., Any], **parameters: Any) -> bool:
    try:
        call(**parameters)
    except ClientError as error:
        return bool(error.response["ResponseMetadata"]["HTTPStatusCode"] == 403)
    return False
