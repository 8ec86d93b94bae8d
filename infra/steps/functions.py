"""Deploys functions as `chalice deploy` does, but waits for S3, and remembers what was made before a failure."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from botocore.session import Session
from chalice.awsclient import TypedAWSClient
from chalice.cli.factory import CLIFactory
from chalice.config import Config
from chalice.deploy import models
from chalice.deploy.deployer import ChaliceDeploymentError, Deployer, ResultsRecorder, create_default_deployer
from chalice.deploy.executor import Executor
from chalice.utils import UI, OSUtils

__all__ = ["main"]

# What S3 says while it does not know yet of the permission that Lambda has just given it.
NOT_YET = "Unable to validate the following destination configurations"
# Seconds before S3 is asked again: a bit more than a minute in all.
WAITS = (1, 2, 4, 8, 16, 32)


class DeploymentError(click.ClickException):
    """AWS refused a part of the deployment; the text says which, and why."""

    exit_code = 2


class _Remembering(Executor):
    """Runs Chalice's plan. Chalice writes down what it has made when all of it is done; this also after a failure."""

    def __init__(self, client: TypedAWSClient, config: Config) -> None:
        super().__init__(client, UI())
        self._config = config

    def execute(self, plan: models.Plan) -> None:
        """Run the plan. Raises what Chalice raises."""
        try:
            super().execute(plan)
        except BaseException:
            self._record()
            raise

    def _record(self) -> None:
        """Write down what was made, and what was known before and may not have been come to."""
        stage = self._config.chalice_stage
        known = self._config.deployed_resources(stage)
        resources = {name: known.resource_values(name) for name in known.resource_names()}
        for each in self.resource_values:
            resources[each["name"]] = resources.get(each["name"], {}) | each
        # As `Deployer` writes it.
        memory = {
            "resources": list(resources.values()),
            "schema_version": "2.0",
            "backend": Deployer.BACKEND_NAME,
        }
        ResultsRecorder(OSUtils()).record_results(memory, stage, self._config.project_dir)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("stage")
@click.option(
    "--project",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Chalice project to deploy, as infra.render writes it.",
)
def main(stage: str, project: Path) -> None:
    """Deploy the functions of STAGE from the Chalice project in DIR.

    `make deploy` calls this. It does what `chalice deploy` does, and three things more:

    \b
      - S3 may refuse the trigger for some seconds after it got the permission: it is asked again.
      - After a failure, DIR/.chalice/deployed keeps what was made. So the next run makes no second REST API.
      - With "xray": false in the configuration, the functions are not traced any more.

    Exit codes: 0 deployed, 2 AWS refused a part.
    """  # noqa: D301  # click's own mark for "do not wrap" is a backspace
    project = project.resolve()
    os.chdir(project)  # as Chalice's own command
    factory = CLIFactory(str(project), environ=os.environ)
    config = factory.create_config_obj(stage)
    session = factory.create_botocore_session()
    session.register("needs-retry.s3.PutBucketNotificationConfiguration", _wait_for_permission)
    if not config.xray_enabled:
        session.register("provide-client-params.lambda.UpdateFunctionConfiguration", _end_tracing)
    deployer = _deployer(session, config)
    try:
        deployed = deployer.deploy(config, stage)
    except ChaliceDeploymentError as error:
        raise DeploymentError(" ".join(str(error).split())) from None
    factory.create_deployment_reporter(UI()).display_report(deployed)


def _deployer(session: Session, config: Config) -> Deployer:
    deployer = create_default_deployer(session, config, UI())
    deployer._executor = _Remembering(TypedAWSClient(session), config)  # noqa: SLF001  # Chalice has no parameter for it
    return deployer


def _wait_for_permission(response: tuple[Any, Mapping[str, Any]] | None, attempts: int, **_: object) -> int | None:
    """Tell botocore after how many seconds to try again; None if it should not."""
    error = response[1].get("Error", {}) if response else {}
    if NOT_YET not in error.get("Message", "") or attempts > len(WAITS):
        return None
    wait = WAITS[attempts - 1]
    click.echo(f"S3 does not know yet that it may call the projector: it is asked again in {wait} s")
    return wait


def _end_tracing(params: dict[str, Any], **_: object) -> dict[str, Any]:
    """Say that a function is not traced; Chalice says nothing then, and a function that was traced would stay so."""
    return params | {"TracingConfig": {"Mode": "PassThrough"}}


if __name__ == "__main__":
    main(prog_name="python -m infra.steps.functions")
