"""Checks the contents of a deployment package before Lambda fails on it: allowed files, required files and sizes."""

import csv
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile, ZipInfo

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from infra.package.target import PackageError, Target

__all__ = ["Contents", "check", "own_files", "pins_of"]

# Lambda's own limits are 50 MB (zipped) and 250 MB; much smaller packages slow cold starts down already.
ZIPPED_BYTES = 15_000_000
UNZIPPED_BYTES = 250_000_000
# The machine's number in the ELF header of a shared object.
MACHINES = {"x86_64": 62, "arm64": 183}
SHARED_OBJECT = re.compile(r"\.so(\.\d+)*$")
CPYTHON_TAG = re.compile(r"\.cpython-(\d+)-")
RECORD = re.compile(r"([^/]+)-([^/-]+)\.dist-info/RECORD$")
EVERYBODY_READS = 0o444
RUNTIME = {"chalice/__init__.py", "chalice/app.py"}
SHOWN = 3

# The allowed versions of each distribution, by its canonical name.
Pins = dict[str, SpecifierSet]


@dataclass(frozen=True)
class Contents:
    """The number of files in a package, and its sizes."""

    files: int
    zipped_bytes: int
    unzipped_bytes: int


def own_files(project: Path) -> set[str]:
    """Return the names of the project's files in its package. Raises PackageError if a required one is missing."""
    for part in ("app.py", "chalicelib"):
        if not (project / part).exists():
            raise PackageError(f"{project} has no {part}: name the directory of a Chalice project, as chalice_app")
    modules, vendor = _below(project, "chalicelib"), _below(project, "vendor")
    library = {f"chalicelib/{name}" for name in modules if name.endswith((".py", ".pyc"))}
    return {"app.py", *library, *vendor}


def pins_of(project: Path) -> Pins:
    """Return the versions that a project's requirements.txt pins. Raises PackageError for a line that pins none."""
    pins: Pins = {}
    requirements = project / "requirements.txt"
    for line in requirements.read_text().splitlines() if requirements.exists() else ():
        text = re.sub(r"(^|\s)#.*", "", line).strip()
        if not text:
            continue
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            raise PackageError(f"requirements.txt: {text!r} is not a version that is pinned, as name==1.2.3") from None
        if [one.operator for one in requirement.specifier] != ["=="]:
            raise PackageError(f"requirements.txt: {text!r} is not pinned to one version, as {requirement.name}==1.2.3")
        pins[canonicalize_name(requirement.name)] = requirement.specifier
    return pins


def check(package: Path, project: Path, target: Target) -> Contents:
    """Check everything about a package that can be checked without running it.

    Args:
        package: The zip file.
        project: The Chalice project that it was built from.
        target: The Python and the machine that it has to run on.

    Returns:
        The number of files, and the sizes.

    Raises:
        PackageError: Lambda could not run the package.
    """
    own, pins = own_files(project), pins_of(project)
    with ZipFile(package) as zipped:
        entries = zipped.infolist()
        contents = Contents(len(entries), package.stat().st_size, sum(entry.file_size for entry in entries))
        _check_size("zipped", contents.zipped_bytes, ZIPPED_BYTES)
        _check_size("unzipped", contents.unzipped_bytes, UNZIPPED_BYTES)
        _check_names({entry.filename for entry in entries}, own | RUNTIME | _pinned_files(zipped, pins))
        for entry in entries:
            _check_readable(entry)
            _check_binary(entry.filename, zipped.open(entry).read(20), target)
        _check_driver(zipped.namelist(), target)
    return contents


def _below(project: Path, folder: str) -> list[str]:
    """Return the names of the files in a folder of the project; refuse links, which Chalice silently leaves out."""
    paths = sorted((project / folder).rglob("*"))
    for path in paths:
        if path.is_symlink():
            raise PackageError(f"{path} is a symbolic link, which Chalice may leave out: replace it by its target")
    return [str(path.relative_to(project / folder)) for path in paths if path.is_file()]


def _pinned_files(zipped: ZipFile, pins: Pins) -> set[str]:
    """Return the names of the files of the distributions inside; each has to be pinned, and each pinned one inside."""
    files: set[str] = set()
    inside: set[str] = set()
    for record in filter(None, map(RECORD.match, zipped.namelist())):
        name, version = str(canonicalize_name(record[1])), record[2]
        if name not in pins or not pins[name].contains(version, prereleases=True):
            raise PackageError(
                f"{name} {version} came along: pin it in requirements.txt, or remove the requirement that needs it"
            )
        inside.add(name)
        files |= {row[0] for row in csv.reader(zipped.read(record[0]).decode().splitlines())}
    for name in pins.keys() - inside:
        raise PackageError(f"{name}{pins[name]} is pinned in requirements.txt, but not inside the package")
    return files


def _check_size(how: str, size: int, limit: int) -> None:
    if size >= limit:
        raise PackageError(f"the package is too large: {size:,} bytes {how}, but the limit is {limit:,}")


def _check_names(inside: Collection[str], asked_for: Collection[str]) -> None:
    for wrong, names in (
        ("holds files that belong neither to the app nor to a pinned requirement", set(inside) - set(asked_for)),
        ("lacks", set(asked_for) - set(inside)),
    ):
        if names:
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            raise PackageError(f"the package {wrong}: {', '.join(sorted(names)[:SHOWN])}{more}")


def _check_readable(entry: ZipInfo) -> None:
    """Refuse a file that only its owner may read: Lambda runs as another user."""
    if entry.external_attr >> 16 & EVERYBODY_READS != EVERYBODY_READS:
        raise PackageError(f"Lambda could not read {entry.filename}: run 'umask 022', and 'chmod -R a+rX' the project")


def _check_binary(name: str, head: bytes, target: Target) -> None:
    """Refuse machine code for another machine than the target's, and a module for another Python."""
    if not (SHARED_OBJECT.search(name) or head.startswith(b"\x7fELF")):
        return
    if not head.startswith(b"\x7fELF\x02") or int.from_bytes(head[18:20], "little") != MACHINES[target.architecture]:
        raise PackageError(f"{name} is machine code, but not for {target}")
    if (tag := CPYTHON_TAG.search(name)) and tag[1] != target.cpython:
        raise PackageError(f"{name} is for another Python than {target}")


def _check_driver(names: Collection[str], target: Target) -> None:
    """Refuse a package without psycopg's binary: Lambda has no libpq for it."""
    if not any(re.match(rf"psycopg_binary/.+\.cpython-{target.cpython}-.+\.so$", name) for name in names):
        raise PackageError(f"psycopg's binary for {target} is not inside: pin psycopg[binary] and psycopg-binary")
