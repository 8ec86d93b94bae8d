"""The deployment package, as Lambda runs it: unzipped, by a Python that has nothing else but boto3."""

import importlib.util
import json
import os
import platform
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import boto3
import psycopg
import pytest

from chalicelib.contract import TABLE
from command_line.home import BUCKET, Home, Stack
from emulator.servers.environment import REGION, aws_environment
from emulator.servers.ports import free_ports
from emulator.servers.s3 import S3Server
from emulator.triggers.messages import batch_of
from emulator.triggers.notification import object_created
from tests.support.aws import lambda_runtime
from tests.support.aws.deployment import Built
from tests.support.stack_process import ROOT

# What comes with Lambda's Python.
RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
ENVELOPES = ("api_gateway_rest", "api_gateway_http_1_0")
STAGE = "prod"

pytestmark = pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64"), reason="the package is for Linux on x86_64"
)


@dataclass(frozen=True)
class Lambda:
    """An unzipped package with the environment that its stage has, beside a real S3 server and a real PostgreSQL."""

    root: Path
    runtime: Path
    stack: Stack

    def environment(self, handler: str) -> dict[str, str]:
        """What Lambda sets, what the stage sets, and where the local parts are in AWS's place."""
        config = json.loads((ROOT / "chalice_app" / ".chalice" / "config.json").read_text())
        stage: dict[str, str] = config["stages"][STAGE]["environment_variables"]
        return {
            "PATH": os.defpath,
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "_HANDLER": handler,
            "LAMBDA_TASK_ROOT": str(self.root),
            "LAMBDA_RUNTIME_DIR": str(self.runtime),
            "AWS_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            **aws_environment(self.stack),
            **stage,
        }

    def invoke(self, handler: str, events: list[dict[str, Any]], **environment: str) -> dict[str, Any]:
        """Start the function cold, and call it once for each event; it cannot write to where it is."""
        program = [sys.executable, "-I", "-S", "-B", lambda_runtime.__file__]
        done = subprocess.run(
            [*program, str(self.root), str(self.runtime), handler],
            input=json.dumps(events),
            cwd=self.root,
            env=self.environment(handler) | environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return said


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory, new_database: Callable[[], AbstractContextManager[str]]
) -> Iterator[Stack]:
    """Give a real S3 server with an empty bucket, and an empty database."""
    home = Home(tmp_path_factory.mktemp("s3") / "home")
    home.create()
    (port,) = free_ports(1)
    with new_database() as dw_url:
        stack = Stack("", "", f"http://127.0.0.1:{port}", dw_url, True, BUCKET, "key-id", "secret-key")  # noqa: FBT003
        server = S3Server(home, stack)
        server.start()
        yield stack
        server.stop()


