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
FILES = (ROOT / "requirements.txt", ROOT / "requirements-spark.txt", ROOT / "chalice_app" / "requirements.txt")

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
    @pytest.mark.parametrize("file", FILES)
    def test_it_names_what_requirements_name(self, file: Path) -> None:
        """The same versions, and each with the hashes of its files."""
        lock = file.with_suffix(".lock")
        assert pins(lock) == pins(file)
        blocks = re.split(r"^(?=[A-Za-z0-9])", lock.read_text(), flags=re.MULTILINE)
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

    @pytest.mark.parametrize("file", FILES)
    def test_everything_is_pinned_to_one_version(self, file: Path) -> None:
        """No range, and no name without a version."""
        for line in file.read_text().splitlines():
            assert re.match(r"$|#|-r |[A-Za-z0-9._\[\]-]+==[^*]+$", line), line

    def test_the_docs_give_a_reason_for_every_direct_dependency(self) -> None:
        """And for no other."""
        direct = [file.read_text().partition("# what these need")[0] for file in FILES]
        names = re.findall(r"^([A-Za-z0-9-]+)(?:\[.*\])?==", "\n".join(direct), re.MULTILINE)
        listed = re.findall(r"^\| `([^`]+)` \| \w", (ROOT / "docs" / "dependencies.md").read_text(), re.MULTILINE)
        assert sorted(listed) == sorted(names)

    def test_make_installs_nothing_else(self) -> None:
        """Its set-up verifies every file."""
        makefile = (ROOT / "Makefile").read_text()
        recipe = makefile.partition("$(VENV)/.installed:")[2].partition("\n\n")[0]
        installs = [line for line in recipe.splitlines() if "pip install" in line]
        assert ["--require-hashes" in line or "--no-deps -e ." in line for line in installs] == [True, True]
        assert "--require-hashes" in makefile.partition("$(VENV)/.spark:")[2].partition("\n\n")[0]

    def test_only_tests_and_who_asks_for_it_get_spark(self) -> None:
        """It has 345 MB, and needs Java; nothing else imports it."""
        makefile = (ROOT / "Makefile").read_text()
        assert re.findall(r"^(\w+):.*\bspark\b", makefile, re.MULTILINE) == ["test", "spark"]
        assert pins(FILES[0]).keys().isdisjoint(pins(FILES[1]))


class TestAudit:
    @pytest.mark.parametrize(
        ("said", "code", "output"),
        [
            (CLEAN, 0, "1 packages audited, no known vulnerabilities"),
            (VULNERABLE, 1, "a 1: PYSEC-1"),
            (SKIPPED, 2, "1 of 1 packages could not be audited (a): pip-audit does not know them"),
            ("", 2, "pip-audit failed: cannot reach it; check the internet connection"),
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
