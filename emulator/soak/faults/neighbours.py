"""A second stack that is started on the ports or on the home of the first: it has to end, and to harm nothing."""

import re
import subprocess
from pathlib import Path

from emulator.soak.subject import ROOT, Subject

__all__ = ["start_on_same_home", "start_on_same_ports"]

END_SECONDS = 60
WRONG_USAGE = 2


def start_on_same_ports(subject: Subject, _seconds: float) -> None:
    """Start a second stack on another home and the same ports."""
    _start(subject, subject.home.path.parent / "neighbour", r"port \d+ is in use")


def start_on_same_home(subject: Subject, _seconds: float) -> None:
    """Start a second stack on the same home and ports."""
    _start(subject, subject.home.path, "a stack is already running on ")


def _start(subject: Subject, home: Path, reason: str) -> None:
    """Start it; note a problem unless it ends with exit code 2 and one line with the reason, and the first runs on."""
    first, starts = subject.supervisor(), subject.starts
    try:
        done = subprocess.run(
            subject.command(home),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=END_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        subject.problems.append(f"a second stack on {home} has not ended after {END_SECONDS} s")
        return
    lines = done.stderr.splitlines()
    if done.returncode != WRONG_USAGE or len(lines) != 1 or not re.search(reason, lines[0]) or done.stdout:
        said = done.stdout + done.stderr
        subject.problems.append(f"a second stack on {home} ended with {done.returncode}, and said: {said.strip()!r}")
    if not (subject.is_alive and subject.is_healthy() and (subject.supervisor(), subject.starts) == (first, starts)):
        subject.problems.append(f"a second stack on {home} harmed the first")
