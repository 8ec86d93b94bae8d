import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from analysis.checks.validation.members import missing_members
from analysis.commands.main import main as analysis
from chalicelib.contract import EVENT_NAMES, RAW_MEMBERS, documentation
from emulator.commands.main import main as emulator

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
CONTRACT = (ROOT / "docs" / "contract.md").read_text()
MEMBERS = CONTRACT.partition("## Members")[2].partition("\n## ")[0]


class TestContract:
    def test_the_table_is_the_one_that_the_code_makes(self) -> None:
        """Change the columns in contract.py, and print `documentation()` into the page."""
        assert documentation() in CONTRACT

    def test_every_event_name_is_listed(self) -> None:
        """All of them, in order."""
        listed = re.findall(r"`([a-z_]+)`", CONTRACT.partition("## Event names")[2].partition("\n## ")[0])
        assert tuple(listed) == EVENT_NAMES

    def test_every_raw_member_is_listed(self) -> None:
        """All of them, in order."""
        listed = re.findall(r"`([A-Za-z.]+)`", MEMBERS.partition("for raw only:")[2].partition(". Any other")[0])
        assert tuple(listed) == RAW_MEMBERS

    @pytest.mark.parametrize("name", EVENT_NAMES)
    def test_what_each_event_needs_is_what_validation_asks_for(self, name: str) -> None:
        """By the table: what every one needs, and what an event of this name does."""
        lines = [line for line in MEMBERS.splitlines() if line.startswith("| every one") or f"| `{name}`" in line]
        lines += [line for line in MEMBERS.splitlines() if f", `{name}`" in line.partition(" | ")[0]]
        listed = [member for line in lines for member in re.findall(r"`([A-Za-z.]+)`", line.partition(" | ")[2])]
        assert listed == missing_members({}, name)


class TestReadme:
    @pytest.mark.parametrize("requirements", ["requirements.txt", "chalice_app/requirements.txt"])
    def test_every_direct_dependency_earns_its_line(self, requirements: str) -> None:
        """In the table of dependencies and why."""
        direct = (ROOT / requirements).read_text().partition("# what these need")[0]
        names = re.findall(r"^([A-Za-z0-9-]+)(?:\[.*\])?==", direct, re.MULTILINE)
        assert names
        assert [name for name in names if f"`{name}`" not in README] == []

    def test_everything_installed_is_pinned(self) -> None:
        """To one version each."""
        for requirements in ("requirements.txt", "chalice_app/requirements.txt"):
            for line in (ROOT / requirements).read_text().splitlines():
                assert re.match(r"$|#|-r |[A-Za-z0-9._\[\]-]+==[^*]+$", line), line

    def test_its_commands_exist(self) -> None:
        """Make targets and commands of the emulator and the analysis that it names."""
        targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        assert set(re.findall(r"make ([a-z]+)\b", README)) <= targets
        for program, name in ((emulator, "emulator"), (analysis, "analysis")):
            commands = set(re.findall(rf"python -m {name} ([a-z]+)", README))
            assert commands
            for command in commands:
                assert CliRunner().invoke(program, [command, "--help"]).exit_code == 0

    def test_local_links_lead_somewhere(self) -> None:
        """To files of this repository."""
        for page, folder in ((README, ROOT), (CONTRACT, ROOT / "docs")):
            for target in re.findall(r"\]\((?!http|#)([^)#]+)", page):
                assert (folder / target).exists(), target
