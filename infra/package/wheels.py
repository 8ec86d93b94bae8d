"""Downloads the requirements of a deployment package as wheels for Lambda, and fails if one has no wheel."""

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
    """Downloads wheels only, so that no package's build runs on this computer."""

    def main(
        self, args: list[str], env_vars: MutableMapping[str, str] | None = None, shim: str | None = None
    ) -> tuple[int, bytes, bytes]:
        return super().main(args, {**(env_vars or os.environ), "PIP_ONLY_BINARY": ":all:"}, shim)


class _Wheels(PipRunner):
    """Downloads wheels and verifies their hashes; skips source packages, which might not run in Lambda."""

    def __init__(self, lock: Lock) -> None:
        super().__init__(_Pip())
        self._lock = lock

    def download_all_dependencies(self, requirements_filename: str, directory: str) -> None:
        """Download as Chalice does. Raises PackageError for a file that is not in the lock."""
        super().download_all_dependencies(requirements_filename, directory)
        self._lock.verify(Path(directory))

    def download_manylinux_wheels(
        self, abi: str, packages: list[str], directory: str, platforms: list[str] | None = None
    ) -> None:
        """Download as Chalice does. Raises PackageError for a file that is not in the lock."""
        super().download_manylinux_wheels(abi, packages, directory, platforms)
        self._lock.verify(Path(directory))

    def download_sdists(self, packages: list[str], directory: str) -> None:
        """Download nothing."""


class WheelsOnly(DependencyBuilder):
    """Builds the requirements as Chalice does, but fails where Chalice only warns and leaves a requirement out."""

    def __init__(self, target: Target, lock: Lock) -> None:
        super().__init__(OSUtils(), _Wheels(lock), target.architecture)
        self._target = target

    def build_site_packages(self, abi: str, requirements_filepath: str, target_directory: str) -> None:
        """Build as Chalice does. Raises PackageError if a requirement has no wheel for the target."""
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
            raise PackageError(
                f"the requirements cannot be downloaded: {reason[1] if reason else 'pip failed'}"
            ) from None
