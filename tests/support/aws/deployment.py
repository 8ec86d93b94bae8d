"""The committed Chalice project as a copy, and its deployment package, built once by the command that deploys."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.stack_process import ROOT

__all__ = ["Built", "built", "chalice", "copy_project", "own_environment"]

NOT_COPIED = ("__pycache__", "deployments", "deployed", "venv")


@dataclass(frozen=True)
class Built:
    """A project, the copy of its package that `--out` names, and what `--json` says of it."""

    project: Path
    package: Path
    said: dict[str, Any]

    @property
    def kept(self) -> list[Path]:
        """What is in the project's `.chalice/deployments`."""
        return sorted((self.project / ".chalice" / "deployments").iterdir())


def copy_project(path: Path) -> Path:
    """Copy what is committed of the Chalice project to `path`."""
    return Path(shutil.copytree(ROOT / "chalice_app", path, ignore=shutil.ignore_patterns(*NOT_COPIED)))


def built(folder: Path) -> Built:
    """Build the package of a copy in `folder`, as a user would, from the package index that pip is set to."""
    project, package = copy_project(folder / "project"), folder / "package.zip"
    command = [sys.executable, "-m", "infra.package", str(project), "--out", str(package), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return Built(project, package, json.loads(done.stdout))


def own_environment(**more: str) -> dict[str, str]:
    """The environment of somebody with another AWS account, and a Python that is set up as it comes."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DW_", "PYTHON"))}
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "eu-central-1"}
    return kept | nowhere | keys | {"AWS_EC2_METADATA_DISABLED": "true"} | more


def chalice(project: Path, *arguments: str, **environment: str) -> str:
    """Run Chalice's own command on a project; give what it said."""
    command = [str(Path(sys.executable).with_name("chalice")), "--project-dir", str(project), *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=240, check=False, env=own_environment(**environment)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
