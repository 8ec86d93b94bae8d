"""The example of a deployment from GitHub: what its workflow and its roles promise, read from them."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from cfnlint.decode import cfn_yaml

from tests.support.stack_process import ROOT

EXAMPLE = ROOT / "examples" / "github-actions"
TEXT = (EXAMPLE / "deploy.yml").read_text()
# YAML takes a bare `on` for a truth value.
WORKFLOW: dict[Any, Any] = yaml.safe_load(TEXT)
JOBS: dict[str, Any] = WORKFLOW["jobs"]
ROLES: dict[str, Any] = cfn_yaml.load(str(EXAMPLE / "role.yaml"))["Resources"]


def commands(job: str) -> list[str]:
    return [step["run"] for step in JOBS[job]["steps"] if "run" in step]


def subject(role: str) -> Any:
    (statement,) = ROLES[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    (how,) = statement["Condition"]
    assert how == "StringEquals"  # no pattern
    return statement["Condition"][how]["token.actions.githubusercontent.com:sub"]["Fn::Sub"]


class TestWorkflow:
    def test_a_pull_request_changes_nothing(self) -> None:
        """It runs a dry run, and only for a branch of the same repository."""
        assert commands("dry-run") == ["make setup", "make deploy STAGE=prod DRY_RUN=1"]
        assert "head.repo.full_name == github.repository" in JOBS["dry-run"]["if"]

    def test_main_is_deployed_by_one_job_at_a_time(self) -> None:
        """After the environment's approval."""
        assert WORKFLOW[True]["push"] == {"branches": ["main"]}
        assert commands("deploy") == ["make setup", "make deploy STAGE=prod"]
        assert JOBS["deploy"]["environment"] == "prod"
        assert WORKFLOW["concurrency"]["cancel-in-progress"] is False

    def test_there_is_no_key(self) -> None:
        """A token of GitHub's is changed into a role's credentials."""
        assert WORKFLOW["permissions"] == {"contents": "read", "id-token": "write"}
        assert not re.search(r"secrets\.|access.key", TEXT, re.IGNORECASE)

    def test_nobody_changes_an_action_behind_our_back(self) -> None:
        """Each is named by its commit, not by a tag that can move."""
        used = [step["uses"] for job in JOBS.values() for step in job["steps"] if "uses" in step]
        assert len(used) == 6
        assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", each) for each in used)

    def test_the_package_is_built_for_the_stages_python(self) -> None:
        """`make deploy` would refuse another."""
        runtime = json.loads((ROOT / "infra" / "stages" / "prod.json").read_text())["Runtime"]
        versions = [
            step["with"]["python-version"]
            for job in JOBS.values()
            for step in job["steps"]
            if "python" in str(step.get("uses"))
        ]
        assert versions == [runtime.removeprefix("python")] * 2


class TestRoles:
    def test_each_is_for_one_kind_of_job(self) -> None:
        """Of one repository."""
        assert subject("DryRunRole") == "repo:${Repository}:pull_request"
        assert subject("DeployRole") == "repo:${Repository}:environment:${Environment}"

    def test_a_pull_request_may_look_and_change_nothing(self) -> None:
        """It may make a change set, but not run it, and reads neither events nor secrets."""
        role = ROLES["DryRunRole"]["Properties"]
        assert role["ManagedPolicyArns"] == [{"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/ReadOnlyAccess"}]
        (policy,) = role["Policies"]
        allow, deny = policy["PolicyDocument"]["Statement"]
        assert allow["Action"] == ["cloudformation:CreateChangeSet", "cloudformation:DeleteChangeSet"]
        assert deny["Effect"] == "Deny"
        assert {"s3:GetObject", "secretsmanager:GetSecretValue"} <= set(deny["Action"])

    @pytest.mark.slow
    def test_cfn_lint_finds_nothing(self) -> None:
        """As in the templates of infra/."""
        command = [str(Path(sys.executable).with_name("cfn-lint")), str(EXAMPLE / "role.yaml")]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "")
