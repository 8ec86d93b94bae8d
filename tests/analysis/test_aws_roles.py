"""What people may do with the rights in S3 that docs/security.md names, in a pretend AWS that asks for permission."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import psycopg
import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result
from moto.core import set_initial_no_auth_action_count
from psycopg import conninfo

from analysis.commands.main import main
from analysis.repair.backfill.run import backfill
from command_line.home import BUCKET
from tests.support.raw_objects import Objects
from tests.support.served_bucket import ServedBucket, served_bucket
from tests.support.stack_process import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_environment")]

ANNA = "6b0e2a4c-91fa-4d1e-8d6e-0a1b2c3d4e5f"
HOUR = "events/2026/11/25/09/"
SPAN = ("--start", "2026-11-25T09:00Z", "--end", "2026-11-25T10:00Z")
TOMBSTONES = "s3:PutObject"  # the only right that is for `erasures/` alone

# It asks for permission from the first request on.
refused = set_initial_no_auth_action_count(0)


def rights(who: str) -> list[str]:
    """The actions in S3 that docs/security.md names in somebody's line."""
    who_may_do_what = (ROOT / "docs" / "security.md").read_text().partition("\n## What an attacker can do")[0]
    (line,) = re.findall(rf"^\| {re.escape(who)} \|.*$", who_may_do_what, re.MULTILINE)
    return re.findall(r"`(s3:[\w*]+)`", line)


@pytest.fixture
def objects() -> Objects:
    """Give events of two clients in one hour."""
    objects = Objects()
    for number in range(4):
        objects.add(number, clientId=ANNA if number % 2 else "other")
    return objects


@pytest.fixture
def bucket(objects: Objects) -> Iterator[ServedBucket]:
    """Give a bucket with these events that keeps versions. One event was overwritten, and one was deleted."""
    with served_bucket() as bucket:
        bucket.client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        for key, body in objects.bodies.items():
            bucket.client.put_object(Bucket=BUCKET, Key=key, Body=body)
        mine = [key for key, body in objects.bodies.items() if ANNA.encode() in body]
        bucket.client.put_object(Bucket=BUCKET, Key=mine[0], Body=b"{}")
        bucket.client.delete_object(Bucket=BUCKET, Key=mine[1])
        yield bucket


