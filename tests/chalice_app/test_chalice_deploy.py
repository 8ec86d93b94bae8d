"""A bare `chalice deploy` of the committed project, with the real Chalice, against a pretend AWS."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.support.aws.stacks import aws_server
from tests.support.stack_process import ROOT

pytestmark = pytest.mark.deploy

REGION = "eu-central-1"
BUCKET = "clickstream-s3-ingest-dev"
FUNCTIONS = {
    "clickstream-dev": "ingest",
    "clickstream-dev-projector": "projector",
    "clickstream-dev-operations": "operations",
    "clickstream-dev-reconciler": "reconciler",
}


class Project:
    """A copy of chalice_app, and an AWS to which it is deployed."""

    def __init__(self, path: Path, url: str) -> None:
        self.path = path
        self._url = url
        shutil.copytree(ROOT / "chalice_app", path, ignore=shutil.ignore_patterns("__pycache__", "deploy*"))

    def deploy(self) -> subprocess.CompletedProcess[str]:
        """Run `chalice deploy --stage dev`, with credentials for the pretend AWS, and none for a real one."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DW_", "RAW_"))}
        ours = {"HOME": str(self.path), "AWS_ENDPOINT_URL": self._url, "AWS_DEFAULT_REGION": REGION}
        ours |= {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
        command = [str(Path(sys.executable).with_name("chalice")), "deploy", "--stage", "dev"]
        return subprocess.run(
            command, cwd=self.path, capture_output=True, text=True, timeout=240, check=False, env=kept | ours
        )

    def client(self, service: str) -> Any:
        return boto3.client(service, REGION, endpoint_url=self._url, aws_access_key_id="a", aws_secret_access_key="b")

    def policies(self) -> dict[str, dict[str, Any]]:
        """Every policy of every role, by the name of the role."""
        iam = self.client("iam")
        return {
            role["RoleName"]: iam.get_role_policy(RoleName=role["RoleName"], PolicyName=name)["PolicyDocument"]
            for role in iam.list_roles()["Roles"]
            for name in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]
        }

    def functions(self) -> dict[str, dict[str, Any]]:
        """Every function by its name: its configuration, without what only says when it was last looked at."""
        found = self.client("lambda").list_functions()["Functions"]
        passing = {"LastModified", "RevisionId", "LastUpdateStatus", "State", "Version"}
        return {each["FunctionName"]: {k: v for k, v in each.items() if k not in passing} for each in found}

    def triggers(self) -> list[dict[str, Any]]:
        """Of the raw bucket, without the ids, which S3 makes anew whenever they are set."""
        found = self.client("s3").get_bucket_notification_configuration(Bucket=BUCKET)
        assert found.keys() == {"LambdaFunctionConfigurations", "ResponseMetadata"}
        triggers = found["LambdaFunctionConfigurations"]
        return [{name: value for name, value in trigger.items() if name != "Id"} for trigger in triggers]

    def apis(self) -> list[tuple[str, str]]:
        return [(api["id"], api["name"]) for api in self.client("apigateway").get_rest_apis()["items"]]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Give the project, deployed once to an AWS that had nothing but the raw bucket."""
    with aws_server() as url:
        project = Project(tmp_path_factory.mktemp("chalice") / "chalice_app", url)
        project.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        done = project.deploy()
        assert done.returncode == 0, done.stdout + done.stderr
        yield project


class TestDeploy:
    def test_three_functions_are_there(self, project: Project) -> None:
        """Named as Chalice names them, tagged with the component that each is."""
        assert project.functions().keys() == FUNCTIONS.keys()
        for name, component in FUNCTIONS.items():
            tags = project.client("lambda").get_function(FunctionName=name)["Tags"]
            assert tags["component"] == f"clickstream-lambda-{component}"

    def test_each_has_a_role_of_its_own_with_exactly_its_policy(self, project: Project) -> None:
        """The committed file, word for word."""
        policies = project.policies()
        assert len(policies) == len(FUNCTIONS)
        for name, component in FUNCTIONS.items():
            role = project.functions()[name]["Role"].rpartition("/")[2]
            committed = ROOT / "chalice_app" / ".chalice" / f"policy-{component}.json"
            assert policies[role] == json.loads(committed.read_text())

    def test_the_projector_is_called_for_events_only(self, project: Project) -> None:
        """New objects of the raw bucket, by prefix and suffix."""
        (trigger,) = project.triggers()
        assert trigger["LambdaFunctionArn"].endswith(":clickstream-dev-projector")
        assert trigger["Events"] == ["s3:ObjectCreated:*"]
        rules = {rule["Name"].lower(): rule["Value"] for rule in trigger["Filter"]["Key"]["FilterRules"]}
        assert rules == {"prefix": "events/", "suffix": ".json"}

    def test_ingest_is_behind_an_open_rest_api(self, project: Project) -> None:
        """Without the HTTP API it is the way in."""
        ((api, _),) = project.apis()
        apigateway = project.client("apigateway")
        methods = {
            method
            for resource in apigateway.get_resources(restApiId=api)["items"]
            if resource["path"] == "/clickstream"
            for method in resource.get("resourceMethods", {})
        }
        assert methods == {"POST", "OPTIONS"}
        assert not apigateway.get_rest_api(restApiId=api).get("policy")

    def test_no_password_is_in_a_configuration(self, project: Project) -> None:
        """Only where it is kept."""
        of = {name: function["Environment"]["Variables"] for name, function in project.functions().items()}
        variables = {"RAW_BUCKET_NAME": BUCKET, "ALLOWED_ORIGINS": "*", "PRICE_DECIMALS": "0"}
        variables |= {"DW_PARAMETER_NAME": "/clickstream/dev/warehouse"}
        assert of["clickstream-dev-projector"] == variables
        assert of["clickstream-dev-reconciler"] == variables | {"METRICS_NAMESPACE": "clickstream/dev"}

    def test_a_second_time_changes_nothing(self, project: Project) -> None:
        """The same functions with the same code, the same roles, trigger and API, and none besides."""
        before = (project.functions(), project.policies(), project.triggers(), project.apis())
        again = project.deploy()
        assert again.returncode == 0, again.stderr
        assert "Reusing existing deployment package." in again.stdout
        assert not re.search(r"^Creating (?!deployment package)", again.stdout, re.MULTILINE)
        assert (project.functions(), project.policies(), project.triggers(), project.apis()) == before

    def test_a_bucket_that_is_gone_is_an_error(self, project: Project) -> None:
        """As docs/deploy.md shows it, for Chalice does not name it. Last of all, since the trigger goes with it."""
        project.client("s3").delete_bucket(Bucket=BUCKET)
        done = project.deploy()
        said = done.stdout + done.stderr
        assert done.returncode != 0
        assert "NoSuchBucket" in said
        assert "The specified bucket does not exist" in said
