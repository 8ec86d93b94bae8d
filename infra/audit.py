"""Audits the locked packages for known vulnerabilities, and fails if a package could not be audited."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

__all__ = ["Audit", "audit", "main", "read"]

SHOWN = 3


@dataclass(frozen=True)
class Audit:
    """The result of an audit.

    Attributes:
        packages: Number of packages.
        vulnerable: Name, version and vulnerability ids of each vulnerable package.
        unknown: Names of the packages that could not be audited.
    """

    packages: int
    vulnerable: Sequence[tuple[str, str, tuple[str, ...]]]
    unknown: Sequence[str]


class AuditError(click.ClickException):
    """The audit failed; the text says why."""

    exit_code = 2


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("program", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("lock", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(program: Path, lock: Path) -> None:
    """Audit every package of the lock file LOCK with pip-audit, whose path is PROGRAM.

    `make audit` calls this. Exit codes: 0 no package has a known vulnerability, 1 a package has one, 2 a package could
    not be audited.
    """
    found = audit(program, lock)
    for name, version, ids in found.vulnerable:
        click.echo(f"{name} {version}: {', '.join(ids)}")
    if found.vulnerable:
        raise SystemExit(1)
    click.echo(f"{found.packages} packages audited, no known vulnerabilities")


def audit(program: Path, lock: Path) -> Audit:
    """Audit a lock file with pip-audit.

    Args:
        program: Path of pip-audit.
        lock: Path of the lock file.

    Raises:
        AuditError: pip-audit failed, or could not audit a package while it found no vulnerability in others.
    """
    command = [str(program), "--requirement", str(lock), "--no-deps", "--disable-pip", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = read(done.stdout)
    if found is None:
        reason = (done.stderr.strip().splitlines() or ["it printed nothing"])[-1]
        raise AuditError(f"pip-audit failed: {reason}; check the internet connection")
    if found.unknown and not found.vulnerable:
        few = ", ".join(found.unknown[:SHOWN])
        raise AuditError(
            f"{len(found.unknown)} of {found.packages} packages could not be audited ({few}): "
            "pip-audit does not know them"
        )
    return found


def read(text: str) -> Audit | None:
    """Parse the JSON that pip-audit printed; None if the text is something else."""
    try:
        packages = json.loads(text)["dependencies"]
    except (ValueError, KeyError):
        return None
    vulnerable = [
        (each["name"], each["version"], tuple(one["id"] for one in each["vulns"]))
        for each in packages
        if each.get("vulns")
    ]
    return Audit(len(packages), vulnerable, [each["name"] for each in packages if "skip_reason" in each])


if __name__ == "__main__":
    main(prog_name="python -m infra.audit")
