"""Builds a project's deployment package as `chalice deploy` does, and checks that Lambda can run it."""

import io
import json
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import click
from chalice.deploy.packager import LambdaDeploymentPackager
from chalice.utils import UI, OSUtils

from infra.package.contents import Contents, check, own_files, pins_of
from infra.package.hashes import Lock
from infra.package.target import PackageError, Target, target_of
from infra.package.wheels import WheelsOnly

__all__ = ["Package", "build", "main"]

TASK_ROOT = "/var/task"  # where Lambda unpacks it
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Package:
    """A package that was built and checked: its path, its target and its contents."""

    path: Path
    target: Target
    contents: Contents


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("project", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), metavar="ZIP", help="File to write."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
def main(project: Path, out: Path, *, as_json: bool) -> None:
    """Build and check the deployment package of the Chalice project in DIR.

    The package is for the lambda_architecture of .chalice/config.json and for the version of Python that runs this
    command. It may hold only app.py, chalicelib/, the files in vendor/, Chalice's runtime, and the packages that
    requirements.txt pins. The build fails if a requirement has no wheel for Lambda, if the package is too large, or if
    requirements.lock exists and lacks the hash of a wheel.

    The package also stays in DIR/.chalice/deployments. The next `chalice deploy` or `chalice package` of DIR uses it:

    \b
      python -m infra.package chalice_app --out package.zip
      python -m zipfile -l package.zip
    """  # noqa: D301  # click's own mark for "do not wrap" is a backspace
    try:
        package = build(project)
        shutil.copyfile(package.path, out)
    except OSError as error:
        raise PackageError(f"{error.filename or out}: {error.strerror or error}") from None
    contents, target = package.contents, package.target
    if as_json:
        click.echo(json.dumps({"package": str(out)} | asdict(contents) | asdict(target)))
        return
    zipped, unzipped = (f"{size / MEGABYTE:.1f} MB" for size in (contents.zipped_bytes, contents.unzipped_bytes))
    click.echo(f"{out}: {contents.files} files, {zipped}, unzipped {unzipped}, for {target}")


def build(project: Path) -> Package:
    """Empty a project's `.chalice/deployments`, build its package there, and check it.

    Raises:
        PackageError: The package cannot be built, or Lambda could not run it. A refused package is deleted, since
            `chalice deploy` would use it.
    """
    target = target_of(project)
    own_files(project)
    pins_of(project)
    shutil.rmtree(project / ".chalice" / "deployments", ignore_errors=True)
    _compile(project)
    packager = LambdaDeploymentPackager(
        OSUtils(), WheelsOnly(target, Lock(project)), UI(io.StringIO()), target.architecture
    )
    path = Path(packager.create_deployment_package(str(project), target.python))
    try:
        return Package(path, target, check(path, project, target))
    except PackageError:
        path.unlink()
        raise


def _compile(project: Path) -> None:
    """Compile chalicelib to byte code that is validated by the hash of its source.

    Chalice packs every file in chalicelib, and derives the package's name from all of them. When `chalice deploy`
    imports the app, Python would leave byte code there, so that Chalice would build the package again. Byte code with
    a hash stays as it is, works in Lambda whatever the time stamps, and saves the compiling at each cold start.
    """
    library = project / "chalicelib"
    for cache in library.rglob("__pycache__"):
        shutil.rmtree(cache)
    how = ["-q", "--invalidation-mode", "checked-hash", "-s", str(project), "-p", TASK_ROOT]
    done = subprocess.run(
        [sys.executable, "-I", "-m", "compileall", *how, str(library)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise PackageError(f"chalicelib does not compile: {' '.join(done.stdout.split())}")