@pytest.fixture
def become(bucket: ServedBucket, monkeypatch: pytest.MonkeyPatch) -> Callable[[list[str]], Any]:
    """Give a function that makes the environment that of somebody with these rights, and gives their client."""
    iam = boto3.client("iam", **_access("testing", bucket))

    def become(actions: list[str]) -> Any:
        name = f"person-{uuid4()}"
        everywhere = [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
        statements = [
            {"Action": [action for action in actions if action != TOMBSTONES], "Resource": everywhere},
            {"Action": [TOMBSTONES] * (TOMBSTONES in actions), "Resource": [f"arn:aws:s3:::{BUCKET}/erasures/*"]},
        ]
        allowed = [statement | {"Effect": "Allow"} for statement in statements if statement["Action"]]
        policy = {"Version": "2012-10-17", "Statement": allowed}
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName=name, PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        environment = bucket.environment | {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }
        for variable, value in environment.items():
            monkeypatch.setenv(variable, value)
        boto3.setup_default_session()
        return boto3.client("s3")

    return become


def _access(name: str, bucket: ServedBucket) -> dict[str, str]:
    url = bucket.environment["AWS_ENDPOINT_URL_S3"]
    keys = {"aws_access_key_id": name, "aws_secret_access_key": name}
    return {"endpoint_url": url, "region_name": bucket.environment["AWS_DEFAULT_REGION"], **keys}


@pytest.fixture
def warehouse(objects: Objects, tmp_path: Path, warehouse_url: str) -> str:
    """Give the URL of a warehouse that knows the events."""
    backfill(objects.write(tmp_path / BUCKET), warehouse_url, [HOUR])
    return warehouse_url


@pytest.fixture
def reader(warehouse: str) -> Iterator[str]:
    """Give the URL of that warehouse with a role that may only read."""
    with psycopg.connect(warehouse, autocommit=True) as connection:
        connection.execute("CREATE ROLE analyst LOGIN")
        connection.execute("GRANT USAGE ON SCHEMA public TO analyst")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO analyst")
        yield conninfo.make_conninfo(warehouse, user="analyst")
        connection.execute("DROP OWNED BY analyst CASCADE")
        connection.execute("DROP ROLE analyst")


@refused
def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--source", f"s3://{BUCKET}"])


@refused
def is_denied(call: Callable[..., Any], **parameters: Any) -> bool:
    try:
        answer = call(Bucket=BUCKET, **parameters)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 403:
            return True
        raise
    return [each["Code"] for each in answer.get("Errors", ())] == ["AccessDenied"]


def versions(bucket: ServedBucket) -> list[bytes]:
    """The body of every version of every object."""
    found = bucket.client.list_object_versions(Bucket=BUCKET).get("Versions", [])
    return [
        bucket.client.get_object(Bucket=BUCKET, Key=each["Key"], VersionId=each["VersionId"])["Body"].read()
        for each in found
    ]


class TestAnalyst:
    def test_the_rights_are_enough_to_look(
        self, become: Callable[[list[str]], Any], warehouse: str, reader: str
    ) -> None:
        """Every command that reads says the same as to the owner of everything."""
        commands = [
            ("validate", *SPAN, "--dw"),
            ("backfill", "--dry-run", *SPAN, "--dw"),
            ("rejects", "list", "--dw"),
            ("trace", "nothing", *SPAN, "--dw"),
            ("ledger", *SPAN),
        ]
        said = []
        for actions, url in ((rights("an analyst"), reader), (["s3:*"], warehouse)):
            become(actions)
            results = [run(*command, *([url] if command[-1] == "--dw" else []), "--json") for command in commands]
            assert [result.exit_code for result in results if result.exit_code == 2] == [], results
            said.append([re.sub(r'"judged_until": .*', "", result.stdout) for result in results])
        assert said[0] == said[1]

    @pytest.mark.parametrize("missing", ["s3:GetObject", "s3:ListBucket"])
    def test_each_right_is_needed(self, missing: str, become: Callable[[list[str]], Any], reader: str) -> None:
        """Without one of them, nothing is said to be fine."""
        become([action for action in rights("an analyst") if action != missing])
        result = run("validate", *SPAN, "--dw", reader)
        assert result.exit_code != 0
        assert "Traceback" not in result.output
        assert "denied" in result.output.lower() or "refuses" in result.output.lower()

    def test_they_change_nothing(self, become: Callable[[list[str]], Any], objects: Objects, reader: str) -> None:
        """No object, version or setting of the bucket, and no row."""
        client = become(rights("an analyst"))
        (key, *_), delete = objects.bodies, {"Objects": [{"Key": next(iter(objects.bodies))}]}
        assert not is_denied(client.get_object, Key=key)
        assert is_denied(client.put_object, Key=key, Body=b"{}")
        assert is_denied(client.delete_object, Key=key)
        assert is_denied(client.delete_objects, Delete=delete)
        assert is_denied(client.put_object_tagging, Key=key, Tagging={"TagSet": []})
        assert is_denied(client.put_bucket_policy, Policy="{}")
        with psycopg.connect(reader, autocommit=True) as connection:
            for change in ("DELETE FROM", "TRUNCATE", "DROP TABLE", "ALTER TABLE"):
                more = " ADD x INT" if change == "ALTER TABLE" else ""
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(f"{change} clickstream_events{more}".encode())

    @pytest.mark.parametrize("command", [("erase", "--client-id", ANNA, "--yes"), ("backfill", *SPAN)])
    def test_whoever_may_not_repair_is_told_so_in_one_line(
        self, command: tuple[str, ...], become: Callable[[list[str]], Any], bucket: ServedBucket, reader: str
    ) -> None:
        """With exit code 2; every version and row is there afterwards."""
        before = versions(bucket)
        become(rights("an analyst"))
        result = run(*command, "--dw", reader)
        assert result.exit_code == 2
        assert len(result.stderr.strip().splitlines()) == 1
        assert versions(bucket) == before
        with psycopg.connect(reader) as connection:
            assert connection.execute("SELECT count(*) FROM clickstream_events").fetchone() == (4,)


class TestWhoeverErases:
    ERASE = ("erase", "--client-id", ANNA, "--yes", "--dw")

    def test_the_rights_are_enough(
        self, become: Callable[[list[str]], Any], bucket: ServedBucket, warehouse: str
    ) -> None:
        """Earlier versions are deleted too."""
        assert any(ANNA.encode() in body for body in versions(bucket))
        become(rights("whoever runs `erase`"))
        result = run(*self.ERASE, warehouse)
        assert result.exit_code == 0, result.output
        assert not any(ANNA.encode() in body for body in versions(bucket))
        with psycopg.connect(warehouse) as connection:
            assert connection.execute("SELECT DISTINCT client_id FROM clickstream_events").fetchall() == [("other",)]

    @pytest.mark.parametrize("missing", rights("whoever runs `erase`"))
    def test_each_right_is_needed(
        self, missing: str, become: Callable[[list[str]], Any], bucket: ServedBucket, warehouse: str
    ) -> None:
        """Without one of them the command ends in one line that names the refusal, and can be run again with it."""
        everything = rights("whoever runs `erase`")
        become([action for action in everything if action != missing])
        result = run(*self.ERASE, warehouse)
        assert result.exit_code == 2, result.output
        assert "AccessDenied" in result.stderr.strip().splitlines()[-1] or "Forbidden" in result.stderr
        assert "Traceback" not in result.output
        assert any(ANNA.encode() in body for body in versions(bucket))
        become(everything)
        assert run(*self.ERASE, warehouse).exit_code == 0
        assert not any(ANNA.encode() in body for body in versions(bucket))

    def test_tombstones_are_all_that_may_be_written(self, become: Callable[[list[str]], Any], objects: Objects) -> None:
        """No event can be put or overwritten."""
        client = become(rights("whoever runs `erase`"))
        assert is_denied(client.put_object, Key=next(iter(objects.bodies)), Body=b"{}")
        assert not is_denied(client.put_object, Key="erasures/key.json", Body=b"")
