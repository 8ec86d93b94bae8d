import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from infra.audit import main

ROOT = Path(__file__).parents[2]
PLACES = (ROOT, ROOT / "chalice_app")

CLEAN = '{"dependencies": [{"name": "a", "version": "1", "vulns": []}], "fixes": []}'
VULNERABLE = (
    '{"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]},'
    ' {"name": "b", "skip_reason": "not found"}], "fixes": []}'
)
SKIPPED = '{"dependencies": [{"name": "a", "skip_reason": "Dependency not found on PyPI"}], "fixes": []}'


def pins(path: Path) -> dict[str, str]:
    """Name and version of each line; of those of another file that it names, too."""
    found: dict[str, str] = {}
    for line in path.read_text().splitlines():
        if line.startswith("-r "):
            found |= pins(path.parent / line.removeprefix("-r "))
        elif match := re.match(r"[A-Za-z0-9][^#\\]*", line):
            requirement = Requirement(match[0].strip())
            found[canonicalize_name(requirement.name)] = str(requirement.specifier)
    return found


class TestLock:
    @pytest.mark.parametrize("place", PLACES)
    def test_it_names_what_requirements_name(self, place: Path) -> None:
        """The same versions, and each with the hashes of its files."""
        assert pins(place / "requirements.lock") == pins(place / "requirements.txt")
        blocks = re.split(r"^(?=[A-Za-z0-9])", (place / "requirements.lock").read_text(), flags=re.MULTILINE)
        assert [block for block in blocks if block and "--hash=sha256:" not in block] == []

    def test_everything_that_is_installed_is_locked(self) -> None:
        """Nothing came along that no line names; pip, and what `make` installs on demand, aside."""
        done = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout.strip()) == (0, "No broken requirements found.")

    def test_what_is_not_as_locked_is_refused(self, tmp_path: Path) -> None:
        """By pip itself, as `make setup` calls it."""
        wheel = tmp_path / "odd-1.0-py3-none-any.whl"
        wheel.write_bytes(b"not what it was")
        lock = tmp_path / "requirements.lock"
        lock.write_text(f"odd==1.0 --hash=sha256:{'0' * 64}\n")
        options = ["--no-index", "--find-links", str(tmp_path), "--require-hashes", "--no-deps", "-r", str(lock)]
        command = [sys.executable, "-m", "pip", "install", "--target", str(tmp_path / "out"), *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode != 0
        assert "DO NOT MATCH THE HASHES" in done.stderr

    def test_make_installs_nothing_else(self) -> None:
        """Its set-up verifies every file."""
        recipe = (ROOT / "Makefile").read_text().partition("$(VENV)/.installed:")[2].partition("\n\n")[0]
        installs = [line for line in recipe.splitlines() if "pip install" in line]
        assert ["--require-hashes" in line or "--no-deps -e ." in line for line in installs] == [True, True]


class TestAudit:
    @pytest.mark.parametrize(
        ("said", "code", "output"),
        [
            (CLEAN, 0, "1 packages, nothing known against them"),
            (VULNERABLE, 1, "a 1: PYSEC-1"),
            (SKIPPED, 2, "nothing is known of 1 of 1 packages (a): not audited"),
            ("", 2, "pip-audit gives no answer; is the internet there? cannot reach it"),
        ],
    )
    def test_exit_codes(self, said: str, code: int, output: str, tmp_path: Path) -> None:
        """Silence is no clean bill: pip-audit itself ends with 0 where it knows nothing."""
        program, lock = tmp_path / "pip-audit", tmp_path / "lock"
        program.write_text(f"#!/bin/sh\ncat <<'END'\n{said}\nEND\necho 'cannot reach it' >&2\n")
        program.chmod(0o755)
        lock.write_text("")
        done: Any = CliRunner().invoke(main, [str(program), str(lock)])
        assert done.exit_code == code
        assert output in done.output
