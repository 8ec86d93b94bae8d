import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from chalicelib.contract import EVENT_NAMES, documentation
from emulator.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
CONTRACT = (ROOT / "docs" / "contract.md").read_text()


class TestContract:
    def test_the_table_is_the_one_that_the_code_makes(self) -> None:
        """Change the columns in contract.py, and print `documentation()` into the page."""
        assert documentation() in CONTRACT

    def test_every_event_name_is_listed(self) -> None:
        """All of them, in order."""
        listed = re.findall(r"`([a-z_]+)`", CONTRACT.partition("## Event names")[2].partition("\n## ")[0])
        assert tuple(listed) == EVENT_NAMES


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
        """Make targets and commands of the emulator that it names."""
        targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        assert set(re.findall(r"make ([a-z]+)\b", README)) <= targets
        for command in set(re.findall(r"python -m emulator ([a-z]+)", README)):
            assert CliRunner().invoke(main, [command, "--help"]).exit_code == 0

    def test_local_links_lead_somewhere(self) -> None:
        """To files of this repository."""
        for page, folder in ((README, ROOT), (CONTRACT, ROOT / "docs")):
            for target in re.findall(r"\]\((?!http|#)([^)#]+)", page):
                assert (folder / target).exists(), target
