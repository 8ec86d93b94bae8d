"""Writes the functions, their roles, the trigger and the REST API of a stage as a Terraform configuration."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from infra.package.build import build
from infra.package.target import PackageError

__all__ = ["CONFIGURATION", "main", "write"]

APP = Path(__file__).parents[1] / "chalice_app"
CONFIGURATION = "chalice.tf.json"
# Chalice asks for a provider below 5 and a Terraform below 1.4. No such provider knows python3.11 (python3.13 came with
# 5.76), and no OpenTofu is that old. Version 6 has removed the `stage_name` by which Chalice names its API's stage.
TERRAFORM = ">= 1.0"
PROVIDER = {"source": "hashicorp/aws", "version": ">= 5.76, < 6"}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("stage")
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Directory to write."
)
def main(stage: str, out: Path) -> None:
    """Write what `chalice deploy` would make of STAGE into DIR, as a Terraform configuration and its package.

    The settings are the ones of STAGE in chalice_app/.chalice/config.json. Nothing is asked of AWS. The bucket and the
    warehouse's credentials have to be there before `terraform apply`, as for `chalice deploy`:

    \b
      AWS_DEFAULT_REGION=eu-central-1 make terraform STAGE=dev
      terraform -chdir=build/terraform-dev init
      AWS_REGION=eu-central-1 terraform -chdir=build/terraform-dev plan
    """  # noqa: D301  # click's own mark for "do not wrap" is a backspace
    write(stage, out)
    click.echo(f"{out}: {CONFIGURATION}, deployment.zip")


def write(stage: str, out: Path, app: Path = APP) -> None:
    """Write the configuration of a stage.

    Args:
        stage: A stage of the project's configuration.
        out: Directory to write to. Other files in it stay, such as Terraform's state.
        app: The Chalice project, which is not changed.

    Raises:
        PackageError: There is no such stage, Lambda could not run the package, or Chalice fails; the text says why.
    """
    stages = json.loads((app / ".chalice" / "config.json").read_text())["stages"]
    if stage not in stages:
        raise PackageError(f"chalice_app/.chalice/config.json has no stage {stage} (it has {', '.join(stages)})")
    with TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        shutil.copytree(app, project, ignore=shutil.ignore_patterns("__pycache__", "deployments", "deployed"))
        build(project)
        chalice = [str(Path(sys.executable).with_name("chalice")), "--project-dir", str(project)]
        command = [*chalice, "package", "--pkg-format", "terraform", "--stage", stage, str(out.absolute())]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise PackageError(f"chalice package fails: {(done.stderr or done.stdout).strip()}")
    file = out / CONFIGURATION
    file.write_text(json.dumps(_corrected(json.loads(file.read_text())), indent=2) + "\n")


def _corrected(configuration: dict[str, Any]) -> dict[str, Any]:
    """Change what does not work in the configuration that Chalice writes.

    S3 refuses a notification until it may call the function. Chalice does not say so, and Terraform makes both at once.
    """
    terraform, resources = configuration["terraform"], configuration["resource"]
    terraform["required_version"] = TERRAFORM
    terraform["required_providers"]["aws"] = PROVIDER
    for notification in resources.get("aws_s3_bucket_notification", {}).values():
        notification["depends_on"] = [f"aws_lambda_permission.{name}" for name in resources["aws_lambda_permission"]]
    return configuration


if __name__ == "__main__":
    main(prog_name="python -m infra.terraform")
