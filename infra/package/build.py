"""Builds a project's deployment package as `chalice deploy` would, and refuses one that would not run in Lambda."""

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
    """A package that was built and checked: where it is, what it is for, how much is inside."""

    path: Path
    target: Target
    contents: Contents


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("project", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), metavar="ZIP", help="Copy here.")
@click.option("--json", "as_json", is_flag=True, help="Say what came out as JSON.")
def main(project: Path, out: Path, *, as_json: bool) -> None:
    """Build and check the deployment package of the Chalice project in DIR.

    It is made for the lambda_architecture of .chalice/config.json, and the Python that runs this. Nothing may be
    inside but app.py, chalicelib/, what is in vendor/, Chalice's runtime, and what requirements.txt pins; a requirement
    without a wheel for Lambda is an error, as is a package that is too large, and a wheel that requirements.lock, where
    there is one, does not know by its hash.

    The package also stays in DIR/.chalice/deployments, where the next `chalice deploy` or `chalice package` of DIR
    finds it, and uses it as it is:

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
    """Build a project's package in its emptied `.chalice/deployments`, and check it. Raises PackageError.

    A package that is refused is gone again: `chalice deploy` would use it.
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
    """Compile chalicelib, once for all.

    Chalice packs, and takes into the package's name, whatever lies in chalicelib: also what Python leaves there when
    `chalice deploy` imports the app, which would then build anew. Byte code that goes by its source's hash is left
    alone, needs no time stamps to count in Lambda, and spares each cold start the compiling.
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
