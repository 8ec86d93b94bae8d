"""What a reader sees in source and pages is easy to read: no hard phrase stands in text, comments or docs."""

import ast
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.hard_phrases import hard_phrases

ROOT = Path(__file__).parents[2]
# They quote hard phrases, as examples of what not to write.
EXAMPLES = {"CONTRIBUTING.md", "tests/docs/test_words.py"}


def files() -> dict[str, list[str]]:
    """List the files of the repository that people read, as paths, by their folder at the top."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, stdout=subprocess.PIPE, check=True
    )
    names = [
        name for name in listed.stdout.decode().split("\n") if Path(name).suffix in READERS and (ROOT / name).exists()
    ]
    found: dict[str, list[str]] = {}
    for name in sorted({*names} - EXAMPLES):
        found.setdefault(name.rpartition("/")[0].partition("/")[0] or ".", []).append(name)
    return found


def texts_of_python(path: Path) -> Iterator[str]:
    """String literals, docstrings among them, and blocks of comments."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
    with path.open("rb") as file:
        tokens = [token for token in tokenize.tokenize(file.readline) if token.type == tokenize.COMMENT]
    yield " ".join(token.string.lstrip("# ") for token in tokens)


def texts_of_sql(path: Path) -> Iterator[str]:
    """Comments."""
    yield " ".join(line.partition("--")[2] for line in path.read_text().splitlines())


def texts_of_page(path: Path) -> Iterator[str]:
    """All of it."""
    yield path.read_text()


READERS = {
    ".py": texts_of_python,
    ".sql": texts_of_sql,
    **dict.fromkeys((".css", ".html", ".ipynb", ".js", ".md", ".sh", ".ts", ".tsx", ".yaml"), texts_of_page),
}


class TestWords:
    @pytest.mark.parametrize("names", [pytest.param(names, id=folder) for folder, names in files().items()])
    def test_no_text_is_hard_to_read(self, names: list[str]) -> None:
        """Write a short sentence in ordinary order instead, subject first."""
        texts = ((name, text) for name in names for text in READERS[Path(name).suffix](ROOT / name))
        assert [(name, found) for name, text in texts for found in hard_phrases(text)] == []

    @pytest.mark.parametrize(
        "phrase",
        [
            "0 of 17 checks, without the warehouse, found nothing",
            "3 sessions are none",
            "its name is none that is unknown",
            "`erased` (its person was)",
            "takes no silence for an answer",
            "those of them that none has",
            "those that were\n    dismissed",
        ],
    )
    def test_hard_phrases_are_found(self, phrase: str) -> None:
        """Also across a line break."""
        assert hard_phrases(f"Well: {phrase}.") != []

    @pytest.mark.parametrize(
        "phrase", ["3 sessions break the 30-minute rule", "expected: none", "it is nonetheless sent", "of it, that is"]
    )
    def test_plain_phrases_are_not(self, phrase: str) -> None:
        """Words that only look alike."""
        assert hard_phrases(phrase) == []
