"""The docs: true to the code, linked, and in plain English."""

import ast
import inspect
import json
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from markdown_it import MarkdownIt
from markdown_it.token import Token

import analysis as library
from analysis.checks.ledger import COUNTS
from analysis.checks.validation.clocks import MOST_LATE, MOST_SKEW
from analysis.checks.validation.finding import Check
from analysis.checks.validation.visits import IDLE_SECONDS
from analysis.checks.validation.warehouse.agreement import METRICS as COMPARED
from analysis.commands.main import main as analysis
from analysis.lake.schema import documentation as lake_documentation
from analysis.rows.oddities.judging import missing_members
from chalicelib.contract import EVENT_NAMES, RAW_MEMBERS, documentation
from emulator.commands.main import main as emulator
from emulator.seed.answers.findings import CHECKS
from emulator.traces.trace import STATES
from tests.support.hard_phrases import hard_phrases

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
README_LINES = 220
# A clause as a subject makes a sentence hard to read. In pages, all other hard phrases count too.
CLAUSE_AS_SUBJECT = re.compile(r"(?:^|\. )What (?:is|are|was|were|has) [^?]*\.", re.MULTILINE)


def is_hard_to_read(text: str) -> bool:
    """Whether a reader would stumble over a text. CONTRIBUTING.md has examples."""
    return bool(hard_phrases(text) or CLAUSE_AS_SUBJECT.search(text))


