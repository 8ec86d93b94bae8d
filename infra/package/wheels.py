"""The requirements of a deployment package: wheels for Lambda, all of them, or none."""

import os
import re
from collections.abc import MutableMapping
from pathlib import Path

from chalice.deploy.packager import (
    DependencyBuilder,
    MissingDependencyError,
    NoSuchPackageError,
    PackageDownloadError,
    PipRunner,
    SubprocessPip,
)
from chalice.utils import OSUtils

from infra.package.hashes import Lock
from infra.package.target import PackageError, Target

__all__ = ["WheelsOnly"]


class _Pip(SubprocessPip):
    """Downloads wheels and nothing else, and so runs nobody's build either."""

    def main(
        self, args: list[str], env_vars: MutableMapping[str, str] | None = None, shim: str | None = None
    ) -> tuple[int, bytes, bytes]:
        return super().main(args, {**(env_vars or os.environ), "PIP_ONLY_BINARY": ":all:"}, shim)


class _Wheels(PipRunner):
    """Does without what has no wheel: what Chalice would compile here need not run there. Verifies what it gets."""

    def __init__(self, lock: Lock) -> None:
        super().__init__(_Pip())
        self._lock = lock

    def download_all_dependencies(self, requirements_filename: str, directory: str) -> None:
        """As Chalice does. Raises PackageError for a file that was not locked."""
        super().download_all_dependencies(requirements_filename, directory)
        self._lock.verify(Path(directory))

    def download_manylinux_wheels(
        self, abi: str, packages: list[str], directory: str, platforms: list[str] | None = None
    ) -> None:
        """As Chalice does. Raises PackageError for a file that was not locked."""
        super().download_manylinux_wheels(abi, packages, directory, platforms)
        self._lock.verify(Path(directory))

    def download_sdists(self, packages: list[str], directory: str) -> None:
        """Leave these without."""


class WheelsOnly(DependencyBuilder):
    """Chalice's way to requirements, which fails where that would only warn, and go on without."""

    def __init__(self, target: Target, lock: Lock) -> None:
        super().__init__(OSUtils(), _Wheels(lock), target.architecture)
        self._target = target

    def build_site_packages(self, abi: str, requirements_filepath: str, target_directory: str) -> None:
        """As Chalice does. Raises PackageError if a requirement has no wheel for the target."""
        try:
            super().build_site_packages(abi, requirements_filepath, target_directory)
        except MissingDependencyError as error:
            missing = ", ".join(sorted(package.identifier for package in error.missing))
            raise PackageError(
                f"no wheel of {missing} for {self._target}: pin another version, or choose another lambda_architecture"
            ) from None
        except NoSuchPackageError as error:
            name = str(error).rpartition(": ")[2]
            raise PackageError(f"pip finds no wheel of {name}: pin another version, or check pip's index") from None
        except PackageDownloadError as error:
            reason = re.search(r"^ERROR: (.+)$", str(error), re.MULTILINE)
            raise PackageError(f"the requirements cannot be had: {reason[1] if reason else 'pip failed'}") from None
