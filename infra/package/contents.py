"""What a deployment package may hold, and must: it is refused here, before Lambda fails on it."""

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

# Lambda's own limits are 50 MB (zipped) and 250 MB; cold starts suffer long before.
ZIPPED_BYTES = 15_000_000
UNZIPPED_BYTES = 250_000_000
# As the ELF header of a shared object names them.
MACHINES = {"x86_64": 62, "arm64": 183}
SHARED_OBJECT = re.compile(r"\.so(\.\d+)*$")
CPYTHON_TAG = re.compile(r"\.cpython-(\d+)-")
RECORD = re.compile(r"([^/]+)-([^/-]+)\.dist-info/RECORD$")
EVERYBODY_READS = 0o444
RUNTIME = {"chalice/__init__.py", "chalice/app.py"}
SHOWN = 3

# Of each distribution the versions that are allowed; by its name as PyPI spells it.
Pins = dict[str, SpecifierSet]


@dataclass(frozen=True)
class Contents:
    """How much there is in a package."""

    files: int
    zipped_bytes: int
    unzipped_bytes: int


def own_files(project: Path) -> set[str]:
    """Names of the files that a project gives to its package. Raises PackageError for what would be missing in it."""
    for part in ("app.py", "chalicelib"):
        if not (project / part).exists():
            raise PackageError(f"{project} has no {part}: name the directory of a Chalice project, as chalice_app")
    modules, vendor = _below(project, "chalicelib"), _below(project, "vendor")
    library = {f"chalicelib/{name}" for name in modules if name.endswith((".py", ".pyc"))}
    return {"app.py", *library, *vendor}


def pins_of(project: Path) -> Pins:
    """What a project's requirements.txt pins. Raises PackageError for a line that leaves open what comes."""
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
    """Check everything that can be known of a package without running it. Raises PackageError."""
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
    """Names of the files in a folder of the project; of linked folders Chalice leaves some out without a word."""
    paths = sorted((project / folder).rglob("*"))
    for path in paths:
        if path.is_symlink():
            raise PackageError(f"{path} is a symbolic link, and may get lost: put what it names in its place")
    return [str(path.relative_to(project / folder)) for path in paths if path.is_file()]


def _pinned_files(zipped: ZipFile, pins: Pins) -> set[str]:
    """Names of the files that the distributions inside say are theirs; they are those that are pinned, and no other."""
    files: set[str] = set()
    inside: set[str] = set()
    for record in filter(None, map(RECORD.match, zipped.namelist())):
        name, version = str(canonicalize_name(record[1])), record[2]
        if name not in pins or not pins[name].contains(version, prereleases=True):
            raise PackageError(f"{name} {version} came along: pin it in requirements.txt, or what needs it goes")
        inside.add(name)
        files |= {row[0] for row in csv.reader(zipped.read(record[0]).decode().splitlines())}
    for name in pins.keys() - inside:
        raise PackageError(f"{name}{pins[name]} is pinned in requirements.txt, but not inside the package")
    return files


def _check_size(how: str, size: int, limit: int) -> None:
    if size >= limit:
        raise PackageError(f"the package is too large: {size:,} bytes {how}, of less than {limit:,}")


def _check_names(inside: Collection[str], asked_for: Collection[str]) -> None:
    for wrong, names in (
        ("holds what is neither the app's nor of a pinned requirement", set(inside) - set(asked_for)),
        ("lacks", set(asked_for) - set(inside)),
    ):
        if names:
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            raise PackageError(f"the package {wrong}: {', '.join(sorted(names)[:SHOWN])}{more}")


def _check_readable(entry: ZipInfo) -> None:
    """Lambda runs as another user than the one that the files are of."""
    if entry.external_attr >> 16 & EVERYBODY_READS != EVERYBODY_READS:
        raise PackageError(f"Lambda could not read {entry.filename}: run 'umask 022', and 'chmod -R a+rX' the project")


def _check_binary(name: str, head: bytes, target: Target) -> None:
    """Machine code has to be for the target's machine, and a module for the target's Python."""
    if not (SHARED_OBJECT.search(name) or head.startswith(b"\x7fELF")):
        return
    if not head.startswith(b"\x7fELF\x02") or int.from_bytes(head[18:20], "little") != MACHINES[target.architecture]:
        raise PackageError(f"{name} is machine code, but not for {target}")
    if (tag := CPYTHON_TAG.search(name)) and tag[1] != target.cpython:
        raise PackageError(f"{name} is for another Python than {target}")


def _check_driver(names: Collection[str], target: Target) -> None:
    """Without its own libpq, psycopg finds none in Lambda."""
    if not any(re.match(rf"psycopg_binary/.+\.cpython-{target.cpython}-.+\.so$", name) for name in names):
        raise PackageError(f"psycopg's binary for {target} is not inside: pin psycopg[binary] and psycopg-binary")