@pytest.fixture(scope="module")
def function(deployment: Built, stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Lambda:
    """Give the package, unzipped where nothing else is."""
    folder = tmp_path_factory.mktemp("lambda")
    root, runtime = folder / "task", folder / "runtime"
    runtime.mkdir()
    with ZipFile(deployment.package) as zipped:
        zipped.extractall(root)
    for name in RUNTIME:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        origin = Path(spec.origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        (runtime / source.name).symlink_to(source)
    return Lambda(root, runtime, stack)


@pytest.fixture(scope="module")
def ingested(function: Lambda, payload: Callable[[str], bytes]) -> dict[str, Any]:
    """Call the ingest function with an event of each kind of API Gateway."""
    return function.invoke("app.app", [json.loads(payload(name)) for name in ENVELOPES])


@pytest.fixture(scope="module")
def keys(ingested: dict[str, Any]) -> list[str]:
    """Give the keys that ingest says it stored the events under."""
    return [json.loads(answer["body"])["key"] for answer in ingested["answers"]]


@pytest.fixture(scope="module")
def projected(function: Lambda, keys: list[str]) -> dict[str, Any]:
    """Call the projector for each object just stored, and for the first one again."""
    return function.invoke("app.project", [object_created(BUCKET, key, 1) for key in [*keys, keys[0]]])


class TestIngest:
    def test_it_answers_both_api_gateways(self, ingested: dict[str, Any]) -> None:
        """The REST API and the HTTP API with payload 1.0, for a page of the stage's origin."""
        assert [answer["statusCode"] for answer in ingested["answers"]] == [200, 200]
        origins = [answer["headers"]["Access-Control-Allow-Origin"] for answer in ingested["answers"]]
        assert origins == ["https://shop.example"] * 2

    def test_it_stores_the_events(self, keys: list[str], stack: Stack) -> None:
        """What was sent, and what API Gateway said of it."""
        client = boto3.client(
            "s3",
            REGION,
            endpoint_url=stack.s3_url,
            aws_access_key_id=stack.access_key,
            aws_secret_access_key=stack.secret_key,
        )
        stored = [json.loads(client.get_object(Bucket=BUCKET, Key=key)["Body"].read()) for key in keys]
        assert [event["eventName"] for event in stored] == ["page_view", "page_view"]
        assert [event["_ingest"]["apiId"] for event in stored] == ["a1b2c3d4e5", "f6g7h8i9j0"]
        assert len(client.list_objects_v2(Bucket=BUCKET)["Contents"]) == len(keys)

    def test_it_loads_no_database_driver(self, ingested: dict[str, Any]) -> None:
        """Its cold starts do not pay for what only the projector needs."""
        assert "chalicelib.ingest" in ingested["loaded"]
        assert not [name for name in ingested["loaded"] if name.startswith("psycopg")]


class TestProjector:
    def test_it_puts_rows_into_the_warehouse(self, projected: dict[str, Any], keys: list[str], stack: Stack) -> None:
        """One for each object, however often it is told of it."""
        outcomes = [(record["key"], record["outcome"]) for (record,) in projected["answers"]]
        assert outcomes == [(keys[0], "projected"), (keys[1], "projected"), (keys[0], "already_known")]
        with psycopg.connect(stack.dw_url) as connection:
            rows = connection.execute(f"SELECT event_name FROM {TABLE}").fetchall()
        assert rows == [("page_view",), ("page_view",)]

    def test_behind_a_queue_it_names_the_messages_that_failed(
        self, projected: dict[str, Any], function: Lambda, keys: list[str]
    ) -> None:
        """As Lambda reads it of an SQS event, and nothing else; the objects are known by then."""
        del projected
        batch = batch_of({"Records": [record for key in keys for record in object_created(BUCKET, key, 1)["Records"]]})
        batch["Records"][0] |= {"messageId": "odd", "body": "not of S3"}
        answers = function.invoke("app.project", [batch], TRIGGER="sqs")["answers"]
        assert answers == [{"batchItemFailures": [{"itemIdentifier": "odd"}]}]

    def test_it_brings_its_own_driver(self, projected: dict[str, Any], function: Lambda) -> None:
        """Psycopg's binary, of the package."""
        for name in ("psycopg", "psycopg_binary._psycopg", "psycopg_binary.pq"):
            assert Path(projected["loaded"][name]).is_relative_to(function.root), name


class TestIsolation:
    @pytest.mark.parametrize("name", ["ingested", "projected"])
    def test_nothing_else_is_within_reach(self, name: str, function: Lambda, request: pytest.FixtureRequest) -> None:
        """All that was loaded is the package's, Python's own, or boto3 and what that needs; the rest is not there."""
        said = request.getfixturevalue(name)
        places = [function.root, function.runtime, Path(sysconfig.get_path("stdlib"))]
        places.append(Path(sysconfig.get_path("platstdlib", vars={"platbase": sys.base_exec_prefix})))
        loaded = {module: Path(file) for module, file in said["loaded"].items() if file}
        assert [file for file in loaded.values() if not any(map(file.is_relative_to, places))] == []
        assert not [file for file in loaded.values() if "site-packages" in file.parts]
        assert all(map(importlib.util.find_spec, lambda_runtime.OUT_OF_REACH))
        assert said["reached"] == []
        assert loaded["chalicelib.settings"] == function.root / "chalicelib" / "settings.py"
        assert loaded["chalice.app"] == function.root / "chalice" / "app.py"
        assert loaded["boto3"].is_relative_to(function.runtime)
