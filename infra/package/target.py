"""The target of a deployment package: the version of Python and the machine of a project's functions."""

from dataclasses import dataclass
from pathlib import Path

import click
from chalice.cli.factory import CLIFactory, UnknownConfigFileVersion
from chalice.deploy.validate import validate_lambda_architecture

__all__ = ["PackageError", "Target", "target_of"]


class PackageError(click.ClickException):
    """The package or its project does not fit Lambda; the text says why, and what to do."""

    exit_code = 2


@dataclass(frozen=True)
class Target:
    """A runtime of Lambda, such as `python3.11`, on `x86_64` or `arm64`."""

    python: str
    architecture: str

    def __str__(self) -> str:
        return f"{self.python} on {self.architecture}"

    @property
    def cpython(self) -> str:
        """The number in the file names of CPython's extension modules, such as `311`."""
        return self.python.removeprefix("python").replace(".", "")


def target_of(project: Path) -> Target:
    """Return the target of a project: its configured machine, and the Python that runs this. Raises PackageError."""
    factory = CLIFactory(str(project))
    try:
        stages = factory.load_project_config().get("stages") or ["dev"]
        configs = [factory.create_config_obj(stage) for stage in stages]
        for config in configs:
            validate_lambda_architecture(config)
    except (OSError, RuntimeError, ValueError, UnknownConfigFileVersion) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise PackageError(f"{project}/.chalice/config.json: {why}") from None
    targets = {Target(config.lambda_python_version, config.lambda_architecture) for config in configs}
    if len(targets) > 1:
        raise PackageError(f"the stages of {project} differ in lambda_architecture: package a project of one stage")
    return targets.pop()
