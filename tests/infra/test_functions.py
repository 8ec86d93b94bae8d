"""The functions of a project, deployed with Chalice to a pretend AWS that refuses now and then."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.apigateway.models import APIGatewayBackend
from moto.core.exceptions import JsonRESTError
from moto.s3.exceptions import S3ClientError
from moto.s3.models import S3Backend

from infra.render import render
from tests.infra.test_render import OUTPUTS, WITHOUT_VPC
from tests.support.aws.stacks import aws_server
from tests.support.stack_process import ROOT

pytestmark = pytest.mark.deploy

REGION = "eu-central-1"
KEYS = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
# What S3 says until it has heard of the permission that Lambda has just given it.
NOT_YET = "Unable to validate the following destination configurations"


class Deployment:
    """A project without requirements, and the pretend AWS that it is deployed to."""

    def __init__(self, project: Path, url: str) -> None:
        self.project = project
        self._url = url
        render("dev", OUTPUTS | WITHOUT_VPC, project)
        (project / "requirements.txt").write_text("")
        (project / "requirements.lock").unlink()
        self.client("s3").create_bucket(
            Bucket=OUTPUTS["RawBucketName"], CreateBucketConfiguration={"LocationConstraint": REGION}
        )

    def client(self, service: str) -> Any:
        return boto3.client(service, REGION, endpoint_url=self._url, **KEYS)

    def run(self) -> subprocess.CompletedProcess[str]:
        """Deploy, as `make deploy` does."""
        command = [sys.executable, "-m", "infra.steps.functions", "dev", "--project", str(self.project)]
        own = {name.upper(): value for name, value in KEYS.items()}
        environment = os.environ | own | {"AWS_ENDPOINT_URL": self._url, "AWS_DEFAULT_REGION": REGION}
        return subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False, env=environment
        )

    def configure(self, **settings: Any) -> None:
        """Change Chalice's configuration."""
        path = self.project / ".chalice" / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | settings))

    def remembered(self) -> dict[str, dict[str, str]]:
        """What Chalice has written down, by the name of each resource."""
        text = (self.project / ".chalice" / "deployed" / "dev.json").read_text()
        return {each["name"]: each for each in json.loads(text)["resources"]}


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    """Give a project that is not deployed yet, and an empty AWS."""
    with aws_server() as url:
        yield Deployment(tmp_path / "project", url)


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Give a function that lets AWS refuse some calls of one kind; it gives the list of all calls of that kind."""

    def refuse(backend: type, name: str, times: int, error: Exception) -> list[str]:
        calls: list[str] = []
        answer = getattr(backend, name)

        def answer_later(*arguments: Any, **options: Any) -> Any:
            calls.append(name)
            if len(calls) <= times:
                raise error
            return answer(*arguments, **options)

        monkeypatch.setattr(backend, name, answer_later)
        return calls

    return refuse


class TestTrigger:
    def test_s3_is_asked_again_until_it_knows_of_the_permission(
        self, deployment: Deployment, refuse: Callable[..., list[str]]
    ) -> None:
        """It may take some seconds after Lambda has given it."""
        calls = refuse(S3Backend, "put_bucket_notification_configuration", 2, S3ClientError("InvalidArgument", NOT_YET))
        done = deployment.run()
        assert done.returncode == 0, done.stderr
        assert len(calls) == 3
        found = deployment.client("s3").get_bucket_notification_configuration(Bucket=OUTPUTS["RawBucketName"])
        assert len(found["LambdaFunctionConfigurations"]) == 1

    def test_another_refusal_is_told_at_once(self, deployment: Deployment, refuse: Callable[..., list[str]]) -> None:
        """Waiting would not help."""
        error = S3ClientError("InvalidArgument", "Configuration is ambiguously defined")
        calls = refuse(S3Backend, "put_bucket_notification_configuration", 9, error)
        done = deployment.run()
        assert done.returncode == 2
        assert "Configuration is ambiguously defined" in done.stderr
        assert len(calls) == 1


class TestMemory:
    def test_a_deployment_that_failed_is_continued(
        self, deployment: Deployment, refuse: Callable[..., list[str]]
    ) -> None:
        """With the same REST API: what was made before the failure is remembered."""
        refuse(APIGatewayBackend, "create_deployment", 1, JsonRESTError("BadRequestException", "try again"))
        done = deployment.run()
        assert done.returncode == 2
        assert "try again" in done.stderr
        (made,) = [api["id"] for api in deployment.client("apigateway").get_rest_apis()["items"]]
        assert deployment.remembered()["rest_api"]["rest_api_id"] == made
        assert deployment.run().returncode == 0
        assert [api["id"] for api in deployment.client("apigateway").get_rest_apis()["items"]] == [made]

    def test_what_was_known_before_a_failure_is_not_forgotten(
        self, deployment: Deployment, refuse: Callable[..., list[str]]
    ) -> None:
        """Also if the failure came before the second deployment got to it."""
        assert deployment.run().returncode == 0
        known = deployment.remembered()
        refuse(APIGatewayBackend, "put_rest_api", 1, JsonRESTError("BadRequestException", "try again"))
        assert deployment.run().returncode == 2
        assert deployment.remembered() == known


class TestTracing:
    def test_it_ends_when_the_configuration_says_so(self, deployment: Deployment) -> None:
        """Both functions were traced, and are not any more."""
        assert deployment.run().returncode == 0
        names = ["clickstream-dev", "clickstream-dev-projector"]
        ask = deployment.client("lambda").get_function_configuration
        assert [ask(FunctionName=name)["TracingConfig"]["Mode"] for name in names] == ["Active", "Active"]
        deployment.configure(xray=False)
        assert deployment.run().returncode == 0
        assert [ask(FunctionName=name)["TracingConfig"]["Mode"] for name in names] == ["PassThrough", "PassThrough"]