class Page:
    """A Markdown file, or the Markdown cells of a notebook."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = path.read_text()
        if path.suffix == ".ipynb":
            cells = [cell for cell in json.loads(self.text)["cells"] if cell["cell_type"] == "markdown"]
            self.text = "\n\n".join("".join(cell["source"]) for cell in cells)

    @cached_property
    def tokens(self) -> list[Token]:
        return MarkdownIt("commonmark").enable("table").parse(self.text)

    def inline(self) -> Iterator[list[Token]]:
        """What each paragraph, heading and table cell is made of."""
        for token in self.tokens:
            if token.type == "inline":
                yield token.children or []

    @property
    def links(self) -> list[str]:
        """Where its links and pictures lead, inside the repository."""
        found = [token.attrs.get("href") or token.attrs.get("src") for part in self.inline() for token in part]
        return [str(target) for target in found if target and not re.match(r"https?:", str(target))]

    @property
    def anchors(self) -> set[str]:
        """The anchors of its headings, as GitHub makes them."""
        found: list[str] = []
        for opening, heading in zip(self.tokens, self.tokens[1:], strict=False):
            if opening.type == "heading_open":
                text = "".join(token.content for token in heading.children or [])
                found.append(re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-"))
        return {
            anchor if (n := found[:place].count(anchor)) == 0 else f"{anchor}-{n}" for place, anchor in enumerate(found)
        }

    @property
    def prose(self) -> list[str]:
        """Its paragraphs, headings and table cells, without code."""
        return [
            "".join(
                "…" if token.type == "code_inline" else token.content or " " * (token.type == "softbreak")
                for token in part
            )
            for part in self.inline()
        ]

    @property
    def code(self) -> list[str]:
        """The lines of its code."""
        spans = [token.content for part in self.inline() for token in part if token.type == "code_inline"]
        fences = [line for token in self.tokens if token.type == "fence" for line in token.content.splitlines()]
        return [line.strip() for line in spans + fences]

    def column(self, heading: str) -> list[str]:
        """The code that the first cells hold of the table under a heading."""
        section = self.text.partition(f"\n{heading}\n")[2]
        return re.findall(
            r"^\| `([^`]+)` \|", re.split(r"^#+ ", section, maxsplit=1, flags=re.MULTILINE)[0], re.MULTILINE
        )


MARKDOWN = [
    Page(path)
    for pattern in ("*.md", "[a-z]*/**/*.md")
    for path in sorted(ROOT.glob(pattern))
    if "node_modules" not in path.parts
]
NOTEBOOKS = [Page(path) for path in sorted(ROOT.glob("notebooks/*.ipynb"))]
README = Page(ROOT / "README.md")
CONTRACT = Page(DOCS / "contract.md")
LAKE = Page(DOCS / "lake.md")
EMULATOR = Page(DOCS / "emulator.md")
METRICS = Page(DOCS / "metrics.md")


def name(page: Page) -> str:
    return page.path.relative_to(ROOT).as_posix()


class TestLinks:
    @pytest.mark.parametrize("page", [page for page in MARKDOWN + NOTEBOOKS if page.links], ids=name)
    def test_every_link_leads_to_a_file_of_the_repository(self, page: Page) -> None:
        """Relative to the page; pictures too."""
        targets = [link.partition("#")[0] for link in page.links]
        assert [target for target in targets if not (page.path.parent / target).exists()] == []

    @pytest.mark.parametrize(
        "page", [page for page in MARKDOWN + NOTEBOOKS if any("#" in link for link in page.links)], ids=name
    )
    def test_every_anchor_is_a_heading(self, page: Page) -> None:
        """Of the page itself, or of another one."""
        for target, _, anchor in (link.partition("#") for link in page.links if "#" in link):
            other = Page(page.path.parent / target) if target else page
            assert anchor in other.anchors, f"{target}#{anchor}"

    def test_the_readme_links_every_page_of_the_docs(self) -> None:
        """So that a reader finds all of them from one place."""
        pages = {path.relative_to(ROOT).as_posix() for path in [*DOCS.glob("**/*.md"), *ROOT.glob("*.md")]}
        assert pages - {"README.md"} - set(README.links) == set()


class TestWords:
    @pytest.mark.parametrize("page", MARKDOWN, ids=name)
    def test_no_page_has_a_phrase_that_is_hard_to_read(self, page: Page) -> None:
        """Write short sentences in ordinary order, with the subject first."""
        assert [text for text in page.prose if is_hard_to_read(text)] == []

    def test_the_bad_examples_would_be_noticed(self) -> None:
        """All sentences that CONTRIBUTING.md warns of."""
        examples = Page(ROOT / "CONTRIBUTING.md").column("### Sentences")
        assert len(examples) > 1
        assert [text for text in examples if not is_hard_to_read(text)] == []

    def test_the_readme_can_be_read_in_five_minutes(self) -> None:
        """Everything else has a page of its own."""
        assert len(README.text.splitlines()) <= README_LINES


class TestCommands:
    @pytest.mark.parametrize("page", MARKDOWN, ids=name)
    def test_every_command_in_a_page_exists(self, page: Page) -> None:
        """Make targets, and commands of the emulator and the analysis."""
        targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        code = "\n".join(page.code)
        assert set(re.findall(r"(?:^|&& )make ([a-z]+)\b", code, re.MULTILINE)) <= targets
        for program, module in ((emulator, "emulator"), (analysis, "analysis")):
            for command in set(re.findall(rf"python -m {module} ([a-z]+)", code)):
                assert CliRunner().invoke(program, [command, "--help"]).exit_code == 0, command

    @pytest.mark.parametrize(("program", "module"), [(emulator, "emulator"), (analysis, "analysis")])
    def test_every_command_is_in_the_docs(self, program: click.Group, module: str) -> None:
        """At least once, as it is typed."""
        code = "\n".join(line for page in MARKDOWN for line in page.code)
        assert [each for each in program.commands if not re.search(rf"python -m {module} {each}\b", code)] == []


class TestLake:
    def test_the_table_is_the_one_that_the_code_makes(self) -> None:
        """Change the columns in analysis/lake/schema.py, and print `documentation()` into the page."""
        assert lake_documentation() in LAKE.text


class TestContract:
    def test_the_table_is_the_one_that_the_code_makes(self) -> None:
        """Change the columns in contract.py, and print `documentation()` into the page."""
        assert documentation() in CONTRACT.text

    def test_every_event_name_is_listed(self) -> None:
        """All of them, in order."""
        listed = re.findall(r"`([a-z_]+)`", CONTRACT.text.partition("## Event names")[2].partition("\n## ")[0])
        assert tuple(listed) == EVENT_NAMES

    def test_every_raw_member_is_listed(self) -> None:
        """All of them, in order."""
        listed = re.findall(r"`([A-Za-z.]+)`", CONTRACT.text.partition("for raw only:")[2].partition(". Any other")[0])
        assert tuple(listed) == RAW_MEMBERS

    @pytest.mark.parametrize("event", EVENT_NAMES)
    def test_what_each_event_needs_is_what_validation_asks_for(self, event: str) -> None:
        """By the table: what every event needs, and what an event of this name does."""
        members = CONTRACT.text.partition("## Members")[2].partition("\n## ")[0]
        lines = [line for line in members.splitlines() if line.startswith("| every event") or f"| `{event}`" in line]
        lines += [line for line in members.splitlines() if f", `{event}`" in line.partition(" | ")[0]]
        listed = [member for line in lines for member in re.findall(r"`([A-Za-z.]+)`", line.partition(" | ")[2])]
        assert listed == missing_members({}, event)


def checks_in_code() -> dict[str, str]:
    """The name and the level of every check that `validate` can return, from the code that makes it."""
    calls = (
        node
        for path in sorted((ROOT / "analysis" / "checks" / "validation").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == Check.__name__
    )
    return {ast.literal_eval(call.args[0]): ast.literal_eval(call.args[1]) for call in calls}


def metric_functions() -> dict[str, list[str]]:
    """The arguments of every public metric, without the engine and the range."""
    parameters = {
        name: list(inspect.signature(getattr(library, name)).parameters)
        for name in library.__all__
        if inspect.isfunction(getattr(library, name))
    }
    return {name: names[2:] for name, names in parameters.items() if names[1:2] == ["within"]}


class TestMetrics:
    """docs/metrics.md, the one definition of metrics, checks and the ledger."""

    def test_every_check_of_validate_is_defined_with_its_level(self) -> None:
        """And no other; the answers of a seeded history know the same checks, except for two that it cannot hold."""
        section = METRICS.text.partition("\n## Checks\n")[2].partition("\n## ")[0]
        defined = re.findall(r"^\| `(\w+)` \| (\w+) \|", section, re.MULTILINE)
        assert dict(defined) == checks_in_code()
        assert len(defined) == len(dict(defined))
        assert {*CHECKS, "erased_people", "unreadable_objects"} == set(checks_in_code())

    def test_every_metric_is_defined_with_its_arguments(self) -> None:
        """A metric without arguments is named alone."""
        metrics = metric_functions()
        assert len(metrics) > 15
        spelled = {
            name: f"`{name}({', '.join(arguments)})`" if arguments else f"`{name}`"
            for name, arguments in metrics.items()
        }
        assert [text for text in spelled.values() if text not in METRICS.text] == []

    def test_the_metrics_that_validate_compares_are_listed(self) -> None:
        """In the order of the code."""
        listed = METRICS.text.partition("`raw_and_warehouse_differ` compares ")[2].partition(", all with")[0]
        assert re.findall(r"`(\w+)`", listed) == list(COMPARED)

    def test_every_column_of_the_ledger_is_defined(self) -> None:
        """In the order of the code."""
        assert METRICS.column("## Ledger") == list(COUNTS)

    def test_thresholds_are_those_of_the_code(self) -> None:
        """In seconds."""
        rows = {name: line for line in METRICS.text.splitlines() for name in re.findall(r"^\| `(\w+)` \|", line)}
        for check, seconds in (
            ("clock_skew", MOST_SKEW),
            ("late_events", MOST_LATE),
            ("late", MOST_LATE),
            ("broken_sessions", IDLE_SECONDS),
        ):
            assert f"more than {seconds:g} s" in rows[check]


class TestTables:
    def test_every_state_of_a_trace_is_explained(self) -> None:
        """In the order of the code."""
        assert tuple(EMULATOR.column("### States of an event")) == STATES
