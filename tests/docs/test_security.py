"""Every line of docs/security.md has a test that holds it."""

import ast
import re
from typing import NamedTuple

from tests.support.stack_process import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text()
HOLDS = "Which test holds which line"
LINK = re.compile(r"\[`(\w+)`\]\(\.\./([\w/.]+)\)")


class Line(NamedTuple):
    """One line of the table: whose claim it is, the claim, and class and file of each test."""

    who: str
    claim: str
    tests: list[tuple[str, str]]


def section(heading: str) -> str:
    return PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def rows(heading: str) -> list[list[str]]:
    """The cells of the table of a section, without its head."""
    lines = [line for line in section(heading).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def lines() -> list[Line]:
    return [Line(who, claim, LINK.findall(tests)) for who, claim, tests in rows(HOLDS)]


def claimants() -> set[str]:
    """Everybody and everything of which the page claims something."""
    people = {cells[0] for cells in rows("Who may do what")}
    attacks = set(re.findall(r"^\*\*(.+)\.\*\*", section("What an attacker can do, and what limits it"), re.MULTILINE))
    others = set(re.findall(r"^## (.+)$", PAGE, re.MULTILINE))
    return people | attacks | others - {"Who may do what", "What an attacker can do, and what limits it", HOLDS}


def is_test(name: str, path: str) -> bool:
    """Whether a file has a class of this name with a test in it."""
    file = ROOT / path
    classes = [node for node in ast.parse(file.read_text()).body if isinstance(node, ast.ClassDef)]
    return any(
        isinstance(each, ast.FunctionDef) and each.name.startswith("test_")
        for node in classes
        if node.name == name
        for each in node.body
    )


class TestSecurityPage:
    def test_everybody_of_whom_something_is_claimed_has_a_line(self) -> None:
        """Each line of "Who may do what", each attack, and each further section; and no line is about nobody."""
        assert len(claimants()) > 12
        assert {line.who for line in lines()} == claimants()

    def test_every_line_names_a_test_that_exists(self) -> None:
        """By its class and its file."""
        for line in lines():
            assert line.tests, line
            assert [test for test in line.tests if not is_test(*test)] == [], line

    def test_a_class_without_a_test_would_be_noticed(self) -> None:
        """So would a class that is not there."""
        here = "tests/docs/test_security.py"
        assert [is_test(name, here) for name in ("TestSecurityPage", "Line", "TestNothing")] == [True, False, False]
