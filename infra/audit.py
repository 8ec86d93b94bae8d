"""Asks whether what is locked has known vulnerabilities, and takes no silence for an answer."""

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
    """How many packages there are, which have vulnerabilities (name, version, ids), and of which nothing is known."""

    packages: int
    vulnerable: Sequence[tuple[str, str, tuple[str, ...]]]
    unknown: Sequence[str]


class AuditError(click.ClickException):
    """The audit could not be made: the text says why."""

    exit_code = 2


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("program", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("lock", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(program: Path, lock: Path) -> None:
    """Let PROGRAM, which is pip-audit, look up every package of LOCK. `make audit` calls this.

    Exit code: 0 nothing is known against any of them, 1 something is, 2 it could not be asked of all.
    """
    found = audit(program, lock)
    for name, version, ids in found.vulnerable:
        click.echo(f"{name} {version}: {', '.join(ids)}")
    if found.vulnerable:
        raise SystemExit(1)
    click.echo(f"{found.packages} packages, nothing known against them")


def audit(program: Path, lock: Path) -> Audit:
    """What pip-audit says of a lock. Raises AuditError unless it has an answer for each package."""
    command = [str(program), "--requirement", str(lock), "--no-deps", "--disable-pip", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = read(done.stdout)
    if found is None:
        reason = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise AuditError(f"pip-audit gives no answer; is the internet there? {reason}")
    if found.unknown and not found.vulnerable:
        few = ", ".join(found.unknown[:SHOWN])
        raise AuditError(f"nothing is known of {len(found.unknown)} of {found.packages} packages ({few}): not audited")
    return found


def read(text: str) -> Audit | None:
    """What pip-audit printed as JSON; None if it is none."""
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
