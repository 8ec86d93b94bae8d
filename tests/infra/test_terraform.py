"""The Terraform configuration of a stage, as far as it can be checked without Terraform."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from infra.terraform import main
from tests.support.aws.deployment import own_environment
from tests.support.stack_process import ROOT

# The arguments of each type of resource and of its blocks, in version 5.99.1 of Terraform's provider for AWS. They are
# taken from its bindings for Python, cdktf-cdktf-provider-aws 19.65.1.
ARGUMENTS: dict[str, dict[str, list[str]]] = json.loads(
    (Path(__file__).parent / "terraform_arguments.json").read_text()
)
# Arguments that Terraform itself takes for every resource.
META = {"depends_on", "lifecycle"}
REFERENCE = re.compile(r"\$\{([^}]*)\}")
PLACE = re.compile(r"\b(?:data\.)?aws_\w+\.[\w-]+|\b(?:data\.null_data_source|local)\.\w+")


def texts(value: object) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, dict):
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)
    elif isinstance(value, str):
        yield value


def assert_arguments(kind: str, given: dict[str, Any]) -> None:
    """Every argument exists, and every required one is there; the same for blocks."""
    known = ARGUMENTS[kind]
    assert set(known["required"]) <= given.keys(), kind
    assert given.keys() <= {*known["required"], *known["optional"], *META}, kind
    for name, value in given.items():
        if f"{kind}.{name}" in ARGUMENTS:
            for block in value if isinstance(value, list) else [value]:
                assert_arguments(f"{kind}.{name}", block)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write the configurations of both stages, as make does, and give their directories."""
    made = {}
    for stage in ("dev", "prod"):
        made[stage] = tmp_path_factory.mktemp(stage) / "terraform"
        command = [sys.executable, "-m", "infra.terraform", stage, "--out", str(made[stage])]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False, env=own_environment()
        )
        assert done.returncode == 0, done.stderr
    return made


@pytest.mark.deploy
@pytest.mark.parametrize("stage", ["dev", "prod"])
class TestConfiguration:
    @pytest.fixture
    def made(self, written: dict[str, Path], stage: str) -> dict[str, Any]:
        """Give the configuration of one stage."""
        configuration: dict[str, Any] = json.loads((written[stage] / "chalice.tf.json").read_text())
        return configuration

    def test_every_argument_is_one_of_the_provider(self, made: dict[str, Any]) -> None:
        """And no required one is missing."""
        for kind, resources in made["resource"].items():
            for resource in resources.values():
                assert_arguments(kind, resource)

    def test_every_reference_leads_somewhere(self, made: dict[str, Any]) -> None:
        """To a resource, a data source or a local value of the same configuration."""
        there = {f"{kind}.{name}" for kind, each in made["resource"].items() for name in each}
        there |= {f"data.{kind}.{name}" for kind, each in made["data"].items() for name in each}
        there |= {f"local.{name}" for name in made["locals"]}
        inside = [inner for text in texts(made) for inner in REFERENCE.findall(text)]
        named = {place for inner in inside for place in PLACE.findall(inner)}
        named |= {
            name for each in made["resource"]["aws_s3_bucket_notification"].values() for name in each["depends_on"]
        }
        assert named
        assert named <= there

    def test_only_file_functions_and_references_are_called(self, made: dict[str, Any]) -> None:
        """Another `${…}`, such as a variable of an IAM policy, would be read by Terraform."""
        allowed = re.compile(
            rf'(?:{PLACE.pattern})(?:\.\w+)*|md5\(local\.\w+\)|path\.module|filebase64sha256\("\$\{{path\.module'
        )
        found = {inner for text in texts(made) for inner in REFERENCE.findall(text)}
        assert [inner for inner in found if not allowed.fullmatch(inner)] == []

    def test_the_package_is_beside_it(self, written: dict[str, Path], stage: str, made: dict[str, Any]) -> None:
        """Under the name that the functions give."""
        names = {function["filename"] for function in made["resource"]["aws_lambda_function"].values()}
        assert names == {"${path.module}/deployment.zip"}
        assert (written[stage] / "deployment.zip").stat().st_size > 1_000_000

    def test_the_notification_waits_for_its_permission(self, made: dict[str, Any]) -> None:
        """S3 refuses a function that it may not call yet."""
        (notification,) = made["resource"]["aws_s3_bucket_notification"].values()
        assert "aws_lambda_permission.projector-s3event" in notification["depends_on"]

    def test_versions_are_ones_that_know_the_runtime_and_the_stage_name(self, made: dict[str, Any]) -> None:
        """Chalice asks for a provider below 5, which refuses python3.11; the provider 6 has no `stage_name`."""
        assert made["terraform"]["required_version"] == ">= 1.0"
        assert made["terraform"]["required_providers"]["aws"] == {"source": "hashicorp/aws", "version": ">= 5.76, < 6"}
        assert {each["runtime"] for each in made["resource"]["aws_lambda_function"].values()} <= {
            f"python3.{minor}" for minor in (11, 12, 13)
        }


class TestUsage:
    def test_a_stage_that_is_not_there_is_said(self, tmp_path: Path) -> None:
        """With the stages that are, and exit code 2."""
        done = CliRunner().invoke(main, ["nowhere", "--out", str(tmp_path / "out")])
        assert done.exit_code == 2
        assert "config.json has no stage nowhere (it has dev, prod" in done.stderr
        assert not (tmp_path / "out").exists()

    def test_make_runs_it(self) -> None:
        """Into a directory of the stage's own, which git does not see."""
        command = ["make", "-n", "terraform", "STAGE=dev"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert '-m infra.terraform "dev" --out "build/terraform-dev"' in done.stdout
        assert "build/" in (ROOT / ".gitignore").read_text().splitlines()
