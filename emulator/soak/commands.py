"""Runs commands of the analysis on the stack under test, as an analyst would, and reads what `validate` found."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from typing import NamedTuple

from emulator.soak.subject import ROOT, Subject

__all__ = ["Findings", "analysis", "failed_checks"]

COMMAND_SECONDS = 1800
# What is true of events while the clock of ingest or of a browser is wrong: time passes by leaps.
OF_JUMPED_CLOCKS = frozenset({"clock_skew", "broken_sessions", "first_visit_contradictions"})


class Findings(NamedTuple):
    """Names of failed checks: what is wrong, and what is true since clocks jumped."""

    wrong: list[str]
    expected: list[str]


def analysis(
    subject: Subject, command: str, *options: str, ahead: timedelta | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `python -m analysis` with this command on the bucket and the warehouse of the stack, until it ends.

    Args:
        subject: The stack.
        command: Name of the command.
        options: More words.
        ahead: How far the clock of the command is ahead; None: not at all.
    """
    where = ["--source", str(subject.bucket), "--dw", subject.stack.dw_url]
    environment = {} if ahead is None else subject.clock.environment(ahead)
    return subprocess.run(
        [sys.executable, "-m", "analysis", command, *where, *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
        env=os.environ | environment,
    )


def failed_checks(subject: Subject, done: subprocess.CompletedProcess[str]) -> Findings:
    """Read the report of `validate --json`; without a report, its last words count as a finding."""
    if done.returncode not in (0, 1):
        return Findings([done.stderr.strip() or f"validate ended with {done.returncode}"], [])
    failed = [check["name"] for check in json.loads(done.stdout)["checks"] if not check["passed"]]
    expected = OF_JUMPED_CLOCKS if subject.clock.jumps else frozenset()
    wrong = [name for name in failed if name not in expected]
    return Findings(wrong, [name for name in failed if name in expected])
